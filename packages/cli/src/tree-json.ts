import type { CallNode, CallTree } from 'clew/trace'
import { verdict } from 'clew/trace'

/**
 * A call tree as plain JSON for scripts: its calls in a flat list, each before those it made, so
 * that no depth is too deep.
 */
export function treeJson(tree: CallTree): object {
  const { root, traceId, ...about } = tree
  return { id: traceId, ...about, sentences: verdict(tree).sentences, calls: callsOf(root) }
}

function callsOf(root: CallNode): readonly object[] {
  const told: object[] = []
  const open: { call: CallNode; parent: string | null; depth: number }[] = [
    { call: root, parent: null, depth: 0 },
  ]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { call, parent, depth } = next
    const { calls, ...own } = call
    told.push({ parent, depth, ...own })
    for (const child of calls.toReversed())
      open.push({ call: child, parent: call.id, depth: depth + 1 })
  }
  return told
}
