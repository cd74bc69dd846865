import type { Problem } from '../../call/index.ts'
import type { Refusal, RefusalCode } from './refusal.ts'

/** Refusals of one kind are told at most this often, so that nobody can flood the log from outside. */
const QUIET_MS = 10_000

/** Tells refused grants to the log, within bounds. */
export class Refusals {
  readonly #untold = new Map<RefusalCode, number>()
  readonly #told = new Map<RefusalCode, number>()
  #tell: (problem: Problem) => void = () => {}

  use(tell: (problem: Problem) => void): void {
    this.#tell = tell
  }

  take({ code, reason }: Refusal, service: string): void {
    const now = performance.now()
    const more = this.#untold.get(code) ?? 0
    if (now - (this.#told.get(code) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) {
      this.#untold.set(code, more + 1)
      return
    }
    this.#told.set(code, now)
    this.#untold.delete(code)
    const others = more === 0 ? '' : `; ${more} more of this kind since it was last told`
    const message = `a grant for ${service} was refused (${code}): ${reason}${others}`
    try {
      this.#tell({ kind: 'grant_refused', message })
    } catch {
      // The log's own affair.
    }
  }
}
