import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { sourceIn } from './collector-source.ts'
import { EXIT } from './exit.ts'
import { Fault, fileFault } from './fault.ts'

/** A file to be read for traces. */
export interface TracePath {
  /** `-` for stdin, or what stands for a collector. */
  readonly path: string
  /** Found in a directory: where it is no trace, it is passed over. */
  readonly found: boolean
  /** Undefined where it is told by nobody: stdin, pipes. */
  readonly bytes: number | undefined
}

/**
 * The files that are meant: those of a directory are all below it, in the order of their names, hidden ones
 * left out. Links to directories are not followed, so that no circle is walked.
 * @throws Fault when one does not exist, or stdin is to be read twice
 */
export async function tracePaths(paths: readonly string[]): Promise<readonly TracePath[]> {
  if (paths.filter((one) => one === '-').length > 1) {
    throw new Fault('stdin can be read once', { exit: EXIT.usage, code: 'usage' })
  }
  const found: TracePath[] = []
  for (const one of paths) {
    if (one === '-' || sourceIn(one) !== undefined) {
      found.push({ path: one, found: false, bytes: undefined })
      continue
    }
    try {
      const told = await stat(one)
      if (told.isDirectory()) await walk(one, found)
      else found.push({ path: one, found: false, bytes: told.isFile() ? told.size : undefined })
    } catch (error) {
      throw fileFault('read', one, error)
    }
  }
  return found
}

async function walk(directory: string, found: TracePath[]): Promise<void> {
  const open = [directory]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const told = await stat(next)
    if (!told.isDirectory()) {
      if (told.isFile()) found.push({ path: next, found: true, bytes: told.size })
      continue
    }
    const inside = await readdir(next, { withFileTypes: true })
    const kept = inside.filter(
      (one) => !one.name.startsWith('.') && (one.isFile() || one.isDirectory()),
    )
    kept.sort((a, b) => (a.name < b.name ? 1 : -1))
    for (const { name } of kept) open.push(path.join(next, name))
  }
}
