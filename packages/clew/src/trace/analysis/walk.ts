import type { CallNode } from '../call-node.ts'
import type { Edge } from '../entry.ts'

/** Every place of the tree, parents before their calls, without recursion. */
export function* placesOf(root: CallNode): Generator<CallNode> {
  const left = [root]
  for (let call = left.pop(); call !== undefined; call = left.pop()) {
    yield call
    for (let index = call.calls.length - 1; index >= 0; index--) left.push(call.calls[index]!)
  }
}

/** By which people name a call: `service.method`; where the method is no name, `service GET /path`. */
export const nameOf = (call: {
  readonly service: string
  readonly method: string
  readonly edge?: Edge
}) => `${call.service}${call.edge === 'down' || /\s/u.test(call.method) ? ' ' : '.'}${call.method}`

/** True for the handler of a published message, of which nobody waits for an answer. */
export const isHandler = ({ edge, requestMs }: CallNode) =>
  edge === 'event' && requestMs === undefined

/** When the call ended, milliseconds from the root's beginning; undefined while it is open. */
export function endOf(call: CallNode): number | undefined {
  if (call.totalMs === undefined) return undefined
  // Without the caller's entries the total is the callee's work, and so is the offset.
  return call.offsetMs + call.totalMs
}
