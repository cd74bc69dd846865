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
  readonly #watched = new Set<Expiring>()
  #timer: NodeJS.Timeout | undefined

  watch(expiring: Expiring): void {
    this.#watched.add(expiring)
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  forget(expiring: Expiring): void {
    this.#watched.delete(expiring)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#watched.clear()
  }

  #tick(): void {
    const now = performance.now()
    for (const expiring of this.#watched) {
      if (expiring.deadline <= now) {
        this.#watched.delete(expiring)
        expiring.expire()
      }
    }
    if (this.#watched.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }
}
