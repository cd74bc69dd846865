import { type PictureView, renderSvg } from '@clew/render'
import type { CallTree } from 'clew/trace'

export interface PictureStyle {
  readonly view: PictureView
  readonly full?: boolean
  /** Told when a PNG had to be drawn smaller than usual. */
  readonly onNotice?: (notice: string) => void
}

/** A picture in the format that the file's name asks for. The rasteriser is loaded for PNG alone. */
export async function drawPicture(
  path: string,
  tree: CallTree,
  style: PictureStyle,
): Promise<Uint8Array | string> {
  const isSvg = path.toLowerCase().endsWith('.svg')
  if (isSvg) return renderSvg(tree, style)
  const { renderPng } = await import('@clew/render/png')
  return await renderPng(tree, style)
}
