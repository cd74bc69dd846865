import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** This folder's sources: Python is not compiled, so it does not lie beside us in `dist`. */
export const SOURCES = fileURLToPath(new URL('../../interop/', import.meta.url))

/** A Python with Nameko installed, or the reason why there is none. */
export type Environment = { readonly python: string } | { readonly missing: string }

interface Pythons {
  environmentOf(requirements: string, say: (line: string) => void): Promise<Environment>
}

/**
 * A virtual environment with what a requirements file of this folder pins, made once.
 * @throws Error when the pins themselves cannot be installed: that is ours to mend, not to skip
 */
export async function environmentOf(requirements: string): Promise<Environment> {
  const script = new URL('../../../scripts/python.mjs', import.meta.url)
  const { environmentOf: find } = (await import(script.href)) as Pythons
  return find(join(SOURCES, requirements), (line) => {
    process.stderr.write(`interop: ${line}\n`)
  })
}
