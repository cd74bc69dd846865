import { type Bounds, DRIFT, either, GRAIN_MS, UNKNOWN } from './bounds.ts'

/** The tightest bounds that calls of a short time gave, and when. */
interface Cell {
  readonly index: number
  leastMs: number
  leastAt: number
  mostMs: number
  mostAt: number
}

/** Cells without a step between them. */
interface Stretch {
  from: number
  /** The last one, included. */
  to: number
}

/** Cells of one pair; where there would be more, they become wider. */
export const MOST_CELLS = 256

/**
 * What calls between two hosts tell of their clocks over time. Each bound holds at its own moment and
 * loosens with the distance from it by what clocks drift at most. Bounds that contradict each other
 * even so tell that a clock was set: what was found on one side of that does not count on the other,
 * and of the time in which it may have happened only what holds on both sides.
 */
export class PairClocks {
  #cells = new Map<number, Cell>()
  /** In order of time, and what lies between steps; made when asked for. */
  #order: readonly Cell[] | undefined
  #stretches: readonly Stretch[] = []

  get size(): number {
    return this.#cells.size
  }

  /** How often a clock was set, as far as that shows. */
  get steps(): number {
    return Math.max(0, this.#inOrder() - 1)
  }

  add({ leastMs, mostMs }: Bounds, at: number, widthMs: number): void {
    this.#order = undefined
    const cell: Cell = {
      ...{ index: Math.floor(at / widthMs), leastMs, leastAt: at, mostMs, mostAt: at },
    }
    this.#put(cell)
  }

  #put(cell: Cell): void {
    const known = this.#cells.get(cell.index)
    if (known === undefined) {
      this.#cells.set(cell.index, cell)
      return
    }
    if (cell.leastMs > known.leastMs) {
      known.leastMs = cell.leastMs
      known.leastAt = cell.leastAt
    }
    if (cell.mostMs < known.mostMs) {
      known.mostMs = cell.mostMs
      known.mostAt = cell.mostAt
    }
  }

  /** Makes cells twice as wide. */
  widen(): void {
    const cells = this.#cells
    this.#cells = new Map()
    this.#order = undefined
    for (const cell of cells.values()) this.#put({ ...cell, index: Math.floor(cell.index / 2) })
  }

  /** What is known at a moment, in cells of a width. */
  at(time: number, widthMs: number): Bounds {
    const index = Math.floor(time / widthMs)
    this.#inOrder()
    let before: Stretch | undefined
    let after: Stretch | undefined
    for (const stretch of this.#stretches) {
      if (this.#order![stretch.from]!.index <= index) before = stretch
      else {
        after = stretch
        break
      }
    }
    if (before === undefined) {
      // What contradicts itself at the edge tells that a clock was set just then.
      return after === undefined || after.from > 0 ? UNKNOWN : this.#cone(after, time)
    }
    if (index <= this.#order![before.to]!.index) return this.#cone(before, time)
    if (after !== undefined) return either(this.#cone(before, time), this.#cone(after, time))
    return before.to < this.#order!.length - 1 ? UNKNOWN : this.#cone(before, time)
  }

  #cone({ from, to }: Stretch, time: number): Bounds {
    let [leastMs, mostMs] = [-Infinity, Infinity]
    for (let at = from; at <= to; at++) {
      const cell = this.#order![at]!
      leastMs = Math.max(leastMs, cell.leastMs - DRIFT * Math.abs(time - cell.leastAt))
      mostMs = Math.min(mostMs, cell.mostMs + DRIFT * Math.abs(time - cell.mostAt))
    }
    return { leastMs, mostMs }
  }

  /** Puts cells in order and finds the steps. */
  #inOrder(): number {
    if (this.#order === undefined) {
      this.#order = [...this.#cells.values()].sort((a, b) => a.index - b.index)
      this.#stretches = stretchesOf(this.#order)
    }
    return this.#stretches.length
  }
}

function stretchesOf(order: readonly Cell[]): readonly Stretch[] {
  const first = order[0]
  if (order.length === 1 && first !== undefined && !differ(first, first))
    return [{ from: 0, to: 0 }]
  const found: Stretch[] = []
  let current: Stretch | undefined
  let sum: Cell | undefined
  for (const [at, cell] of order.entries()) {
    if (differ(cell, cell)) {
      current = undefined
      continue
    }
    if (current === undefined || differ(sum!, cell)) {
      current = { from: at, to: at }
      found.push(current)
      sum = { ...cell }
    } else {
      current.to = at
      tighten(sum!, cell)
    }
  }
  // What came just before a step shows may have come after the step: it agrees with both sides.
  for (let rank = found.length - 1; rank > 0; rank--) {
    const [earlier, stretch] = [found[rank - 1]!, found[rank]!]
    if (earlier.to !== stretch.from - 1) continue
    const later = { ...order[stretch.from]! }
    for (let at = stretch.from + 1; at <= stretch.to; at++) tighten(later, order[at]!)
    while (earlier.to > earlier.from && !differ(later, order[earlier.to]!)) earlier.to--
  }
  return found
}

/** True when both cannot be of clocks that only drift. */
function differ(one: Cell, other: Cell): boolean {
  const apart = (least: Cell, most: Cell) =>
    least.leastMs - most.mostMs > DRIFT * Math.abs(least.leastAt - most.mostAt) + GRAIN_MS
  return apart(one, other) || apart(other, one)
}

/** Takes the bounds that are tighter at the moment of the cell. */
function tighten(sum: Cell, cell: Cell): void {
  if (cell.leastMs >= sum.leastMs - DRIFT * Math.abs(cell.leastAt - sum.leastAt)) {
    sum.leastMs = cell.leastMs
    sum.leastAt = cell.leastAt
  }
  if (cell.mostMs <= sum.mostMs + DRIFT * Math.abs(cell.mostAt - sum.mostAt)) {
    sum.mostMs = cell.mostMs
    sum.mostAt = cell.mostAt
  }
}

export const loosened = ({ leastMs, mostMs }: Bounds, byMs: number): Bounds => ({
  leastMs: leastMs - byMs,
  mostMs: mostMs + byMs,
})
