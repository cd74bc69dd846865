import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileFault } from './fault.ts'

/**
 * Makes a directory and those above it. (Node's own `recursive` never returns where a file system,
 * such as /proc, answers that a directory's parent does not exist although it does.)
 * @throws Fault when it cannot be made
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await make(path)
  } catch (error) {
    throw fileFault('write', path, error)
  }
}

async function make(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const parent = dirname(path)
    if (code === 'ENOENT' && parent !== path) {
      await make(parent)
      await mkdir(path)
    } else if (!(code === 'EEXIST' && (await stat(path)).isDirectory())) {
      throw error
    }
  }
}
