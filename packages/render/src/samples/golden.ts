import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../goldens/', import.meta.url))

/**
 * Compares with a file of `goldens/`. With `CLEW_UPDATE_GOLDENS=1` it is written instead: then look
 * at it before committing.
 */
export function matchesGolden(file: string, actual: string): void {
  if (process.env.CLEW_UPDATE_GOLDENS === '1') {
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(FOLDER + file, actual)
    return
  }
  assert.equal(actual, readFileSync(FOLDER + file, 'utf8'), `${file} differs`)
}
