import type { Trace } from '../trace/index.ts'
import { pairParts } from './pair-parts.ts'

/**
 * One trace of parts that were kept apart, at least one: what files, messages or services hold of it.
 * Joined at once: one by one, many would be copied as often as there are parts.
 * @throws RangeError where there is no part
 */
export function joinParts(parts: readonly Trace[]): Trace {
  const [first, second] = parts
  if (first === undefined) throw new RangeError('no parts')
  if (second === undefined) return first
  const pauses = parts.flatMap((part) => part.pauses ?? [])
  const source = parts.find((part) => part.source !== undefined)?.source
  const weight = parts.reduce((most, part) => Math.max(most, part.weight ?? 1), 1)
  const whole: Trace = {
    id: first.id,
    entries: parts.flatMap(({ entries }) => entries),
    folds: parts.flatMap(({ folds }) => folds),
    missing: parts.flatMap(({ missing }) => missing),
    relays: parts.flatMap(({ relays }) => relays),
    ...(pauses.length > 0 && { pauses }),
    ...(source !== undefined && { source }),
    ...(weight > 1 && { weight }),
    complete: parts.every(({ complete }) => complete),
  }
  // Each service may have written its own side of a call.
  return source === undefined ? whole : pairParts(whole)
}
