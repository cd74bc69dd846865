import type { Layer } from '../analysis/layer.ts'
import type { LoadBand, LoadBottleneck, LoadPart, LoadStation } from './load-report.ts'

/** A band of which the bottleneck is not yet known. */
export type OpenBand = Omit<LoadBand, 'bottleneck'>

/** Requests take so much longer than at the least load before something is said to hold them up. */
const LEAST_RISE = 0.2
/** Of what they take longer, a service has to explain so much: with its utilisation known, and without. */
const LEAST_EXPLAINED = 0.3
const LEAST_EXPLAINED_ALONE = 0.5
/** Busier than this, waits grow faster than the load. */
const BUSY = 0.7
/** A service whose workers wait that much of their time for a full one is full because of it. */
const LEAST_BEHIND = 0.5

/** What a service takes of a request, and of it longer than at the least load. */
interface Taken {
  readonly service: string
  readonly station: LoadStation | undefined
  ms: number
  readonly grown: Map<Layer, number>
  grownMs: number
}

/**
 * What holds the requests of a band up. As long as they take about as long as at the least load, that
 * is whose work takes most. Beyond: whose critical time has grown most of those that are busy; of one
 * whose workers wait for another that is busy too, that other.
 * @param steadyMs the least mean of this band and those with more load: what load holds up, more load
 *   does not set free, so requests that took longer only here had another reason
 */
export function bottleneckOf(
  band: OpenBand,
  least: OpenBand,
  steadyMs: number,
  arrows: ReadonlyMap<string, ReadonlySet<string>>,
): LoadBottleneck {
  const rise = band.meanMs - least.meanMs
  const taken = takenOf(band, least)
  if (!(steadyMs - least.meanMs > least.meanMs * LEAST_RISE)) return work(band, taken)
  const grown = [...taken.values()].sort((a, b) => b.grownMs - a.grownMs)
  const busy = grown.filter(
    ({ grownMs, station }) =>
      grownMs >= rise * LEAST_EXPLAINED && (utilisationOf(station) ?? 0) >= BUSY,
  )
  const [most] = busy
  const [first] = grown
  // The queue may be in front of who is taken only for a part of the time, by waiting for another.
  const below = first === undefined ? undefined : deepest(first, taken, band, arrows)
  if (below !== undefined && below.behind.length > 0 && first!.grownMs >= rise * LEAST_EXPLAINED) {
    return held(band, below)
  }
  if (most !== undefined) return held(band, deepest(most, taken, band, arrows))
  if (first === undefined || first.grownMs < rise * LEAST_EXPLAINED_ALONE) {
    return { ...work(band, taken), service: '', kind: 'unclear', layer: undefined }
  }
  const waits = layerOf(first) === 'queue'
  return told(band, first, waits ? 'waiting' : 'work', layerOf(first))
}

function held(
  band: OpenBand,
  { taken, behind }: { readonly taken: Taken; readonly behind: readonly string[] },
): LoadBottleneck {
  const { station } = taken
  const loop = (station?.busy ?? 0) >= BUSY && (station?.busy ?? 0) >= limitedUse(station)
  const own = told(band, taken, loop ? 'event-loop' : 'workers', layerOf(taken))
  const share = behind.reduce((sum, name) => sum + shareOf(band, name, 'queue'), own.share)
  return { ...own, share, behind }
}

/**
 * Down the calls: who waits for a full service fills up himself, and then the queue is in front of him.
 */
function deepest(
  first: Taken,
  taken: ReadonlyMap<string, Taken>,
  band: OpenBand,
  arrows: ReadonlyMap<string, ReadonlySet<string>>,
): { readonly taken: Taken; readonly behind: readonly string[] } {
  const behind: string[] = []
  let at = first
  for (;;) {
    const { service, station } = at
    const inside = station === undefined ? 0 : (station.handleMs * station.rate) / band.rate
    const below = [...(arrows.get(service) ?? [])]
      .map((name) => taken.get(name))
      .filter((each) => each !== undefined && each.service !== service)
      .filter((each) => !behind.includes(each!.service))
      .filter((each) => (utilisationOf(each!.station) ?? 0) >= BUSY)
      .filter((each) => each!.ms >= inside * LEAST_BEHIND)
      .sort((a, b) => b!.ms - a!.ms)[0]
    if (below === undefined) return { taken: at, behind }
    behind.push(service)
    at = below
  }
}

/** Whose work takes most, as long as nothing waits. */
function work(band: OpenBand, taken: ReadonlyMap<string, Taken>): LoadBottleneck {
  const [part] = band.parts
  if (part === undefined) return { ...NOTHING, kind: 'unclear' }
  const { layer } = part
  const whose = taken.get(part.service)!
  if (layer !== 'queue') return told(band, whose, 'work', layer)
  // On the way to it and back: no load has made that longer, so how much of it is taken is no reason.
  return { ...told(band, whose, 'waiting', layer), utilisation: undefined }
}

const NOTHING = { service: '', layer: undefined, share: 0, utilisation: undefined, behind: [] }

function told(
  band: OpenBand,
  { service, station }: Taken,
  kind: LoadBottleneck['kind'],
  layer: Layer | undefined,
): LoadBottleneck {
  const share = shareOf(band, service, kind === 'work' ? layer : undefined)
  return { service, kind, layer, share, utilisation: utilisationOf(station), behind: [] }
}

/** Of all layers, where none is named. */
const shareOf = ({ parts }: OpenBand, service: string, layer?: Layer) =>
  parts
    .filter((part) => part.service === service && (layer === undefined || part.layer === layer))
    .reduce((sum, { share }) => sum + share, 0)

function takenOf(band: OpenBand, least: OpenBand): ReadonlyMap<string, Taken> {
  const all = new Map<string, Taken>()
  const add = ({ service, layer, ms }: LoadPart, sign: 1 | -1) => {
    let taken = all.get(service)
    if (taken === undefined) {
      const station = band.stations.find((each) => each.service === service)
      taken = { service, station, ms: 0, grown: new Map(), grownMs: 0 }
      all.set(service, taken)
    }
    if (sign === 1) taken.ms += ms
    taken.grown.set(layer, (taken.grown.get(layer) ?? 0) + sign * ms)
    taken.grownMs += sign * ms
  }
  for (const part of band.parts) add(part, 1)
  for (const part of least.parts) add(part, -1)
  return all
}

/** The layer that has grown most. */
function layerOf({ grown }: Taken): Layer | undefined {
  let best: Layer | undefined
  for (const [layer, ms] of grown) if (best === undefined || ms > grown.get(best)!) best = layer
  return best
}

const limitedUse = (station: LoadStation | undefined) =>
  station?.limited === true ? station.workers : 0

/** Of the event loop, or of the workers where there is a limit to them; undefined where neither is known. */
export function utilisationOf(station: LoadStation | undefined): number | undefined {
  if (station === undefined || (station.busy === undefined && !station.limited)) return undefined
  return Math.max(station.busy ?? 0, limitedUse(station))
}
