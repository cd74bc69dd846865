/** A fixed number of places for workers; who finds none waits in line. */
export class Slots {
  readonly #size: number
  #taken = 0
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  get full(): boolean {
    return this.#taken >= this.#size
  }

  /** True when a place was free and is now taken. */
  tryTake(): boolean {
    if (this.full) return false
    this.#taken++
    return true
  }

  /** Resolves when a place has become free and is taken. */
  take(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  free(): void {
    const next = this.#waiting.shift()
    // The place goes to the next in line without ever being free.
    if (next === undefined) this.#taken--
    else next()
  }
}
