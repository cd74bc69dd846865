/** Kinds told apart; what is of more kinds is one, and is counted. */
const MOST_KINDS = 1_000
const OTHERS = '(others)'

/** Sums by kind, of a bounded number of kinds. */
export class Counted<About extends { readonly service: string; readonly method: string }, Sum> {
  readonly #make: () => Sum
  readonly #kinds = new Map<string, readonly [About, Sum]>()
  /** How often something was of a kind too many. */
  left = 0

  constructor(make: () => Sum) {
    this.#make = make
  }

  /** The sum of a kind, to be added to. */
  at(key: string, about: About): Sum {
    const known = this.#kinds.get(key)
    if (known !== undefined) return known[1]
    if (this.#kinds.size >= MOST_KINDS && key !== OTHERS) {
      this.left++
      return this.at(OTHERS, { ...about, service: OTHERS, method: '' })
    }
    const sum = this.#make()
    this.#kinds.set(key, [about, sum])
    return sum
  }

  all(): readonly (readonly [About, Sum])[] {
    return [...this.#kinds.values()]
  }
}
