import { type Interval, intervalOf, seeded } from './chance.ts'
import type { Kind } from './sides.ts'
import { criticalMsOf, type TraceProfile } from './trace-profile.ts'

/**
 * Which requests a difference is told of. `median`: the middle half of each kind, by how long they
 * took; `p95`: the slowest tenth; `mean`: all.
 */
export type Window = 'median' | 'p95' | 'mean'

const WINDOWS: Readonly<Record<Window, readonly [from: number, to: number]>> = {
  median: [0.25, 0.75],
  p95: [0.9, 1],
  mean: [0, 1],
}
const NAMES = Object.keys(WINDOWS) as readonly Window[]

/** A difference, what it is made of, and how sure that is. */
export interface Explained {
  readonly window: Window
  readonly beforeMs: number
  readonly afterMs: number
  readonly deltaMs: Interval & { readonly ms: number }
  /** Of every group of paths that was asked about, in milliseconds and as a share of the whole. */
  readonly groups: readonly {
    readonly ms: number
    readonly deltaMs: Interval
    readonly share: Interval
  }[]
}

const DRAWS = 200

/**
 * What groups of paths contribute to the difference between two sides. Critical times add up to the
 * total of each request, so what the groups and the rest contribute adds up to the difference. How
 * sure that is comes from 200 samples of both sides drawn again (bootstrap).
 * @param groups paths that are asked about together
 */
export function explain(kinds: readonly Kind[], groups: readonly ReadonlySet<number>[]): Explained {
  const width = groups.length + 1
  const rows = kinds.map(({ weight, before, after }) => ({
    weight,
    before: rowsOf(before, groups),
    after: rowsOf(after, groups),
  }))
  const measure = (lot: (() => number) | undefined): Record<Window, Means> => {
    const found = { median: means(width), p95: means(width), mean: means(width) }
    for (const { weight, before, after } of rows) {
      for (const [side, list] of [
        ['before', before],
        ['after', after],
      ] as const) {
        const drawn = draw(list.length / width, lot)
        for (const name of NAMES) addWindow(found[name][side], list, drawn, { weight, name })
      }
    }
    return found
  }
  const found = measure(undefined)
  const lot = seeded(3)
  const draws = Array.from({ length: DRAWS }, () => measure(lot))
  const window = chosen(found, draws)
  const delta = (from: Record<Window, Means>, column: number) =>
    from[window].after[column]! - from[window].before[column]!
  return {
    window,
    beforeMs: found[window].before[0]!,
    afterMs: found[window].after[0]!,
    deltaMs: { ms: delta(found, 0), ...intervalOf(draws.map((each) => delta(each, 0))) },
    groups: groups.map((_, index) => ({
      ms: delta(found, index + 1),
      deltaMs: intervalOf(draws.map((each) => delta(each, index + 1))),
      share: intervalOf(draws.map((each) => delta(each, index + 1) / delta(each, 0))),
    })),
  }
}

interface Means {
  readonly before: Float64Array
  readonly after: Float64Array
}

const means = (width: number): Means => ({
  before: new Float64Array(width),
  after: new Float64Array(width),
})

/** Per trace, the quickest first: its total and what each group spent of it. */
function rowsOf(
  profiles: readonly TraceProfile[],
  groups: readonly ReadonlySet<number>[],
): Float64Array {
  const columns = new Map<number, number[]>()
  for (const [index, paths] of groups.entries()) {
    for (const path of paths) columns.set(path, [...(columns.get(path) ?? []), index + 1])
  }
  const width = groups.length + 1
  const rows = new Float64Array(profiles.length * width)
  const sorted = profiles.toSorted((a, b) => a.totalMs - b.totalMs)
  for (const [index, { totalMs, uses }] of sorted.entries()) {
    rows[index * width] = totalMs
    for (const use of uses) {
      for (const column of columns.get(use.path) ?? []) {
        rows[index * width + column]! += criticalMsOf(use)
      }
    }
  }
  return rows
}

/** How often each of so many traces is drawn; once where nothing is left to chance. */
function draw(count: number, lot: (() => number) | undefined): Uint32Array {
  const drawn = new Uint32Array(count)
  if (lot === undefined) return drawn.fill(1)
  for (let again = 0; again < count; again++) drawn[Math.floor(lot() * count)]!++
  return drawn
}

/** Adds the weighted mean of the rows between two ranks. */
function addWindow(
  sums: Float64Array,
  rows: Float64Array,
  drawn: Uint32Array,
  { weight, name }: { readonly weight: number; readonly name: Window },
): void {
  const [from, to] = WINDOWS[name]
  const count = drawn.length
  // At least one trace is looked at, however few there are.
  const least = Math.min(from * count, count - 1)
  const most = Math.max(to * count, least + 1)
  const width = sums.length
  const per = weight / (most - least)
  let rank = 0
  for (let index = 0; index < count && rank < most; index++) {
    const next = rank + drawn[index]!
    const part = Math.min(next, most) - Math.max(rank, least)
    rank = next
    if (part <= 0) continue
    const at = index * width
    for (let column = 0; column < width; column++) sums[column]! += part * per * rows[at + column]!
  }
}

/** The median where it differs for sure and tells of the most of it, else the tail, else the mean. */
function chosen(found: Record<Window, Means>, draws: readonly Record<Window, Means>[]): Window {
  const delta = (from: Record<Window, Means>, name: Window) =>
    from[name].after[0]! - from[name].before[0]!
  const mean = Math.abs(delta(found, 'mean'))
  const sure = (name: Window) => {
    const { low, high } = intervalOf(draws.map((each) => delta(each, name)))
    return low > 0 || high < 0
  }
  if (sure('median') && Math.abs(delta(found, 'median')) >= 0.5 * mean) return 'median'
  return sure('p95') ? 'p95' : sure('mean') ? 'mean' : 'median'
}
