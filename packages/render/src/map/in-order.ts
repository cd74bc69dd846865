import type { MapLink, MapPlace } from 'clew/trace'
import { layersOf } from './layers.ts'

const ORDER: readonly MapPlace['kind'][] = ['outside', 'service', 'event', 'db', 'cache']

/** From where requests enter on; side by side, what answers waited for most comes first. */
export function inOrder(
  places: readonly MapPlace[],
  links: readonly MapLink[],
): readonly MapPlace[] {
  const numbers = new Map(places.map(({ id }, at) => [id, at]))
  const lines = links.map(({ from, to }) => ({ from: numbers.get(from)!, to: numbers.get(to)! }))
  const { layers } = layersOf(places.length, lines)
  const layer = ({ id }: MapPlace) => layers[numbers.get(id)!]!
  return places.toSorted(
    (a, b) =>
      layer(a) - layer(b) ||
      ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
      b.criticalShare - a.criticalShare ||
      (a.id < b.id ? -1 : 1),
  )
}
