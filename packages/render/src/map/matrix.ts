import type { MapLink, MapPlace, SystemMap } from 'clew/trace'
import { chooseMap, type MapChoice } from './choose-map.ts'
import { inOrder } from './in-order.ts'

/** Places that have a row or a column of their own, unless a choice says otherwise. */
const MOST_PLACES = 120

/** A row or a column: a place, or all that have none. */
export interface MatrixEnd {
  /** Undefined for all that have none. */
  readonly place: MapPlace | undefined
  /** How many places it stands for. */
  readonly places: number
}

export interface MatrixCell {
  readonly row: number
  readonly column: number
  readonly calls: number
  readonly failed: number
  /** Nobody waits for any of them. */
  readonly isEvent: boolean
  /** The link with most calls, and of how many. */
  readonly link: MapLink
  readonly links: number
}

/** Who calls whom as a table: rows call columns. */
export interface MapMatrix {
  readonly rows: readonly MatrixEnd[]
  readonly columns: readonly MatrixEnd[]
  /** By row, then column. */
  readonly cells: readonly MatrixCell[]
  /** Places that have neither a row nor a column of their own, and are called or call. */
  readonly folded: number
  /** Places that are not in it at all, because of what was chosen. */
  readonly leftOut: number
}

/**
 * The map as a table, for systems that no drawing of lines bears. Rows and columns are in one order,
 * from where requests enter on: calls are above the diagonal, but for those that close a circle. No
 * call is left out of a whole map: those of places beyond the bound are in a last row and column.
 */
export function mapMatrix(map: SystemMap, choice: MapChoice = {}): MapMatrix {
  const near = chooseMap(map, { ...choice, maxPlaces: map.places.length })
  const own = chooseMap(map, { maxPlaces: MOST_PLACES, ...choice })
  const order = inOrder(own.places, own.links)
  const isOwn = new Set(order.map(({ id }) => id))
  const others = near.places.filter(({ id }) => !isOwn.has(id))
  const callers = new Set(near.links.map(({ from }) => from))
  const called = new Set(near.links.map(({ to }) => to))
  const endsOf = (joined: ReadonlySet<string>): readonly MatrixEnd[] => {
    const places = order.filter(({ id }) => joined.has(id)).map((place) => ({ place, places: 1 }))
    const rest = others.filter(({ id }) => joined.has(id)).length
    return rest === 0 ? places : [...places, { place: undefined, places: rest }]
  }
  const [rows, columns] = [endsOf(callers), endsOf(called)]
  const [rowOf, columnOf] = [numbersOf(rows), numbersOf(columns)]
  const cells = new Map<number, MatrixCell>()
  for (const link of near.links) {
    const row = rowOf.get(link.from) ?? rows.length - 1
    const column = columnOf.get(link.to) ?? columns.length - 1
    const at = row * columns.length + column
    const known = cells.get(at)
    cells.set(at, {
      ...{ row, column },
      calls: link.calls + (known?.calls ?? 0),
      failed: link.failed + (known?.failed ?? 0),
      isEvent: link.kind === 'event' && (known?.isEvent ?? true),
      link: known === undefined || link.calls > known.link.calls ? link : known.link,
      links: (known?.links ?? 0) + 1,
    })
  }
  return {
    ...{ rows, columns },
    cells: [...cells].sort(([a], [b]) => a - b).map(([, cell]) => cell),
    folded: others.length,
    leftOut: map.places.length - near.places.length,
  }
}

function numbersOf(ends: readonly MatrixEnd[]): ReadonlyMap<string, number> {
  return new Map(
    ends.flatMap(({ place }, at) => (place === undefined ? [] : [[place.id, at] as const])),
  )
}
