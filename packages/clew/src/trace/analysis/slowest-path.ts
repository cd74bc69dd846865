import type { CallNode, CallTree } from '../call-node.ts'

/**
 * From the root down, always to the call that took longest; the first where several did. Handlers of
 * events are passed over: nobody waits for them.
 */
export function slowestPath(tree: CallTree): readonly CallNode[] {
  const path = [tree.root]
  for (let call = longest(tree.root); call !== undefined; call = longest(call)) path.push(call)
  return path
}

/** Publishing is waited for, what hears of it is not. */
const isHandled = ({ edge, handleMs }: CallNode) => edge === 'event' && handleMs !== undefined

function longest(parent: CallNode): CallNode | undefined {
  let found: CallNode | undefined
  for (const call of parent.calls) {
    if (call.totalMs === undefined || isHandled(call)) continue
    if (found === undefined || call.totalMs > found.totalMs!) found = call
  }
  return found
}
