import {
  type Layer,
  type LoadBand,
  type LoadBottleneck,
  type LoadReport,
  loadNumber,
  plusMinus,
  stretchesOf,
} from 'clew/trace'

/** A point of the picture. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A part's share over the load. */
export interface Area {
  readonly service: string
  readonly layer: Layer | undefined
  readonly name: string
  readonly top: readonly Point[]
  readonly bottom: readonly Point[]
}

export interface RibbonPiece {
  readonly x: number
  readonly width: number
  readonly bottleneck: LoadBottleneck
}

export interface Line {
  readonly name: string
  readonly role: 'p50' | 'p99' | 'wait'
  readonly points: readonly Point[]
}

export interface AxisTick {
  readonly at: number
  readonly label: string
}

/** Where everything lies; `y` of each panel counts from its own top. */
export interface LoadChart {
  readonly left: number
  readonly right: number
  readonly areas: readonly Area[]
  readonly ribbon: readonly RibbonPiece[]
  readonly lines: readonly Line[]
  readonly loadTicks: readonly AxisTick[]
  readonly msTicks: readonly AxisTick[]
  /** The limit, with its error on both sides; undefined where none is known or it lies outside. */
  readonly limit:
    | { readonly x: number; readonly from: number; readonly to: number; readonly label: string }
    | undefined
}

export const SHARE_HEIGHT = 250
export const LATENCY_HEIGHT = 190
const GUTTER = 96
export const LABELS = 190
const MOST_PARTS = 8
/** A part that never takes so much is among the others. */
const LEAST_SHARE = 0.015

/** @param width without the margins of the picture */
export function loadChart(report: LoadReport, width: number): LoadChart {
  const { bands, by } = report
  const [left, right] = [GUTTER, width - LABELS]
  const loadOf = ({ rate, inFlight }: LoadBand) => (by === 'rate' ? rate : inFlight)
  const loads = bands.map(loadOf)
  const peak = limitOf(report)
  const scale = loadScale(loads, peak, by)
  const x = (load: number) => left + Math.min(1, Math.max(0, scale.share(load))) * (right - left)
  const edges = edgesOf(loads.map(x), right)
  return {
    ...{ left, right },
    areas: areasOf(bands, edges),
    ribbon: ribbonOf(bands, edges),
    ...linesOf(bands, loads.map(x), report),
    loadTicks: scale.ticks.map((tick) => ({ at: x(tick), label: loadNumber(tick) })),
    limit:
      peak === undefined
        ? undefined
        : {
            x: x(peak.at),
            from: x(peak.at - peak.error),
            to: x(peak.at + peak.error),
            label: peak.label,
          },
  }
}

interface Limit {
  readonly at: number
  readonly error: number
  readonly label: string
}

function limitOf({ limit, by }: LoadReport): Limit | undefined {
  if (typeof limit === 'string') return undefined
  const { peakRate, peakError, kneeInFlight } = limit
  return by === 'rate'
    ? { at: peakRate, error: peakError, label: `limit ${plusMinus(peakRate, peakError)}/s` }
    : { at: kneeInFlight, error: 0, label: `knee at ${loadNumber(kneeInFlight)} in flight` }
}

/** From zero, or from near the least load where that is far from it; in flight by its logarithm. */
function loadScale(loads: readonly number[], limit: Limit | undefined, by: LoadReport['by']) {
  const finite = loads.filter(Number.isFinite)
  const most = finite.reduce((max, load) => Math.max(max, load), 1e-3)
  const least = finite.reduce((min, load) => Math.min(min, load), most)
  const end =
    limit !== undefined && limit.at < most * 1.3 ? Math.max(most, limit.at + limit.error) : most
  if (by === 'inFlight') {
    const [from, to] = [Math.max(least, most / 1e6, 1e-6) / 1.3, end * 1.15]
    const decades = Array.from({ length: 14 }, (_, at) => 10 ** (at - 6))
    const ticks = decades.flatMap((ten) => [ten, 2 * ten, 5 * ten])
    return {
      share: (load: number) => Math.log(Math.max(load, from) / from) / Math.log(to / from),
      ticks: ticks.filter((tick) => tick >= from && tick <= to),
    }
  }
  const from = least > end * 0.5 ? least * 0.85 : 0
  const to = end + (end - from) * 0.05
  const step = roundStep((to - from) / 9)
  const first = Math.ceil(from / step - 1e-9)
  const count = Math.max(0, Math.floor(to / step + 1e-9) - first + 1)
  return {
    share: (load: number) => (load - from) / (to - from),
    ticks: Array.from({ length: count }, (_, at) => (first + at) * step),
  }
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find((factor) => factor * power >= least * 0.999) ?? 10) * power
}

interface Edges {
  /** From, middle and to of each band. */
  readonly from: number
  readonly middle: number
  readonly to: number
}

/** Bands meet halfway; the first and the last are as wide on their other side. */
function edgesOf(middles: readonly number[], right: number): readonly Edges[] {
  const half = middles.length < 2 ? 60 : 0
  return middles.map((middle, at) => {
    const [before, after] = [middles[at - 1], middles[at + 1]]
    const from =
      before === undefined
        ? middle - (after === undefined ? half : (after - middle) / 2)
        : (before + middle) / 2
    const to =
      after === undefined
        ? middle + (before === undefined ? half : (middle - before) / 2)
        : (middle + after) / 2
    return { from: Math.max(GUTTER, from), middle, to: Math.min(right, to) }
  })
}

function areasOf(bands: readonly LoadBand[], edges: readonly Edges[]): readonly Area[] {
  const most = new Map<string, { service: string; layer: Layer; share: number }>()
  for (const { parts } of bands) {
    for (const { service, layer, share } of parts) {
      const key = `${layer} ${service}`
      if (share > (most.get(key)?.share ?? 0)) most.set(key, { service, layer, share })
    }
  }
  const kept = [...most]
    .filter(([, { share }]) => share >= LEAST_SHARE)
    .sort(([, a], [, b]) => b.share - a.share)
    .slice(0, MOST_PARTS)
    // A service's layers lie on each other, whatever their size.
    .sort(([, a], [, b]) =>
      a.service < b.service ? -1 : a.service > b.service ? 1 : b.share - a.share,
    )
  const shares = bands.map(
    ({ parts }) => new Map(parts.map((part) => [`${part.layer} ${part.service}`, part.share])),
  )
  const filled = bands.map(() => 0)
  const draw = (
    name: string,
    service: string,
    layer: Layer | undefined,
    of: (band: number) => number,
  ) => {
    const below = filled.slice()
    for (const band of filled.keys())
      filled[band] = Math.min(1, filled[band]! + Math.max(0, of(band)))
    return { name, service, layer, top: outline(filled, edges), bottom: outline(below, edges) }
  }
  const areas = kept.map(([key, { service, layer }]) =>
    draw(`${service} ${layer}`, service, layer, (band) => shares[band]!.get(key) ?? 0),
  )
  const rest = filled.some((sum) => sum < 1 - 1e-6)
  return rest ? [...areas, draw('others', '', undefined, (band) => 1 - filled[band]!)] : areas
}

/** From edge to edge, straight between the middles of bands. */
function outline(shares: readonly number[], edges: readonly Edges[]): readonly Point[] {
  const y = (share: number) => SHARE_HEIGHT * (1 - share)
  const last = shares.length - 1
  return [
    { x: edges[0]!.from, y: y(shares[0]!) },
    ...shares.map((share, at) => ({ x: edges[at]!.middle, y: y(share) })),
    { x: edges[last]!.to, y: y(shares[last]!) },
  ]
}

function ribbonOf(bands: readonly LoadBand[], edges: readonly Edges[]): readonly RibbonPiece[] {
  let at = 0
  return stretchesOf(bands).map(({ bands: some, bottleneck }) => {
    const from = edges[at]!.from
    at += some.length
    return { x: from, width: Math.max(1, edges[at - 1]!.to - from), bottleneck }
  })
}

function linesOf(bands: readonly LoadBand[], xs: readonly number[], { sentences: _ }: LoadReport) {
  const waited = bands.at(-1)!.bottleneck.service
  const waits = bands.map(
    ({ stations }) => stations.find(({ service }) => service === waited)?.waitMs ?? 0,
  )
  const all = bands.flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]).filter((ms) => ms > 0)
  const longest = Math.max(...waits, ...all, 1e-3)
  const most = longest * 1.2
  // Waits far below every request are of no account, and would press everything else together.
  const least = Math.max(most / 1e5, all.reduce((min, ms) => Math.min(min, ms), most) / 4)
  const y = (ms: number) =>
    LATENCY_HEIGHT * (1 - Math.log(Math.max(least, ms) / least) / Math.log(most / least))
  const line = (role: Line['role'], name: string, values: readonly number[]): Line => ({
    ...{ role, name },
    points: values.map((ms, at) => ({ x: xs[at]!, y: y(ms) })),
  })
  const lines = [
    line(
      'p99',
      'p99 of requests',
      bands.map(({ p99Ms }) => p99Ms),
    ),
    line(
      'p50',
      'median of requests',
      bands.map(({ p50Ms }) => p50Ms),
    ),
  ]
  if (waits.some((ms) => ms > least)) lines.push(line('wait', `mean wait for ${waited}`, waits))
  const decades = Array.from({ length: 18 }, (_, at) => 10 ** (at - 6))
  const ticks = decades.filter((ms) => ms >= least && ms <= most)
  const finer =
    ticks.length < 3
      ? decades.flatMap((ten) => [ten, 2 * ten, 5 * ten]).filter((ms) => ms >= least && ms <= most)
      : ticks
  return { lines, msTicks: finer.map((ms) => ({ at: y(ms), label: msLabel(ms) })) }
}

/** Round times without decimals: `1 ms`, `20 µs`, `5 s`. */
function msLabel(ms: number): string {
  const round = (value: number) => String(Number(value.toPrecision(3)))
  if (ms < 1) return `${round(ms * 1000)} µs`
  return ms < 1000 ? `${round(ms)} ms` : `${round(ms / 1000)} s`
}
