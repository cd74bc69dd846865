import { type CallNode, type CallTree, criticalPath } from 'clew/trace'
import { isFailed } from '../outline/condition.ts'

/**
 * The calls that a page shows of a tree that has too many: those on the critical path and failures
 * first, then what took longest; whoever is kept has its callers kept. Undefined where all fit.
 */
export function chosenCalls(tree: CallTree, most: number): ReadonlySet<CallNode> | undefined {
  const order: CallNode[] = []
  const parents: number[] = []
  const open: { readonly call: CallNode; readonly parent: number }[] = [
    { call: tree.root, parent: -1 },
  ]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const index = order.push(at.call) - 1
    parents.push(at.parent)
    for (const call of at.call.calls) open.push({ call, parent: index })
  }
  if (order.length <= most) return undefined
  const weights = Float64Array.from(order, weightOf)
  const rows = new Map(order.map((call, index) => [call, index]))
  for (const { call, startMs, endMs } of criticalPath(tree)) {
    const index = rows.get(call)
    if (index !== undefined) weights[index] = CRITICAL + (endMs - startMs || 0)
  }
  // From the leaves up: no caller weighs less than what it called, so the heaviest hang together.
  for (let index = order.length - 1; index > 0; index--) {
    const parent = parents[index]!
    weights[parent] = Math.max(weights[parent]!, weights[index]!)
  }
  const ranked = Uint32Array.from(order.keys())
  ranked.sort((one, other) => weights[other]! - weights[one]! || one - other)
  const kept = new Set<CallNode>()
  for (const index of ranked.subarray(0, Math.max(1, most))) kept.add(order[index]!)
  return kept
}

/** Beyond all durations. */
const CRITICAL = 1e15

function weightOf(call: CallNode): number {
  const ms = call.totalMs ?? call.handleMs ?? 0
  return (isFailed(call) ? CRITICAL : 0) + (Number.isFinite(ms) ? Math.max(0, ms) : 0)
}
