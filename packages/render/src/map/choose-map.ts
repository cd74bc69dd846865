import type { MapLink, MapPlace, SystemMap } from 'clew/trace'

export interface MapChoice {
  /** Name of a service: what is nearer to it than `hops` links, and nothing else. */
  readonly service?: string | undefined
  /** @default 1 */
  readonly hops?: number | undefined
  /**
   * Most places; those with most calls stay.
   * @default 60
   */
  readonly maxPlaces?: number | undefined
}

export interface ChosenMap {
  readonly places: readonly MapPlace[]
  readonly links: readonly MapLink[]
  /** Places that are not shown. */
  readonly leftOut: number
}

/** What is shown of a system: what is near a service, or as many places as a picture bears. */
export function chooseMap(map: SystemMap, choice: MapChoice = {}): ChosenMap {
  const { service, hops = 1, maxPlaces = 60 } = choice
  const near = service === undefined ? undefined : within(map, service, hops)
  const all = map.places.filter(({ id }) => near === undefined || near.has(id))
  const most = new Set(
    all
      .toSorted((a, b) => b.calls - a.calls || (a.id < b.id ? -1 : 1))
      .slice(0, Math.max(1, maxPlaces))
      .map(({ id }) => id),
  )
  const kept = new Set(
    all.filter(({ id, kind }) => most.has(id) || kind === 'outside').map(({ id }) => id),
  )
  const links = map.links.filter(({ from, to }) => kept.has(from) && kept.has(to))
  // A store whose service is not shown would stand alone, and tell nothing.
  const joined = new Set(links.flatMap(({ from, to }) => [from, to]))
  const isShown = ({ id, kind }: MapPlace) =>
    kept.has(id) && (joined.has(id) || kind === 'service' || all.length === 1)
  const places = all.filter(isShown)
  return { places, links, leftOut: map.places.length - places.length }
}

function within({ places, links }: SystemMap, service: string, hops: number): ReadonlySet<string> {
  const reached = new Set(places.filter(({ name }) => name === service).map(({ id }) => id))
  for (let hop = 0; hop < hops; hop++) {
    const before = reached.size
    const now = new Set(reached)
    for (const { from, to } of links) {
      if (now.has(from)) reached.add(to)
      if (now.has(to)) reached.add(from)
    }
    if (reached.size === before) break
  }
  return reached
}
