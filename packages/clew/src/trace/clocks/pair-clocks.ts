import { type Bounds, DRIFT, either, GRAIN_MS, UNKNOWN } from './bounds.ts'

/** The tightest bounds that calls of a short time gave, and when. */
interface Cell {
  index: number
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
  /** In order of time. */
  #cells: Cell[] = []
  /** What lies between steps; found when asked for. */
  #stretches: readonly Stretch[] | undefined

  get size(): number {
    return this.#cells.length
  }

  /** How often a clock was set, as far as that shows. */
  get steps(): number {
    return Math.max(0, this.#found().length - 1)
  }

  add({ leastMs, mostMs }: Bounds, at: number, widthMs: number): void {
    const cells = this.#cells
    const index = Math.floor(at / widthMs)
    this.#stretches = undefined
    // Most calls come in order, and there are few cells.
    let place = cells.length
    while (place > 0 && cells[place - 1]!.index > index) place--
    const known = cells[place - 1]
    if (known?.index === index) narrow(known, leastMs, at, mostMs, at)
    else {
      const cell = { index, leastMs, leastAt: at, mostMs, mostAt: at }
      if (place === cells.length) cells.push(cell)
      else cells.splice(place, 0, cell)
    }
  }

  /** Makes cells twice as wide. */
  widen(): void {
    const wider: Cell[] = []
    for (const cell of this.#cells) {
      cell.index = Math.floor(cell.index / 2)
      const known = wider.at(-1)
      if (known?.index !== cell.index) wider.push(cell)
      else narrow(known, cell.leastMs, cell.leastAt, cell.mostMs, cell.mostAt)
    }
    this.#cells = wider
    this.#stretches = undefined
  }

  /** What is known at a moment, in cells of a width. */
  at(time: number, widthMs: number): Bounds {
    const index = Math.floor(time / widthMs)
    const cells = this.#cells
    let before: Stretch | undefined
    let after: Stretch | undefined
    for (const stretch of this.#found()) {
      if (cells[stretch.from]!.index <= index) before = stretch
      else {
        after = stretch
        break
      }
    }
    if (before === undefined) {
      // What contradicts itself at the edge tells that a clock was set just then.
      return after === undefined || after.from > 0 ? UNKNOWN : this.#cone(after, time)
    }
    if (index <= cells[before.to]!.index) return this.#cone(before, time)
    if (after !== undefined) return either(this.#cone(before, time), this.#cone(after, time))
    return before.to < cells.length - 1 ? UNKNOWN : this.#cone(before, time)
  }

  #cone({ from, to }: Stretch, time: number): Bounds {
    let leastMs = -Infinity
    let mostMs = Infinity
    for (let at = from; at <= to; at++) {
      const cell = this.#cells[at]!
      leastMs = Math.max(leastMs, cell.leastMs - DRIFT * Math.abs(time - cell.leastAt))
      mostMs = Math.min(mostMs, cell.mostMs + DRIFT * Math.abs(time - cell.mostAt))
    }
    return { leastMs, mostMs }
  }

  #found(): readonly Stretch[] {
    this.#stretches ??= stretchesOf(this.#cells)
    return this.#stretches
  }
}

function narrow(
  cell: Cell,
  leastMs: number,
  leastAt: number,
  mostMs: number,
  mostAt: number,
): void {
  if (leastMs > cell.leastMs) {
    cell.leastMs = leastMs
    cell.leastAt = leastAt
  }
  if (mostMs < cell.mostMs) {
    cell.mostMs = mostMs
    cell.mostAt = mostAt
  }
}

function stretchesOf(order: readonly Cell[]): readonly Stretch[] {
  const first = order[0]
  if (order.length === 1 && first !== undefined && !differ(first, first))
    return [{ from: 0, to: 0 }]
  const found: Stretch[] = []
  let current: Stretch | undefined
  let sum: Cell | undefined
  for (let at = 0; at < order.length; at++) {
    const cell = order[at]!
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
  return isApart(one, other) || isApart(other, one)
}

function isApart(least: Cell, most: Cell): boolean {
  return least.leastMs - most.mostMs > DRIFT * Math.abs(least.leastAt - most.mostAt) + GRAIN_MS
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
