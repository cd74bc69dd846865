import type { CallNode, CallTree } from '../call-node.ts'
import type { Edge } from '../entry.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { nameOf } from './walk.ts'

/** Where much of the root's time went, by the critical path. */
export interface Bottleneck {
  readonly service: string
  readonly method: string
  readonly edge: Edge
  /** Host of the call that spent most of it, and its process where it tells. */
  readonly host: string | undefined
  readonly pid: number | undefined
  /**
   * `work`: the method itself. `wait`: on the way to it and back, queue included. `start`: in its
   * process, before the method began.
   */
  readonly where: Where
  /** From 0 to 1. */
  readonly shareOfTotal: number
  readonly ms: number
  /** Calls on the critical path that add up to it. */
  readonly calls: number
  /** Processes that these calls ran in; 0 where none tells. */
  readonly instances: number
  /** The one that spent most of it. */
  readonly call: CallNode
  /** How much of it was spent in that one's process. */
  readonly processMs: number
}

export type Where = 'work' | 'wait' | 'start'

interface Spent {
  readonly call: CallNode
  readonly where: Where
  ms: number
  readonly own: Map<CallNode, number>
}

/** Critical time by method; its work, the way to it and its wait for a beginning apart; the most first. */
export function bottlenecks(
  tree: CallTree,
  path: readonly CriticalSegment[] = criticalPath(tree),
): readonly Bottleneck[] {
  const spent = new Map<string, Spent>()
  for (const segment of path) {
    const { work, wait, start } = split(segment)
    add(spent, segment.call, 'work', work)
    add(spent, segment.call, 'wait', wait)
    add(spent, segment.call, 'start', start)
  }
  const order = [...spent.values()].sort((a, b) => b.ms - a.ms)
  const told = order.filter(({ ms }, at) => at === 0 || ms >= LEAST_MS)
  return told.map(({ call: first, where, ms, own }): Bottleneck => {
    let call = first
    for (const [other, time] of own) if (time > (own.get(call) ?? 0)) call = other
    const { service, method, edge, host, pid } = call
    const shareOfTotal = tree.totalMs > 0 ? ms / tree.totalMs : 0
    const processes = processesOf(own)
    const processMs = processes.get(processOf(call)) ?? 0
    const about = { service, method, edge, host, pid, where, shareOfTotal, ms }
    return { ...about, calls: own.size, instances: processes.size, call, processMs }
  })
}

/** Milliseconds since 1970 are exact to a quarter of a microsecond: less than half of one is none. */
const LEAST_MS = 0.0005

const processOf = ({ host, pid }: CallNode) => `${pid ?? ''} ${host ?? ''}`

/** Milliseconds by process; those of which nothing tells where they ran are left out. */
function processesOf(own: ReadonlyMap<CallNode, number>): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const [call, ms] of own) {
    if (call.host === undefined) continue
    sums.set(processOf(call), (sums.get(processOf(call)) ?? 0) + ms)
  }
  return sums
}

function add(spent: Map<string, Spent>, call: CallNode, where: Where, ms: number): void {
  if (ms <= 0) return
  const key = `${where} ${nameOf(call)}`
  let sum = spent.get(key)
  if (sum === undefined) {
    sum = { call, where, ms: 0, own: new Map() }
    spent.set(key, sum)
  }
  sum.ms += ms
  sum.own.set(call, (sum.own.get(call) ?? 0) + ms)
}

/** How much of a segment lay within the callee's work, before its beginning, and on the way to it and back. */
export function split({ call, startMs, endMs }: CriticalSegment): Readonly<Record<Where, number>> {
  const { handleOffsetMs, handleMs, receiveMs, startMs: begun } = call
  const whole = endMs - startMs
  // Without the callee's entries nobody can tell them apart; a database's work is its caller's wait.
  if (handleOffsetMs === undefined || handleMs === undefined)
    return { work: whole, wait: 0, start: 0 }
  const end = handleOffsetMs + handleMs
  const waited = begun === undefined || receiveMs === undefined ? 0 : Math.max(0, begun - receiveMs)
  const begin = Math.min(end, handleOffsetMs + waited)
  const overlap = (from: number, to: number) =>
    Math.max(0, Math.min(endMs, to) - Math.max(startMs, from))
  const [start, work] = [overlap(handleOffsetMs, begin), overlap(begin, end)]
  return { work, start, wait: Math.max(0, whole - work - start) }
}
