import type { CallNode } from '../call-node.ts'

/** Of more, those that took longest matter: the others are passed over. */
const MOST_ORPHANS = 100

/** A caller that left no record. What holds several roots has no id, and relays are known from those below them. */
export const isLost = ({ placeholder, id }: CallNode) =>
  placeholder && id !== '' && !id.startsWith('relay:')

/** Calls whose caller left no record, those that took longest first: nobody knows where they belong. */
export function orphansOf(places: Iterable<CallNode>): readonly CallNode[] {
  const found: CallNode[] = []
  for (const place of places) {
    if (!isLost(place)) continue
    for (const call of place.calls) if (!call.placeholder) found.push(call)
    if (found.length > MOST_ORPHANS * 2) keepLongest(found)
  }
  keepLongest(found)
  return found
}

function keepLongest(calls: CallNode[]): void {
  calls.sort((a, b) => (b.totalMs ?? 0) - (a.totalMs ?? 0))
  calls.length = Math.min(calls.length, MOST_ORPHANS)
}
