/** What is to be laid out below each other: when each begins and ends, and the index of what it lies below. */
export interface Blocks {
  readonly count: number
  readonly fromOf: (index: number) => number
  readonly toOf: (index: number) => number
  /** -1 for none; always less than the index itself. */
  readonly parentOf: (index: number) => number
}

export interface Lanes {
  /** The lane of each block, 0 on top. */
  readonly lane: Int32Array
  readonly count: number
}

/**
 * Gives every block the uppermost lane that is below its parent's and free in its time, the first to
 * begin first: what went on at once lies in lanes of its own, and nothing covers anything. In n log n.
 */
export function lanesOf({ count, fromOf, toOf, parentOf }: Blocks): Lanes {
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  const from = Float64Array.from({ length: count }, (_, index) => finite(fromOf(index)))
  // A parent comes before what is below it, also where clocks say otherwise.
  for (let index = 0; index < count; index++) {
    const parent = parentOf(index)
    if (parent >= 0) from[index] = Math.max(from[index]!, from[parent]!)
  }
  order.sort((one, other) => from[one]! - from[other]! || one - other)
  const lane = new Int32Array(count)
  const free = new FirstFree(count)
  let used = 0
  for (const index of order) {
    const parent = parentOf(index)
    const below = parent >= 0 ? lane[parent]! + 1 : 0
    const found = free.firstFrom(below, finite(fromOf(index)))
    lane[index] = found
    free.take(found, Math.max(finite(toOf(index)), finite(fromOf(index))))
    used = Math.max(used, found + 1)
  }
  return { lane, count: used }
}

const finite = (value: number) => (Number.isFinite(value) ? value : 0)

/** Until when each lane is taken, in a tree whose inner places know the earliest of theirs. */
class FirstFree {
  readonly #size: number
  readonly #until: Float64Array

  constructor(lanes: number) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(2, lanes + 1)))
    this.#until = new Float64Array(this.#size * 2).fill(Number.NEGATIVE_INFINITY)
  }

  take(lane: number, until: number): void {
    let at = this.#size + lane
    this.#until[at] = Math.max(this.#until[at]!, until)
    for (at >>= 1; at >= 1; at >>= 1) {
      this.#until[at] = Math.min(this.#until[at * 2]!, this.#until[at * 2 + 1]!)
    }
  }

  /** The first lane from `lane` on that is free at a time. */
  firstFrom(lane: number, time: number): number {
    const until = this.#until
    let at = this.#size + lane
    if (until[at]! <= time) return lane
    // Up until a place to the right has a free one, then down to its first.
    while (at > 1) {
      if (at % 2 === 0 && until[at + 1]! <= time) {
        at++
        while (at < this.#size) at = until[at * 2]! <= time ? at * 2 : at * 2 + 1
        return at - this.#size
      }
      at >>= 1
    }
    return lane
  }
}
