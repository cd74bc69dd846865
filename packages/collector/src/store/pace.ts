import { setImmediate as turn } from 'node:timers/promises'
import { StoreError } from './store-error.ts'
import type { Effort } from './trace-store.ts'

/** Work done before others have their turn, in milliseconds. */
const TURN_MS = 8
/** Steps between two looks at the clock. */
const STEPS = 64
const USUAL_TIMEOUT_MS = 10_000

/** Lets long work in this process give way, and end when it is called off or takes too long. */
export class Pace {
  readonly #signal: AbortSignal | undefined
  readonly #timeoutMs: number
  readonly #begunMs = performance.now()
  #turnMs = this.#begunMs
  #steps = 0

  constructor({ signal, timeoutMs = USUAL_TIMEOUT_MS }: Effort) {
    this.#signal = signal
    this.#timeoutMs = timeoutMs
  }

  /** One step more; true when it is time to rest. */
  get isDue(): boolean {
    if (this.#steps++ % STEPS !== 0) return false
    return this.#steps === 1 || performance.now() - this.#turnMs >= TURN_MS
  }

  /** @throws StoreError `cancelled`, `timeout` */
  async rest(): Promise<void> {
    if (this.#steps > 1) await turn()
    if (this.#signal?.aborted) throw new StoreError('cancelled', 'whoever asked went away')
    this.#turnMs = performance.now()
    if (this.#turnMs - this.#begunMs > this.#timeoutMs) {
      throw new StoreError('timeout', `this took longer than ${this.#timeoutMs} ms`)
    }
  }
}
