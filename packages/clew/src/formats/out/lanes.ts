/** A slice of a track, in any unit of time. */
interface Open {
  readonly slice: object
  readonly to: number
}

interface Lane {
  readonly number: number
  /** What lies around the place where the next slice goes, the innermost last. */
  readonly open: Open[]
  /** When the outermost ends. */
  freeFrom: number
}

/**
 * Gives the slices of one process lanes, so that within a lane a slice lies either wholly inside
 * another, which is above it in the call tree, or apart from it. Slices come in order of their beginning.
 */
export class Lanes {
  #count = 0
  readonly #laneOf = new Map<object, Lane>()
  /** A heap of all lanes, the one that is free first on top. */
  readonly #heap: Lane[] = []

  get count(): number {
    return this.#count
  }

  /** @param parent the slice that it may lie inside of, when it is of this process */
  place(slice: object, parent: object | undefined, from: number, to: number): number {
    const near = parent === undefined ? undefined : this.#laneOf.get(parent)
    if (near !== undefined) {
      close(near, from)
      const around = near.open.at(-1)
      if (around !== undefined && around.slice === parent && to <= around.to) {
        near.open.push({ slice, to })
        this.#laneOf.set(slice, near)
        return near.number
      }
    }
    const lane = this.#freeLane(from)
    lane.open.length = 0
    lane.open.push({ slice, to })
    lane.freeFrom = to
    this.#sink(lane)
    this.#laneOf.set(slice, lane)
    return lane.number
  }

  #freeLane(from: number): Lane {
    const first = this.#heap[0]
    if (first !== undefined && first.freeFrom <= from) return first
    const lane = { number: ++this.#count, open: [], freeFrom: Number.NEGATIVE_INFINITY }
    this.#heap.push(lane)
    this.#rise()
    return lane
  }

  /** A new lane is free first of all. */
  #rise(): void {
    const heap = this.#heap
    let at = heap.length - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      ;[heap[at], heap[above]] = [heap[above]!, heap[at]!]
      at = above
    }
  }

  /** The lane on top is taken for longer now. */
  #sink(lane: Lane): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let least = at * 2 + 1
      if (least >= heap.length) return
      if (least + 1 < heap.length && heap[least + 1]!.freeFrom < heap[least]!.freeFrom) least++
      if (heap[least]!.freeFrom >= lane.freeFrom) return
      heap[at] = heap[least]!
      heap[least] = lane
      at = least
    }
  }
}

function close({ open }: Lane, from: number): void {
  while (open.length > 0 && open.at(-1)!.to <= from) open.pop()
}
