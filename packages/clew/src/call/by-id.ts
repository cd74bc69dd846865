const LEAST_BUCKETS = 256

/** Somebody who waits, as `add` gives it and `delete` takes it. */
export interface Waiting<T> {
  readonly id: string
  readonly value: T
  readonly hash: number
  next: Waiting<T> | undefined
}

/**
 * What waits under an id of ours for a moment, such as a call for its reply. No `Map`, for the reason
 * that `UnderWay` is no `Set`.
 */
export class ById<T> {
  #buckets: (Waiting<T> | undefined)[] = empty(LEAST_BUCKETS)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: string): T | undefined {
    let entry = this.#buckets[hashOf(id) & (this.#buckets.length - 1)]
    while (entry !== undefined && entry.id !== id) entry = entry.next
    return entry?.value
  }

  has(id: string): boolean {
    return this.get(id) !== undefined
  }

  /** @param id of nobody who waits already */
  add(id: string, value: T): Waiting<T> {
    if (++this.#size > this.#buckets.length) this.#grow()
    const hash = hashOf(id)
    const bucket = hash & (this.#buckets.length - 1)
    const entry: Waiting<T> = { id, value, hash, next: this.#buckets[bucket] }
    this.#buckets[bucket] = entry
    return entry
  }

  /** Does nothing where it does not wait any more. */
  delete(entry: Waiting<T>): void {
    const bucket = entry.hash & (this.#buckets.length - 1)
    let before: Waiting<T> | undefined
    let each = this.#buckets[bucket]
    while (each !== undefined && each !== entry) {
      before = each
      each = each.next
    }
    if (each === undefined) return
    if (before === undefined) this.#buckets[bucket] = entry.next
    else before.next = entry.next
    // What has gone must lead nowhere: the collector of young objects takes what is old for alive.
    entry.next = undefined
    this.#size--
  }

  /** All of them as they are now. */
  values(): T[] {
    const values: T[] = []
    for (let entry of this.#buckets) {
      for (; entry !== undefined; entry = entry.next) values.push(entry.value)
    }
    return values
  }

  #grow(): void {
    const all = this.#buckets
    this.#buckets = empty(all.length * 2)
    for (let entry of all) {
      while (entry !== undefined) {
        const { next } = entry
        const bucket = entry.hash & (this.#buckets.length - 1)
        entry.next = this.#buckets[bucket]
        this.#buckets[bucket] = entry
        entry = next
      }
    }
    all.length = 0
  }
}

function empty<T>(buckets: number): (Waiting<T> | undefined)[] {
  return new Array<Waiting<T> | undefined>(buckets).fill(undefined)
}

/** Our ids are random to their ends. */
function hashOf(id: string): number {
  let hash = 0
  for (let at = Math.max(0, id.length - 8); at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x9e3779b1)
  }
  return hash ^ (hash >>> 15)
}
