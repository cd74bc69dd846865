/**
 * Bytes that may be held at a time, by all who share it. Whoever needs more than is left waits in order;
 * what is larger than all of it is let in alone.
 */
export class Room {
  readonly #bytes: number
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = []
  #held = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Works while that many bytes are held. */
  async hold<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((go) => this.#waiting.push({ bytes, go }))
    } else this.#held += bytes
    try {
      return await work()
    } finally {
      this.#held -= bytes
      this.#next()
    }
  }

  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#bytes
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#fits(first.bytes)) return
      this.#held += first.bytes
      this.#waiting.shift()
      first.go()
    }
  }
}
