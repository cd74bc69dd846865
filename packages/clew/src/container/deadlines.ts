import { type Place, UnderWay } from '../call/index.ts'

/** Something that must end by a certain time. */
export interface Expiring {
  /** On the clock of `performance.now()`. */
  readonly deadline: number
  expire(): void
}

const TICK_MS = 25

/**
 * Ends workers whose deadline has passed, at most 25 ms late. One ticking timer for all of a
 * container's workers: there are few of them, and a timer for each call costs more than the scan.
 */
export class Deadlines {
  readonly #watched = new UnderWay<Expiring>()
  #timer: NodeJS.Timeout | undefined

  /** Watches until the place that it gives is left. */
  watch(expiring: Expiring): Place<Expiring> {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
    return this.#watched.add(expiring)
  }

  close(): void {
    this.#stopTicking()
    this.#watched.take(() => true)
  }

  #stopTicking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = performance.now()
    for (const expiring of this.#watched.take(({ deadline }) => deadline <= now)) expiring.expire()
    if (this.#watched.isEmpty) this.#stopTicking()
  }
}
