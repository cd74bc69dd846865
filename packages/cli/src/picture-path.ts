import { extname } from 'node:path'
import { usageFault } from './fault.ts'
import { suggestions } from './suggest.ts'

/**
 * The path of a picture to write, whose ending says of what kind.
 * @throws Fault when it ends neither in .png nor in .svg
 */
export function parsePicture(path: string): string {
  return checked(path, ['.png', '.svg'], 'neither in .png nor in .svg')
}

/**
 * The same where a page of HTML may be written as well.
 * @throws Fault when it has another ending
 */
export function parsePictureOrPage(path: string): string {
  return checked(path, ['.png', '.svg', '.html'], 'neither in .png nor in .svg nor in .html')
}

/** Whether the path names a page of HTML. */
export const isPage = (path: string) => extname(path).toLowerCase() === '.html'

function checked(path: string, endings: readonly string[], complaint: string): string {
  const extension = extname(path).toLowerCase()
  if (endings.includes(extension)) return path
  const meant = suggestions(extension, endings)[0] ?? '.png'
  const name = path.slice(0, path.length - extension.length).replace(/[./]+$/, '') || 'trace'
  throw usageFault(`${JSON.stringify(path)} ends ${complaint}`, { next: [`-o ${name}${meant}`] })
}
