import type { LoadWindow, LoadWindows } from './load-windows.ts'

/** Neighbouring windows as one, and what was in flight in it. */
export interface LoadSlice {
  readonly window: LoadWindow
  readonly seconds: number
  /** Nothing before or after it was cut off. */
  readonly whole: boolean
  /** Milliseconds that its requests took together within it, and calls by their pair. */
  readonly area: number
  readonly pairAreas: ReadonlyMap<number, number>
}

/** Requests that make the rate of a window known well enough: within a sixth, mostly. */
const USUAL_REQUESTS = 40
/** So few slices are not merged for the sake of that. */
const FEWEST_SLICES = 12
/** What is left of a slice at the edge of a gap has to be so much of it. */
const LEAST_OF_SLICE = 0.3

export const MOST_BANDS = 8
const FEWEST_IN_BAND = 30
/** Bands apart by less than three standard deviations, or than halves of one load are, are one. */
const LEAST_DISTANCE = 9
const LEAST_DISTANCE_EACH = 1.2

/** The windows in order, wide enough for their rates to mean something. */
export function slicesOf(windows: LoadWindows): readonly LoadSlice[] {
  let factor = 1
  let merged = windows.merged(1)
  while (merged.length > FEWEST_SLICES && medianRequests(merged) < USUAL_REQUESTS) {
    factor *= 2
    merged = windows.merged(factor)
  }
  const widthMs = windows.widthMs * factor
  const carried = new Map<number, number>()
  let carry = 0
  return merged.map(([index, window], at) => {
    const [fromMs, untilMs] = [index * widthMs, (index + 1) * widthMs]
    const area = carry * widthMs + window.flow.areaUntil(untilMs)
    carry += window.flow.starts - window.flow.ends
    const pairAreas = new Map<number, number>()
    for (const [pair, open] of carried) pairAreas.set(pair, open * widthMs)
    for (const [pair, { flow }] of window.pairs) {
      pairAreas.set(pair, (pairAreas.get(pair) ?? 0) + flow.areaUntil(untilMs))
      carried.set(pair, (carried.get(pair) ?? 0) + flow.starts - flow.ends)
    }
    // The load began and ended within a window, mostly: its rate is that of the time in between.
    const begins = merged[at - 1]?.[0] !== index - 1
    const ends = merged[at + 1]?.[0] !== index + 1
    const from = begins ? Math.max(fromMs, Math.min(window.firstMs, untilMs)) : fromMs
    const to = ends ? Math.max(from, Math.min(window.lastMs, untilMs)) : untilMs
    // One alone has no time between: it is as if it had the window for itself.
    const seconds = (to - from > 0 ? to - from : widthMs) / 1000
    return { window, seconds, whole: !begins && !ends, area, pairAreas }
  })
}

/** Slices in which enough of their time was load. */
export function loadedSlices(slices: readonly LoadSlice[], widest: number): readonly LoadSlice[] {
  const loaded = slices.filter(({ window }) => window.flow.starts > 0)
  const whole = loaded.filter(({ seconds }) => seconds >= widest * LEAST_OF_SLICE)
  return whole.length >= 2 ? whole : loaded
}

export const rateOf = ({ window, seconds }: LoadSlice) => window.flow.starts / seconds
export const inFlightOf = ({ area, seconds }: LoadSlice) => Math.max(0, area) / (seconds * 1000)

/** With arrivals at random the square root of a rate has the variance 1/(4T). */
export const rateScale = (slice: LoadSlice) => Math.sqrt(rateOf(slice))
/** What is in flight multiplies near the limit; three makes doubling it in ten seconds no chance. */
export const inFlightScale = (slice: LoadSlice) => 3 * Math.log1p(inFlightOf(slice))

interface Group {
  readonly slices: readonly LoadSlice[]
  readonly seconds: number
  readonly requests: number
  /** Sum of the loads on their scale, each as long as it lasted. */
  readonly sum: number
}

/**
 * Slices of about the same load together, the least load first. The closest two become one until there
 * are at most eight, each with thirty requests at least, and none is chance.
 * @param scaleOf a load on a scale on which it is as uncertain everywhere: `rateScale`, `inFlightScale`
 */
export function bandsOf(
  slices: readonly LoadSlice[],
  scaleOf: (slice: LoadSlice) => number,
): readonly (readonly LoadSlice[])[] {
  const groups: Group[] = slices
    .map((slice) => ({ slice, load: scaleOf(slice) }))
    .sort((a, b) => a.load - b.load)
    .map(({ slice, load }) => ({
      slices: [slice],
      seconds: slice.seconds,
      requests: slice.window.flow.starts,
      sum: load * slice.seconds,
    }))
  while (groups.length > 1) {
    const at = closest(groups)
    if (at === undefined) break
    groups.splice(at, 2, together(groups[at]!, groups[at + 1]!))
  }
  return groups.map((group) => group.slices)
}

/** The load fell to less than this share of what it was, so a queue may be left of that. */
const FALLEN = 0.8
/** In flight so many times what is usual for the load. */
const LEFT_OVER = 3

/**
 * Bands by rate without the times in which the load had fallen and what had queued before was still there: they
 * would tell of a small load what a great one did. (Without effect where that is all there is.)
 */
export function withoutLeftOvers(
  bands: readonly (readonly LoadSlice[])[],
  inTime: readonly LoadSlice[],
): readonly (readonly LoadSlice[])[] {
  const usual = new Map<LoadSlice, number>()
  for (const band of bands) {
    const sorted = band.map(inFlightOf).sort((a, b) => a - b)
    for (const slice of band) usual.set(slice, sorted[Math.floor((sorted.length - 1) / 2)]!)
  }
  const left = new Set<LoadSlice>()
  let before: LoadSlice | undefined
  for (const slice of inTime) {
    if (before !== undefined && inFlightOf(slice) > LEFT_OVER * usual.get(slice)!) {
      if (left.has(before) || rateOf(slice) < rateOf(before) * FALLEN) left.add(slice)
    }
    before = slice
  }
  const kept = inTime.filter((slice) => !left.has(slice))
  return left.size === 0 || kept.length === 0 ? bands : bandsOf(kept, rateScale)
}

/** The first of the two groups to become one; undefined where all are far enough apart. */
function closest(groups: readonly Group[]): number | undefined {
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  let [small, nearest] = [-1, Number.POSITIVE_INFINITY]
  for (let at = 0; at + 1 < groups.length; at++) {
    const [a, b] = [groups[at]!, groups[at + 1]!]
    const distance = distanceOf(a, b)
    if (distance < least) [best, least] = [at, distance]
    const few = a.requests < FEWEST_IN_BAND || b.requests < FEWEST_IN_BAND
    if (few && distance < nearest) [small, nearest] = [at, distance]
  }
  const { slices } = groups[best]!
  const count = slices.length + groups[best + 1]!.slices.length
  if (groups.length > MOST_BANDS) return best
  if (least < Math.max(LEAST_DISTANCE, LEAST_DISTANCE_EACH * count)) return best
  return small < 0 ? undefined : small
}

/** Ward's, in variances. */
function distanceOf(a: Group, b: Group): number {
  const apart = a.sum / a.seconds - b.sum / b.seconds
  return ((4 * a.seconds * b.seconds) / (a.seconds + b.seconds)) * apart * apart
}

const together = (a: Group, b: Group): Group => ({
  slices: [...a.slices, ...b.slices],
  seconds: a.seconds + b.seconds,
  requests: a.requests + b.requests,
  sum: a.sum + b.sum,
})

function medianRequests(merged: readonly (readonly [number, LoadWindow])[]): number {
  const counts = merged.map(([, { flow }]) => flow.starts).sort((a, b) => a - b)
  return counts[Math.floor(counts.length / 2)] ?? 0
}
