/** How often something may happen: so many times a second, and as many at once after a quiet second. */
export class Allowance {
  readonly #perSecond: number
  #left: number
  #atMs = performance.now()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
  }

  /** True when it may happen now, and then it counts. */
  take(): boolean {
    const now = performance.now()
    const more = ((now - this.#atMs) / 1000) * this.#perSecond
    this.#left = Math.min(this.#perSecond, this.#left + more)
    this.#atMs = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
