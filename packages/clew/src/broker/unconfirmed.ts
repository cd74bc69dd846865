const LEAST_PLACES = 64

/**
 * What waits under numbers given in order, most of which leave in about that order: a ring of places.
 * No `Map`, for the reason that `UnderWay` is no `Set`.
 */
export class Unconfirmed<T> {
  #places: (T | undefined)[] = new Array<T | undefined>(LEAST_PLACES).fill(undefined)
  /** The oldest number that may still be waiting, and the last that was given. */
  #oldest = 1
  #latest = 0

  /** Gives the next number, from 1 on. */
  add(item: T): number {
    const number = ++this.#latest
    if (number - this.#oldest >= this.#places.length) this.#grow()
    this.#places[number & (this.#places.length - 1)] = item
    return number
  }

  /** What waits under a number, which it leaves; undefined where nothing does. */
  take(number: number): T | undefined {
    if (!(number >= this.#oldest && number <= this.#latest)) return undefined
    const place = number & (this.#places.length - 1)
    const item = this.#places[place]
    this.#places[place] = undefined
    if (number === this.#oldest) this.#skipEmpty()
    return item
  }

  /** All that waits under numbers up to one, in order; it leaves. */
  takeUpTo(number: number): T[] {
    const items: T[] = []
    for (let each = this.#oldest; each <= number && each <= this.#latest; each++) {
      const item = this.take(each)
      if (item !== undefined) items.push(item)
    }
    return items
  }

  #skipEmpty(): void {
    const mask = this.#places.length - 1
    while (this.#oldest <= this.#latest && this.#places[this.#oldest & mask] === undefined) {
      this.#oldest++
    }
  }

  #grow(): void {
    const before = this.#places
    this.#places = new Array<T | undefined>(before.length * 2).fill(undefined)
    for (let number = this.#oldest; number < this.#latest; number++) {
      this.#places[number & (this.#places.length - 1)] = before[number & (before.length - 1)]
    }
  }
}
