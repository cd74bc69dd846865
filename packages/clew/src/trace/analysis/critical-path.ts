import type { CallNode, CallTree } from '../call-node.ts'
import { endOf, isHandler } from './walk.ts'

/** A stretch of time that the root's answer waited for, and the call that spent it itself. */
export interface CriticalSegment {
  readonly call: CallNode
  /** Milliseconds from the root's beginning. */
  readonly startMs: number
  readonly endMs: number
}

interface Interval {
  readonly call: CallNode
  readonly from: number
  readonly to: number
}

/** A call on the way back from its end, and how far it is accounted for. */
interface Sweep {
  readonly call: CallNode
  readonly from: number
  until: number
  readonly inner: readonly Interval[]
  next: number
}

/**
 * The longest chain of work and waits that made the root take as long as it did: from each end
 * backwards, the call that ended last is waited for. The segments follow each other without gap or
 * overlap from 0 to the root's total, so their durations add up to it.
 * The exact sweep of Uber's CRISP (Zhang et al., ATC 2022), without its tolerance: siblings are
 * timed by one clock here.
 */
export function criticalPath(tree: CallTree): readonly CriticalSegment[] {
  const { root } = tree
  const segments: CriticalSegment[] = []
  const from = root.offsetMs
  const stack = [sweep(root, from, from + tree.totalMs)]
  while (stack.length > 0) {
    const current = stack.at(-1)!
    const child = nextBack(current)
    credit(segments, current.call, child?.to ?? current.from, current.until)
    if (child === undefined) {
      stack.pop()
    } else {
      current.until = child.from
      stack.push(sweep(child.call, child.from, child.to))
    }
  }
  return segments.reverse()
}

function sweep(call: CallNode, from: number, to: number): Sweep {
  const inner: Interval[] = []
  for (const child of call.calls) {
    const end = endOf(child)
    if (end === undefined || isDetached(child, call)) continue
    const clipped = { call: child, from: Math.max(from, child.offsetMs), to: Math.min(to, end) }
    if (clipped.to > clipped.from) inner.push(clipped)
  }
  // The last to end comes first; of those that end together, the last to begin.
  inner.sort((a, b) => b.to - a.to || b.from - a.from)
  return { call, from, until: to, inner, next: 0 }
}

/** The last call to end before what is accounted for already. Ends only fall, so none is looked at twice. */
function nextBack(current: Sweep): Interval | undefined {
  while (current.next < current.inner.length) {
    const child = current.inner[current.next++]!
    if (child.to <= current.until) return child
  }
  return undefined
}

function credit(segments: CriticalSegment[], call: CallNode, startMs: number, endMs: number): void {
  if (endMs > startMs) segments.push({ call, startMs, endMs })
}

/** Nobody waited for it: made after the answer, not awaited, or an event's handler. */
export function isDetached(call: CallNode, parent: CallNode): boolean {
  if (call.requestMs === undefined) return isHandler(call)
  if (call.finishMs === undefined) return true
  return parent.respondMs !== undefined && call.requestMs > parent.respondMs
}
