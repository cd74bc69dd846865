import { type CallNode, type CallTree, verdict } from 'clew/trace'

/**
 * A call tree as plain JSON for scripts: its calls in a flat list, each before those it made, so
 * that no depth is too deep.
 */
export function treeJson(tree: CallTree): object {
  const { root, traceId, calls: callCount, clocks, ...about } = tree
  const { sentences } = verdict(tree)
  return {
    id: traceId,
    sentences,
    callCount,
    ...rounded(about),
    clocks: clocks.map(rounded),
    calls: callsOf(root),
  }
}

/** Microseconds are the finest that any clock here tells. */
function rounded(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.round(value * 1000) / 1000 : value,
    ]),
  )
}

function callsOf(root: CallNode): readonly object[] {
  const told: object[] = []
  const open: { call: CallNode; parent: string | null; depth: number }[] = [
    { call: root, parent: null, depth: 0 },
  ]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { call, parent, depth } = next
    const { calls, ...own } = call
    told.push({ parent, depth, ...rounded(own) })
    for (const child of calls.toReversed())
      open.push({ call: child, parent: call.id, depth: depth + 1 })
  }
  return told
}
