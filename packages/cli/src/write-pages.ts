import { open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DocumentPage } from '@clew/render'
import { EXIT } from './exit.ts'
import { Fault, fileFault } from './fault.ts'
import { makeDirectory } from './make-directory.ts'

/**
 * Writes pages to a directory and removes those that were written there before and are none now.
 * Only files that begin with the mark are replaced or removed: whatever else lies there stays.
 * @returns names of the files that were removed
 * @throws Fault when something else has the name of a page, before anything is written, or when a
 *   file cannot be written
 */
export async function writePages(
  directory: string,
  pages: readonly DocumentPage[],
  mark: string,
): Promise<readonly string[]> {
  await makeDirectory(directory)
  const wanted = new Set(pages.map(({ file }) => file))
  const gone: string[] = []
  for (const file of await filesIn(directory)) {
    const isPage = await begins(join(directory, file), mark)
    // A file system that takes capitals for small letters has one file for both.
    const isWanted = wanted.has(file) || wanted.has(file.toLowerCase())
    if (isWanted && !isPage) {
      throw new Fault(`${join(directory, file)} was not written by this command`, {
        exit: EXIT.failed,
        code: 'not_a_page',
        next: ['-o another directory, or move that file'],
      })
    }
    if (isPage && !isWanted) gone.push(file)
  }
  for (const { file, text } of pages) {
    const path = join(directory, file)
    try {
      await writeFile(path, text)
    } catch (error) {
      throw fileFault('write', path, error)
    }
  }
  for (const file of gone) await rm(join(directory, file), { force: true })
  return gone
}

/** Files, and whatever else has the ending of a page. */
async function filesIn(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory)
    return names.filter((name) => name.toLowerCase().endsWith('.md')).sort()
  } catch (error) {
    throw fileFault('read', directory, error)
  }
}

/** Whether a file begins with the text; directories and what cannot be read do not. */
async function begins(path: string, start: string): Promise<boolean> {
  try {
    const file = await open(path)
    try {
      const wanted = Buffer.from(start)
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(wanted.length),
        0,
        wanted.length,
        0,
      )
      return bytesRead === wanted.length && buffer.equals(wanted)
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}
