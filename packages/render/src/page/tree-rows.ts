import type { Calls } from './calls.ts'

/** Which rows are shown when some are closed: those whose callers are all open. */
export class TreeRows {
  readonly #calls: Pick<Calls, 'rows' | 'end' | 'parent'>
  readonly #closed = new Set<number>()
  #shown: Int32Array | undefined

  constructor(calls: Pick<Calls, 'rows' | 'end' | 'parent'>) {
    this.#calls = calls
  }

  get shown(): Int32Array {
    if (this.#shown !== undefined) return this.#shown
    const { rows, end } = this.#calls
    const shown = new Int32Array(rows)
    let count = 0
    for (let row = 0; row < rows; row = this.#closed.has(row) ? end[row]! : row + 1) {
      shown[count++] = row
    }
    this.#shown = shown.subarray(0, count)
    return this.#shown
  }

  isOpen(row: number): boolean {
    return !this.#closed.has(row)
  }

  toggle(row: number): void {
    if (this.#calls.end[row]! <= row + 1) return
    if (!this.#closed.delete(row)) this.#closed.add(row)
    this.#shown = undefined
  }

  /** Opens whatever hides a row. */
  openTo(row: number): void {
    for (let at = this.#calls.parent[row] ?? -1; at >= 0; at = this.#calls.parent[at]!) {
      if (this.#closed.delete(at)) this.#shown = undefined
    }
  }

  /** Where a row stands among those shown; -1 where it is hidden. */
  indexOf(row: number): number {
    const { shown } = this
    let [low, high] = [0, shown.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (shown[middle]! < row) low = middle + 1
      else high = middle
    }
    return shown[low] === row ? low : -1
  }
}
