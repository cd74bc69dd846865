import type { CallNode, CallTree } from '../call-node.ts'
import { placesWithParents } from './walk.ts'

/** A call that had not ended when what is known of it was gathered, and on which others wait. */
export interface Unfinished {
  /** The deepest: nothing that it waits for is known. */
  readonly call: CallNode
  /** True where its own process told of it: it is at work. Else nothing was heard of it. */
  readonly atWork: boolean
  /** Calls above it that wait for it, from the nearest up. */
  readonly waiting: readonly CallNode[]
}

/** Waiting calls that are told; of longer ways the beginning. */
const MOST_WAITING = 256

/**
 * Of a trace that was asked for while its calls went on: the call that the others wait for, and of
 * several the one that has been waited for the longest. Undefined where all ended.
 */
export function unfinished({ root, source }: CallTree): Unfinished | undefined {
  if (source !== undefined) return undefined
  const { order, parents } = placesWithParents(root)
  const above = new Set<number>()
  let found: number | undefined
  for (let at = order.length - 1; at >= 0; at--) {
    const call = order[at]!
    const below = above.has(at)
    if (!below && !isOpen(call, order[parents[at]!])) continue
    above.add(parents[at]!)
    if (!below && (found === undefined || begunAt(call) <= begunAt(order[found]!))) found = at
  }
  if (found === undefined) return undefined
  const waiting: CallNode[] = []
  for (let at = parents[found]!; at >= 0 && waiting.length < MOST_WAITING; at = parents[at]!) {
    if (!order[at]!.placeholder) waiting.push(order[at]!)
  }
  const call = order[found]!
  return { call, atWork: call.runningMs !== undefined, waiting }
}

/** Still at work as its process says, or still waited for by one that is, or by the root's own caller. */
function isOpen(call: CallNode, parent: CallNode | undefined): boolean {
  if (call.placeholder || call.status !== 'pending') return false
  if (call.runningMs !== undefined) return true
  if (call.edge !== 'call' || call.presence.slice(0, 2) !== '10') return false
  return parent === undefined || parent.runningMs !== undefined
}

const begunAt = ({ offsetMs }: CallNode) => offsetMs
