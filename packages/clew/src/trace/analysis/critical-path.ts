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
  readonly to: number
  readonly inner: readonly Interval[]
  next: number
  /** The child that was waited for last, as it lies. */
  later: Interval | undefined
  /** When its children begin and end, in order; found out where it matters. */
  edges: Float64Array | undefined
}

/**
 * The longest chain of work and waits that made the root take as long as it did: from each end
 * backwards, the call that ended last is waited for. The segments follow each other without gap or
 * overlap from 0 to the root's total, so their durations add up to it.
 * The sweep of Uber's CRISP (Zhang et al., ATC 2022) with its tolerance: of two siblings that overlap
 * by less than 1 % of their parent's time, with nothing else beginning or ending just then, the later
 * one waited for the earlier one.
 */
export function criticalPath(tree: CallTree): readonly CriticalSegment[] {
  return inOrder(waitedFor(tree))
}

/** The critical path, and where siblings on it overlap by so little that they follow each other. */
export interface Waited {
  /** From the end backwards; the later part of an earlier sibling may reach into what came before it. */
  readonly pieces: readonly CriticalSegment[]
  /** Where pieces overlap; of the call, which is their parent, the own time is less by it. */
  readonly overlaps: readonly CriticalSegment[]
}

export function waitedFor({ root, totalMs }: CallTree): Waited {
  const pieces: CriticalSegment[] = []
  const overlaps: CriticalSegment[] = []
  const from = root.offsetMs
  const stack = [sweep(root, from, from + totalMs)]
  while (stack.length > 0) {
    const current = stack.at(-1)!
    const child = nextBack(current)
    if (child === undefined) {
      credit(pieces, current.call, current.from, current.until)
      stack.pop()
      continue
    }
    credit(pieces, current.call, child.to, current.until)
    credit(overlaps, current.call, current.until, child.to)
    current.until = child.from
    current.later = child
    stack.push(sweep(child.call, child.from, child.to))
  }
  return { pieces, overlaps }
}

/** Each moment once, in order of time: where siblings overlap it is the later one's. */
function inOrder({ pieces, overlaps }: Waited): readonly CriticalSegment[] {
  if (overlaps.length === 0) return pieces.toReversed()
  const segments: CriticalSegment[] = []
  let until = Number.POSITIVE_INFINITY
  for (const { call, startMs, endMs } of pieces) {
    credit(segments, call, startMs, Math.min(endMs, until))
    until = Math.min(until, startMs)
  }
  return segments.reverse()
}

function sweep(call: CallNode, from: number, to: number): Sweep {
  const inner: Interval[] = []
  for (const child of call.calls) {
    const end = endOf(child)
    if (end === undefined || isDetached(child, call)) continue
    const [begin, stop] = [toMicroseconds(child.offsetMs), toMicroseconds(end)]
    const clipped = { call: child, from: Math.max(from, begin), to: Math.min(to, stop) }
    if (clipped.to > clipped.from) inner.push(clipped)
  }
  // The last to end comes first; of those that end together, the last to begin.
  inner.sort((a, b) => b.to - a.to || b.from - a.from)
  return { call, from, until: to, to, inner, next: 0, later: undefined, edges: undefined }
}

/** The last call to end before what is accounted for already. Ends only fall, so none is looked at twice. */
function nextBack(current: Sweep): Interval | undefined {
  while (current.next < current.inner.length) {
    const child = current.inner[current.next++]!
    if (child.to <= current.until) return child
    if (current.later !== undefined && comesJustBefore(child, current.later, current)) {
      return child
    }
  }
  return undefined
}

/** Siblings may overlap by less than this share of their parent's time and still follow each other. */
const OVERLAP = 0.01

/** Milliseconds since 1970 are not exact to the microsecond: what is equal there is equal here. */
const toMicroseconds = (ms: number) => Math.round(ms * 1000) / 1000

/** True when two siblings overlap by so little that clocks and records may have made it. */
function comesJustBefore(earlier: Interval, later: Interval, within: Sweep): boolean {
  if (earlier.from >= later.from || earlier.to >= later.to) return false
  // Of a callee with a record of its own, its calls were made in that time.
  const parentMs = within.call.handleMs ?? within.to - within.from
  const overlapUs = Math.round((earlier.to - later.from) * 1000)
  if (overlapUs >= OVERLAP * Math.round(parentMs * 1000)) return false
  within.edges ??= edgesOf(within.inner)
  return countBetween(within.edges, later.from, earlier.to) === 2
}

function edgesOf(inner: readonly Interval[]): Float64Array {
  const edges = new Float64Array(inner.length * 2)
  for (const [index, { from, to }] of inner.entries()) {
    edges[index * 2] = from
    edges[index * 2 + 1] = to
  }
  return edges.sort()
}

/** How many of the numbers, which are in order, lie between two, these included. */
function countBetween(numbers: Float64Array, from: number, to: number): number {
  const first = countUpTo(numbers, (number) => number < from)
  return countUpTo(numbers, (number) => number <= to) - first
}

function countUpTo(numbers: Float64Array, isBelow: (number: number) => boolean): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBelow(numbers[middle]!)) low = middle + 1
    else high = middle
  }
  return low
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
