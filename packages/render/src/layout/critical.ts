import { type CallNode, type CallTree, criticalPath } from 'clew/trace'
import type { Outline, Place } from '../outline/place.ts'

/** A stretch of time, in milliseconds from the root's beginning. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * When the critical path ran through each place of a picture; what is folded counts for the place
 * that stands for it.
 */
export function criticalStretches(
  tree: CallTree,
  outline: Outline,
): ReadonlyMap<Place, readonly Stretch[]> {
  const places = placesOf(tree, outline)
  const stretches = new Map<Place, Stretch[]>()
  for (const { call, startMs, endMs } of criticalPath(tree)) {
    const place = places.get(call)
    if (place === undefined || !(endMs > startMs)) continue
    const known = stretches.get(place)
    if (known === undefined) stretches.set(place, [{ fromMs: startMs, toMs: endMs }])
    else known.push({ fromMs: startMs, toMs: endMs })
  }
  return stretches
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
