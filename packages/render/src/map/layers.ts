/** A line of a layered drawing, from one place to another by their numbers. */
export interface Line {
  readonly from: number
  readonly to: number
}

/** Stops that are moved in all sweeps together. */
export const BUDGET = 40_000

/** Which lines would go back (depth first from what nothing leads to), and the column of each place. */
export function layersOf(
  count: number,
  lines: readonly Line[],
): { readonly back: readonly boolean[]; readonly layers: readonly number[] } {
  const out: number[][] = Array.from({ length: count }, () => [])
  const entering = new Array<number>(count).fill(0)
  for (const [index, { from, to }] of lines.entries()) {
    if (from === to) continue
    out[from]!.push(index)
    entering[to]!++
  }
  const back = lines.map(({ from, to }) => from === to)
  // 0 not seen, 1 on the way, 2 done.
  const state = new Array<number>(count).fill(0)
  const starts = Array.from({ length: count }, (_, index) => index)
  starts.sort((a, b) => Number(entering[a]! > 0) - Number(entering[b]! > 0) || a - b)
  const done: number[] = []
  for (const start of starts) {
    if (state[start] !== 0) continue
    const way = [{ at: start, next: 0 }]
    state[start] = 1
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const index = out[top.at]![top.next++]
      if (index === undefined) {
        state[top.at] = 2
        done.push(top.at)
        way.pop()
        continue
      }
      const { to } = lines[index]!
      if (state[to] === 1) back[index] = true
      else if (state[to] === 0) {
        state[to] = 1
        way.push({ at: to, next: 0 })
      }
    }
  }
  // The longest way from a beginning, in the order in which nothing comes before what leads to it.
  const layers = new Array<number>(count).fill(0)
  const before: number[][] = Array.from({ length: count }, () => [])
  for (const [index, { from, to }] of lines.entries()) {
    if (from === to) continue
    if (back[index]) before[from]!.push(to)
    else before[to]!.push(from)
  }
  for (const at of done.toReversed()) {
    for (const from of before[at]!) layers[at] = Math.max(layers[at]!, layers[from]! + 1)
  }
  return { back, layers }
}

/**
 * The order within each column: places go to the middle of what they are joined to in the column
 * beside, back and forth; the order with fewest crossings is kept.
 * @param columns changed in place
 */
export function reduceCrossings(
  columns: number[][],
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): void {
  const position: number[] = []
  const settle = (column: readonly number[]) => {
    for (const [index, at] of column.entries()) position[at] = index
  }
  columns.forEach(settle)
  let best = columns.map((column) => [...column])
  let least = crossings(columns, after, position)
  const wishes: number[] = []
  // Drawings of thousands of stops are no clearer for a few crossings less.
  const sweeps = Math.min(12, Math.max(2, Math.floor(BUDGET / Math.max(1, position.length))))
  for (let sweep = 0; sweep < sweeps && least > 0; sweep++) {
    const down = sweep % 2 === 0
    const order = down ? columns : columns.toReversed()
    const joined = down ? before : after
    for (const column of order) {
      for (const [index, at] of column.entries()) {
        const others = joined[at]!
        let sum = 0
        for (const other of others) sum += position[other]!
        wishes[at] = others.length === 0 ? index : sum / others.length
      }
      column.sort((a, b) => wishes[a]! - wishes[b]! || position[a]! - position[b]!)
      settle(column)
    }
    const now = crossings(columns, after, position)
    if (now >= least) continue
    least = now
    best = columns.map((column) => [...column])
  }
  for (const [index, column] of best.entries()) columns[index] = column
}

/** How many pairs of lines between neighbouring columns cross: inversions, counted in a Fenwick tree. */
function crossings(
  columns: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
  position: readonly number[],
): number {
  let count = 0
  for (const [index, column] of columns.entries()) {
    const size = columns[index + 1]?.length ?? 0
    const sums = new Array<number>(size + 1).fill(0)
    let seen = 0
    for (const at of column) {
      const ends = after[at]!.map((other) => position[other]!)
      for (const end of ends) {
        let upTo = 0
        for (let place = end + 1; place > 0; place -= place & -place) upTo += sums[place]!
        count += seen - upTo
      }
      for (const end of ends) {
        for (let place = end + 1; place <= size; place += place & -place) sums[place]!++
        seen++
      }
    }
  }
  return count
}

/**
 * Positions in a given order, each at least a distance from the one before, as near as can be to
 * where each would like to be (least squares, by pooling neighbours that push each other).
 * @param gaps distance of each from the one before; the first is not looked at
 */
export function spread(wishes: readonly number[], gaps: readonly number[]): readonly number[] {
  let offset = 0
  const offsets = wishes.map((_, index) => {
    if (index > 0) offset += gaps[index]!
    return offset
  })
  const pools: { sum: number; count: number }[] = []
  for (const [index, wish] of wishes.entries()) {
    let pool = { sum: wish - offsets[index]!, count: 1 }
    for (let last = pools.at(-1); last !== undefined; last = pools.at(-1)) {
      if (last.sum / last.count < pool.sum / pool.count) break
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count }
      pools.pop()
    }
    pools.push(pool)
  }
  const placed: number[] = []
  for (const { sum, count } of pools) {
    for (let index = 0; index < count; index++) placed.push(sum / count + offsets[placed.length]!)
  }
  return placed
}
