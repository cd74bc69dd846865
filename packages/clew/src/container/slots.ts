/** Somebody in line. */
export interface InLine {
  /** Resolves when a place has become free and is taken, or after `leave`. */
  readonly over: Promise<void>
  /** False when a place is taken already. */
  leave(): boolean
}

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

  /** Waits in line for a place. */
  wait(): InLine {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const leave = () => {
      const at = this.#waiting.indexOf(resolve)
      if (at < 0) return false
      this.#waiting.splice(at, 1)
      resolve()
      return true
    }
    return { over: promise, leave }
  }

  free(): void {
    const next = this.#waiting.shift()
    // The place goes to the next in line without ever being free.
    if (next === undefined) this.#taken--
    else next()
  }
}
