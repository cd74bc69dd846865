import { extname } from 'node:path'
import { usageFault } from './fault.ts'
import { suggestions } from './suggest.ts'

/**
 * The path of a picture to write, whose ending says of what kind.
 * @throws Fault when it ends neither in .png nor in .svg
 */
export function parsePicture(path: string): string {
  const extension = extname(path).toLowerCase()
  if (extension === '.png' || extension === '.svg') return path
  const meant = suggestions(extension, ['.png', '.svg'])[0] ?? '.png'
  const name = path.slice(0, path.length - extension.length).replace(/[./]+$/, '') || 'trace'
  throw usageFault(`${JSON.stringify(path)} ends neither in .png nor in .svg`, {
    next: [`-o ${name}${meant}`],
  })
}
