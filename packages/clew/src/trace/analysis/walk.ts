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

/** What is no name of a method: `GET /path`, and commands such as `BEGIN`. */
const NO_NAME = /\s|^[A-Z]+$/u

/** By which people name a call: `service.method`; where the method is no name, `service GET /path`. */
export const nameOf = (call: {
  readonly service: string
  readonly method: string
  readonly edge?: Edge
}) =>
  `${call.service}${call.edge === 'down' || NO_NAME.test(call.method) ? ' ' : '.'}${call.method}`

/** Letters of a name in a sentence; only statements of databases are longer. */
const MOST_LETTERS = 80

/** The same in a sentence: of a long one, its beginning and its end. */
export function spokenName(call: Parameters<typeof nameOf>[0]): string {
  const name = nameOf(call)
  if (name.length <= MOST_LETTERS) return name
  const letters = [...name]
  return letters.length <= MOST_LETTERS
    ? name
    : `${letters.slice(0, 56).join('')}…${letters.slice(-(MOST_LETTERS - 57)).join('')}`
}

/** True for the handler of a published message, of which nobody waits for an answer. */
export const isHandler = ({ edge, requestMs }: CallNode) =>
  edge === 'event' && requestMs === undefined

/** When the call ended, milliseconds from the root's beginning; undefined while it is open. */
export function endOf(call: CallNode): number | undefined {
  if (call.totalMs === undefined) return undefined
  // Without the caller's entries the total is the callee's work, and so is the offset.
  return call.offsetMs + call.totalMs
}
