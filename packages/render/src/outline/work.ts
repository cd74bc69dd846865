import type { Place } from './place.ts'

/** When the callees of a place were at work: from, to, in milliseconds from the root's beginning. */
export function workOf(place: Place): readonly (readonly [number, number])[] {
  switch (place.kind) {
    case 'call':
    case 'repeats': {
      const calls = place.kind === 'call' ? [place.call] : place.calls
      const parts: (readonly [number, number])[] = []
      for (const { handleOffsetMs, handleMs } of calls) {
        if (handleOffsetMs !== undefined && handleMs !== undefined && handleMs >= 0) {
          parts.push([handleOffsetMs, handleOffsetMs + handleMs])
        }
      }
      return joined(parts, (place.endMs - place.offsetMs) / 100)
    }
    default:
      return []
  }
}

/** Parts in order, with those joined that overlap or between which no gap could be seen. */
function joined(
  parts: readonly (readonly [number, number])[],
  gap: number,
): readonly (readonly [number, number])[] {
  const sorted = parts.toSorted(([one], [other]) => one - other)
  const whole: [number, number][] = []
  for (const [from, to] of sorted) {
    const last = whole.at(-1)
    if (last !== undefined && from - last[1] <= gap) last[1] = Math.max(last[1], to)
    else whole.push([from, to])
  }
  return whole
}
