import type { TraceStore } from './trace-store.ts'

export interface RetentionOptions {
  readonly store: Pick<TraceStore, 'expire' | 'usage'>
  /** How long traces are kept after they began, milliseconds. @default until there is no room */
  readonly keepMs?: number | undefined
  /** How much may lie on the disk, bytes. @default as much as there is room for */
  readonly maxBytes?: number | undefined
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
  /** Milliseconds of a clock that nobody sets. @default performance.now */
  readonly elapsed?: (() => number) | undefined
}

const HOUR_MS = 3_600_000
/** How far the clock may be ahead of what came last. */
const AHEAD_MS = 24 * HOUR_MS
/** How much faster than time age may be made up for. */
const CATCH_UP = 25

/**
 * Decides what is too old, in whole hours. A clock that jumps ahead makes everything old at once: age
 * goes by the clock only as far as a day beyond the newest trace there was at the beginning, and a day
 * more with every hour. A clock that is wrong by a year takes two weeks to empty a store; a collector
 * that was off for a week has caught up in six hours.
 */
export class Retention {
  readonly #options: RetentionOptions
  readonly #now: () => number
  readonly #elapsed: () => number
  #trusted: { readonly ms: number; readonly at: number } | undefined

  constructor(options: RetentionOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#elapsed = options.elapsed ?? (() => performance.now())
  }

  /**
   * Deletes what is too old or too much; call it now and then, one at a time.
   * @returns traces
   * @throws StoreError
   */
  async run(): Promise<number> {
    const { store, keepMs, maxBytes } = this.#options
    if (keepMs === undefined && maxBytes === undefined) return 0
    const beforeMs = keepMs === undefined ? undefined : await this.#before(keepMs)
    return await store.expire({ beforeMs, maxBytes })
  }

  async #before(keepMs: number): Promise<number> {
    const now = this.#now()
    if (this.#trusted === undefined) {
      const { newestMs = now } = await this.#options.store.usage()
      this.#trusted = { ms: Math.min(now, newestMs) + AHEAD_MS, at: this.#elapsed() }
    }
    const { ms, at } = this.#trusted
    const trusted = Math.min(now, ms + (this.#elapsed() - at) * CATCH_UP)
    return Math.floor((trusted - keepMs) / HOUR_MS) * HOUR_MS
  }
}
