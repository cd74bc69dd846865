import { type CallNode, type CallTree, criticalPath } from 'clew/trace'
import type { Outline, Place } from '../outline/place.ts'

/** A stretch of time, in milliseconds from the root's beginning. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** The critical path as a picture shows it. */
export interface Critical {
  /** When it ran through a place; what is folded counts for the place that stands for it. */
  readonly stretches: ReadonlyMap<Place, readonly Stretch[]>
  /** Where most of it was spent: service, method and milliseconds over all calls of that method. */
  readonly most:
    | { readonly service: string; readonly method: string; readonly ms: number }
    | undefined
}

export function criticalOf(tree: CallTree, outline: Outline): Critical {
  const places = placesOf(tree, outline)
  const stretches = new Map<Place, Stretch[]>()
  const methods = new Map<string, { service: string; method: string; ms: number }>()
  for (const { call, startMs, endMs } of criticalPath(tree)) {
    if (!(endMs > startMs)) continue
    const place = places.get(call)
    if (place !== undefined) {
      const known = stretches.get(place)
      if (known === undefined) stretches.set(place, [{ fromMs: startMs, toMs: endMs }])
      else known.push({ fromMs: startMs, toMs: endMs })
    }
    const name = `${call.service}\u0000${call.method}`
    const sum = methods.get(name) ?? { service: call.service, method: call.method, ms: 0 }
    sum.ms += endMs - startMs
    methods.set(name, sum)
  }
  let most: { service: string; method: string; ms: number } | undefined
  for (const sum of methods.values()) if (most === undefined || sum.ms > most.ms) most = sum
  return { stretches, most }
}

/** Which place of the picture a call is drawn in. */
function placesOf(tree: CallTree, outline: Outline): ReadonlyMap<CallNode, Place> {
  const places = new Map<CallNode, Place>()
  for (const { place } of outline.places) {
    if (place.kind === 'call') places.set(place.call, place)
    if (place.kind === 'repeats') for (const call of place.calls) places.set(call, place)
  }
  const open: CallNode[] = [tree.root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    const place = places.get(call)
    for (const child of call.calls) {
      if (place !== undefined && !places.has(child)) places.set(child, standIn(place))
      open.push(child)
    }
  }
  return places
}

function standIn(place: Place): Place {
  if (place.kind === 'folded') return place
  return place.places.find((below) => below.kind === 'folded') ?? place
}
