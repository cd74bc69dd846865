import { type Place, UnderWay } from './under-way.ts'

/** Something that must end by a certain time. */
export interface Expiring {
  /** On the clock of `performance.now()`. */
  readonly deadline: number
  expire(): void
}

const TICK_MS = 25

/**
 * Ends what is under way when its deadline has passed, at most 25 ms late. One ticking timer for all that a
 * container or a connection watches: a timer for each call costs more than looking through them.
 */
export class Deadlines {
  readonly #watched = new UnderWay<Expiring>()
  readonly #keepsAlive: boolean
  #timer: NodeJS.Timeout | undefined

  /** @param keepsAlive whether the process stays while something is watched */
  constructor(keepsAlive: boolean) {
    this.#keepsAlive = keepsAlive
  }

  /** Watches until the place that it gives is left. */
  watch(expiring: Expiring): Place<Expiring> {
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS)
      if (!this.#keepsAlive) this.#timer.unref()
    }
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
