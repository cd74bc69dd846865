/** Somebody's place among those that are under way. */
export class Place<T> {
  item: T | undefined
  before: Place<T> | undefined
  after: Place<T> | undefined

  constructor(item: T | undefined) {
    this.item = item
  }

  /** False when whoever had it has left. */
  get taken(): boolean {
    return this.before !== undefined
  }

  /** Leaves. @returns false when it had left before */
  leave(): boolean {
    const { before, after } = this
    if (before === undefined || after === undefined) return false
    before.after = after
    after.before = before
    // What has left must lead nowhere: the collector of young objects takes what is old for alive.
    this.item = undefined
    this.before = undefined
    this.after = undefined
    return true
  }
}

/**
 * What is under way for a moment: a linked list. A `Set` that grows and shrinks with every batch
 * leaves tables behind which lead from one to the next; once the collector of young objects has passed
 * one on, all that was ever in the later ones is kept until the whole heap is looked through. A third
 * of what a call allocates outlived it so.
 */
export class UnderWay<T> implements Iterable<T> {
  /** Nobody's place, between the latest and the oldest. */
  readonly #ends = new Place<T>(undefined)

  constructor() {
    this.#ends.before = this.#ends
    this.#ends.after = this.#ends
  }

  /** Gives the place that whoever is added leaves again. */
  add(item: T): Place<T> {
    const place = new Place(item)
    const latest = this.#ends.before!
    place.before = latest
    place.after = this.#ends
    latest.after = place
    this.#ends.before = place
    return place
  }

  get isEmpty(): boolean {
    return this.#ends.after === this.#ends
  }

  /** Makes those leave that are meant, and gives them, the oldest first. */
  take(isMeant: (item: T) => boolean): T[] {
    const taken: T[] = []
    for (let place = this.#ends.after!; place !== this.#ends; ) {
      const { item, after } = place
      if (isMeant(item as T)) {
        place.leave()
        taken.push(item as T)
      }
      place = after!
    }
    return taken
  }

  /** Those that are under way now, the oldest first. */
  [Symbol.iterator](): Iterator<T> {
    const items: T[] = []
    for (let place = this.#ends.after!; place !== this.#ends; place = place.after!) {
      items.push(place.item as T)
    }
    return items.values()
  }
}
