import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import { writeWhole } from './whole-file.ts'

/**
 * Remembers on the disk into which hours summaries are being written. Summaries and the figures made of
 * them become durable one after the other: where the process ends in between, the figures of these hours
 * are made anew.
 */
export class SettlingNote {
  readonly #path: string
  #hours = new Set<number>()

  constructor(dir: string) {
    this.#path = join(dir, 'settling.json')
  }

  /** Hours of the time before that may be wrong. */
  async left(): Promise<readonly number[]> {
    try {
      const hours: unknown = JSON.parse(await readFile(this.#path, 'utf8'))
      return Array.isArray(hours) ? hours.filter(Number.isSafeInteger) : []
    } catch {
      return []
    }
  }

  /**
   * Durable when it resolves; nothing is written where these hours stand there already.
   * @throws StoreError `full`, `failed`
   */
  async begin(hours: ReadonlySet<number>): Promise<void> {
    if ([...hours].every((hour) => this.#hours.has(hour))) return
    try {
      await writeWhole(this.#path, JSON.stringify([...hours]))
    } catch (error) {
      const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
      throw new StoreError(full ? 'full' : 'failed', `cannot write ${this.#path}`, { cause: error })
    }
    this.#hours = new Set(hours)
  }

  /** Everything that was begun is whole. */
  async clear(): Promise<void> {
    this.#hours.clear()
    await rm(this.#path, { force: true })
  }
}
