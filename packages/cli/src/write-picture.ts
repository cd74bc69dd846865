import { writeFile } from 'node:fs/promises'
import { fileFault } from './fault.ts'

/**
 * Writes an SVG document as the kind of picture that the path's ending names.
 * @returns how many bytes it has
 * @throws Fault when the file cannot be written
 */
export async function writePicture(path: string, svg: string): Promise<number> {
  const isSvg = path.toLowerCase().endsWith('.svg')
  // The rasteriser is loaded for PNG alone.
  const picture = isSvg ? svg : await (await import('@clew/render/png')).renderPng(svg)
  try {
    await writeFile(path, picture)
    return Buffer.byteLength(picture)
  } catch (error) {
    throw fileFault('write', path, error)
  }
}
