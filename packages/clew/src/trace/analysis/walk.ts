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

/** All places in the order of `placesOf`, and where in it each one's parent stands; -1 for the root. */
export function placesWithParents(root: CallNode): {
  readonly order: readonly CallNode[]
  readonly parents: readonly number[]
} {
  const order: CallNode[] = []
  const parents: number[] = []
  const left = [root]
  const above = [-1]
  for (let call = left.pop(); call !== undefined; call = left.pop()) {
    const at = order.push(call) - 1
    parents.push(above.pop()!)
    for (let index = call.calls.length - 1; index >= 0; index--) {
      left.push(call.calls[index]!)
      above.push(at)
    }
  }
  return { order, parents }
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
