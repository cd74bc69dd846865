import { type PictureView, renderMapSvg, renderSvg } from '@clew/render'
import { type CallTree, serviceMap } from 'clew/trace'

export interface PictureStyle {
  readonly view: PictureView | 'map'
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
  const { view } = style
  if (view === 'map') {
    const svg = renderMapSvg(serviceMap([tree]), { methods: style.full })
    return isSvg ? svg : await (await import('@clew/render/png')).renderPng(svg)
  }
  if (isSvg) return renderSvg(tree, { ...style, view })
  const { renderPng } = await import('@clew/render/png')
  return await renderPng(tree, { ...style, view })
}
