import type { CallNode } from 'clew/trace'
import { isDetached } from './condition.ts'
import type { Place } from './place.ts'

type Stretch = readonly [fromMs: number, toMs: number]

/** When a place's callees worked themselves, waiting for no call of their own: milliseconds from the root's beginning. */
export function ownWorkOf(place: Place): readonly Stretch[] {
  if (place.kind === 'call') return ownWork(place.call)
  if (place.kind !== 'repeats') return []
  return place.calls.flatMap(ownWork).sort((one, other) => one[0] - other[0])
}

/** The handle without the union of the times of the calls it waited for. */
function ownWork(call: CallNode): readonly Stretch[] {
  const { handleOffsetMs: from, handleMs } = call
  if (from === undefined || !(handleMs! > 0)) return []
  const to = from + handleMs!
  const waits = call.calls
    .filter((child) => !isDetached(child) && child.totalMs !== undefined)
    .map((child): Stretch => [child.offsetMs, child.offsetMs + child.totalMs!])
    .sort((one, other) => one[0] - other[0])
  const own: Stretch[] = []
  let at = from
  for (const [begin, end] of waits) {
    if (begin > at) own.push([at, Math.min(begin, to)])
    at = Math.max(at, end)
    if (at >= to) return own
  }
  own.push([at, to])
  return own
}
