import {
  bandsOf,
  inFlightOf,
  inFlightScale,
  type LoadSlice,
  loadedSlices,
  rateOf,
  rateScale,
  slicesOf,
  withoutLeftOvers,
} from './load-bands.ts'
import { bottleneckOf, type OpenBand } from './load-bottleneck.ts'
import type {
  LoadInstance,
  LoadLimit,
  LoadMethod,
  LoadPart,
  LoadReport,
  LoadStation,
} from './load-report.ts'
import { loadSentences } from './load-sentences.ts'
import type { LoadSums } from './load-sums.ts'
import { PairCell } from './load-windows.ts'
import { type LoadPoint, scalability } from './scalability.ts'
import { Sketch } from './sketch.ts'

const MOST_METHODS_TOLD = 50
/** A pool was full so often that it was no chance: this many calls, and this share of all. */
const LEAST_FULL = 20
const LEAST_FULL_SHARE = 0.01

/** What the trees that were added say together. */
export function loadReport(sums: LoadSums, by: LoadReport['by']): LoadReport {
  const slices = slicesOf(sums.windows)
  const widest = slices.reduce((most, { seconds }) => Math.max(most, seconds), 0)
  const loaded = loadedSlices(slices, widest)
  const capacities = capacitiesOf(sums, slices)
  const alike = bandsOf(loaded, by === 'rate' ? rateScale : inFlightScale)
  const told = by === 'rate' ? withoutLeftOvers(alike, loaded) : alike
  const open = told.map((band) => bandOf(band, sums, capacities))
  const bands = open.map((band, at) => {
    const steadyMs = Math.min(...open.slice(at).map(({ meanMs }) => meanMs))
    return { ...band, bottleneck: bottleneckOf(band, open[0]!, steadyMs, sums.arrows) }
  })
  const limits = limitsOf(bands)
  const idleMs = bands[0]?.meanMs ?? 0
  const report = {
    by,
    requests: sums.requests,
    passedOver: sums.passedOver,
    callsLeftOut: sums.callsLeftOut,
    seconds: loaded.reduce((sum, { seconds }) => sum + seconds, 0),
    bands,
    limit: scalability(pointsOf(loaded)),
    limits,
    fullInFlight: limits[0] === undefined ? undefined : (limits[0].mostRate * idleMs) / 1000,
    instances: instancesOf(sums, slices),
    methods: methodsOf(sums),
  }
  return { ...report, sentences: loadSentences(report) }
}

/** Windows at the edges of the load are answered in part only. */
function pointsOf(slices: readonly LoadSlice[]): readonly LoadPoint[] {
  return slices
    .filter(({ whole }) => whole)
    .map((slice) => ({
      inFlight: inFlightOf(slice),
      rate: slice.window.flow.ends / slice.seconds,
      requests: slice.window.flow.ends,
    }))
}

/**
 * Every call is the only one of a caller that asks for one after the other: only where calls wait, by so
 * much of what they take, one at a time is a limit.
 */
const LEAST_WAIT_OF_ONE = 0.25
const LEAST_WAIT_MS = 1

interface Capacity {
  readonly most: number
  readonly limited: boolean
}

/** By instance: the most that it had in flight, and whether it was a limit. */
function capacitiesOf(sums: LoadSums, slices: readonly LoadSlice[]): readonly Capacity[] {
  const seen = new Array<number>(sums.instances.length).fill(0)
  for (const { pairAreas, seconds } of slices) {
    const each = new Array<number>(sums.instances.length).fill(0)
    for (const [pair, area] of pairAreas)
      each[sums.pairs[pair]!.instance]! += area / (seconds * 1000)
    for (const [instance, inFlight] of each.entries()) {
      seen[instance] = Math.max(seen[instance]!, inFlight)
    }
  }
  return sums.instances.map(({ calls, most, atMost }, at) => ({
    most: most >= 1 ? most : Math.max(1, Math.ceil(seen[at]!)),
    limited: most >= 1 && atMost >= Math.max(LEAST_FULL, calls * LEAST_FULL_SHARE),
  }))
}

function bandOf(
  slices: readonly LoadSlice[],
  sums: LoadSums,
  capacities: readonly Capacity[],
): OpenBand {
  const total = new Sketch()
  const parts = new Map<number, number>()
  let [seconds, requests, answered, failed, area] = [0, 0, 0, 0, 0]
  let [fromRate, toRate] = [Number.POSITIVE_INFINITY, 0]
  for (const slice of slices) {
    const { window } = slice
    total.merge(window.total)
    for (const [part, ms] of window.parts) parts.set(part, (parts.get(part) ?? 0) + ms)
    seconds += slice.seconds
    requests += window.flow.starts
    answered += window.flow.ends
    failed += window.failed
    area += Math.max(0, slice.area)
    fromRate = Math.min(fromRate, rateOf(slice))
    toRate = Math.max(toRate, rateOf(slice))
  }
  return {
    ...{ rate: requests / seconds, fromRate, toRate, answered: answered / seconds },
    ...{ inFlight: area / (seconds * 1000), requests, failed: failed / requests, seconds },
    ...{ meanMs: total.mean, p50Ms: total.quantile(0.5), p99Ms: total.quantile(0.99) },
    parts: partsTold(parts, sums, requests),
    stations: stationsOf(slices, sums, capacities, seconds),
  }
}

function partsTold(
  parts: ReadonlyMap<number, number>,
  sums: LoadSums,
  requests: number,
): readonly LoadPart[] {
  const whole = [...parts.values()].reduce((sum, ms) => sum + ms, 0)
  return [...parts]
    .map(([part, ms]) => ({ ...sums.parts[part]!, ms: ms / requests, share: ms / whole }))
    .sort((a, b) => b.ms - a.ms)
}

function stationsOf(
  slices: readonly LoadSlice[],
  sums: LoadSums,
  capacities: readonly Capacity[],
  seconds: number,
): readonly LoadStation[] {
  const cells = new Map<number, { readonly cell: PairCell; area: number }>()
  for (const { window, pairAreas } of slices) {
    for (const [pair, area] of pairAreas) {
      const known = cells.get(pair) ?? { cell: new PairCell(), area: 0 }
      known.area += Math.max(0, area)
      cells.set(pair, known)
    }
    for (const [pair, cell] of window.pairs) cells.get(pair)!.cell.merge(cell)
  }
  const services = new Map<
    string,
    { cell: PairCell; area: number; waitMs: number; at: Set<number> }
  >()
  for (const [pair, { cell, area }] of cells) {
    const { instance, leastLegMs } = sums.pairs[pair]!
    const { service } = sums.instances[instance]!
    const known = services.get(service) ?? {
      cell: new PairCell(),
      area: 0,
      waitMs: 0,
      at: new Set(),
    }
    const beyond = cell.legs === 0 ? 0 : Math.max(0, cell.legMs - cell.legs * leastLegMs)
    known.cell.merge(cell)
    known.area += area
    known.waitMs += beyond + cell.localMs
    known.at.add(instance)
    services.set(service, known)
  }
  return [...services]
    .map(([service, { cell, area, waitMs, at }]) => {
      const inFlight = area / (seconds * 1000)
      const pools = [...at].map((instance) => capacities[instance]!)
      const most = pools.reduce((sum, pool) => sum + pool.most, 0)
      const waits =
        waitMs > Math.max(LEAST_WAIT_OF_ONE * cell.handleMs, LEAST_WAIT_MS * cell.flow.starts)
      return {
        ...{ service, rate: cell.flow.starts / seconds, inFlight },
        handleMs: cell.answered === 0 ? 0 : cell.handleMs / cell.answered,
        waitMs: cell.flow.starts === 0 ? 0 : waitMs / cell.flow.starts,
        busy: cell.busy === 0 ? undefined : cell.busySum / cell.busy,
        workers: Math.min(1, inFlight / most),
        limited: pools.every(({ limited, most }) => limited && (most > 1 || waits)),
      }
    })
    .sort((a, b) => b.waitMs - a.waitMs || b.inFlight - a.inFlight)
}

/** D = ρ/X over all bands; only where there is a limit to the workers is ρ one. */
function limitsOf(bands: LoadReport['bands']): readonly LoadLimit[] {
  const services = new Map<string, { readonly of: LoadStation; readonly band: OpenBand }[]>()
  for (const band of bands) {
    for (const of of band.stations) {
      if (!of.limited) continue
      const known = services.get(of.service)
      if (known === undefined) services.set(of.service, [{ of, band }])
      else known.push({ of, band })
    }
  }
  return [...services]
    .map(([service, all]) => {
      const used = all.reduce((sum, { of, band }) => sum + of.workers * band.seconds, 0)
      const answered = all.reduce((sum, { band }) => sum + band.answered * band.seconds, 0)
      const demandMs = answered === 0 ? 0 : (used / answered) * 1000
      const mostRate = demandMs === 0 ? Number.POSITIVE_INFINITY : 1000 / demandMs
      return { service, demandMs, mostRate, waitPerRate: slopeOf(all) }
    })
    .filter(({ mostRate }) => Number.isFinite(mostRate))
    .sort((a, b) => a.mostRate - b.mostRate)
}

/** Of the line of least squares through wait over rate, bands weighted by their calls. */
function slopeOf(all: readonly { readonly of: LoadStation; readonly band: OpenBand }[]): number {
  const weighted = all.map(({ of, band }) => ({
    x: of.rate,
    y: of.waitMs,
    w: of.rate * band.seconds,
  }))
  const weight = weighted.reduce((sum, { w }) => sum + w, 0)
  if (!(weight > 0)) return 0
  const meanX = weighted.reduce((sum, { x, w }) => sum + x * w, 0) / weight
  const meanY = weighted.reduce((sum, { y, w }) => sum + y * w, 0) / weight
  const spread = weighted.reduce((sum, { x, w }) => sum + (x - meanX) ** 2 * w, 0)
  const joint = weighted.reduce((sum, { x, y, w }) => sum + (x - meanX) * (y - meanY) * w, 0)
  return spread > 1e-9 * weight ? joint / spread : 0
}

function instancesOf(sums: LoadSums, slices: readonly LoadSlice[]): readonly LoadInstance[] {
  const all = sums.instances.map(() => ({ cell: new PairCell(), area: 0, seconds: 0 }))
  for (const { window, pairAreas, seconds } of slices) {
    const here = new Set<number>()
    for (const [pair, area] of pairAreas) {
      const { instance } = sums.pairs[pair]!
      const known = all[instance]!
      known.area += Math.max(0, area)
      const cell = window.pairs.get(pair)
      if (cell !== undefined) known.cell.merge(cell)
      if (cell !== undefined || area > 0) here.add(instance)
    }
    for (const instance of here) all[instance]!.seconds += seconds
  }
  return sums.instances
    .map(({ service, host, pid, calls, unanswered, most, tally }, at) => {
      const { cell, area, seconds } = all[at]!
      const during = Math.max(seconds, Number.MIN_VALUE)
      return {
        ...{ service, host, pid, calls, unanswered },
        ...{ rate: calls / during, inFlight: area / (during * 1000) },
        handleMs: cell.answered === 0 ? 0 : cell.handleMs / cell.answered,
        most: most >= 1 ? most : undefined,
        check: tally.check(),
      }
    })
    .sort((a, b) => b.inFlight - a.inFlight)
}

function methodsOf(sums: LoadSums): readonly LoadMethod[] {
  return sums.methods
    .toSorted((a, b) => b.handle.sum - a.handle.sum)
    .slice(0, MOST_METHODS_TOLD)
    .map(({ service, method, handle }) => ({
      ...{ service, method, calls: handle.count },
      ...{ handleMs: handle.mean, p99Ms: handle.quantile(0.99) },
    }))
}
