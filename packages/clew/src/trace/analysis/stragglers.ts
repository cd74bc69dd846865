import type { CallNode, CallTree } from '../call-node.ts'
import { LEAST_EXCESS_MS, LEAST_SIBLINGS, medianOf, standingOut } from '../straggling.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { endOf, nameOf, placesOf } from './walk.ts'

/**
 * Which part of a call the time went to. `wait`: network, broker and queue; `start`: between arrival
 * and the method's beginning; `self`: its own work; `downstream`: calls it made in its turn.
 */
export type Leg = 'wait' | 'start' | 'self' | 'downstream'

export interface Straggler {
  readonly call: CallNode
  readonly parent: CallNode
  /** Calls of the same method by the same parent, this one included. */
  readonly siblings: number
  /** Services among them: 1, or as many as shards and the like were asked at once. */
  readonly services: number
  readonly medianMs: number
  /** How much longer than the median it took. */
  readonly excessMs: number
  /** How many times the median it took. */
  readonly times: number
  /** Which leg explains most of the excess; undefined where the callee left no entries. */
  readonly leg: Leg | undefined
  /** How much earlier the last of its siblings would have ended, had it been like the others. */
  readonly impactMs: number
}

/** Share of the parent's time below which an excess does not matter. */
const LEAST_SHARE = 0.1

/**
 * Calls that took much longer than their siblings of the same method and that the answer waited for,
 * the greatest excess first. Groups of fewer than four tell nothing. Services that are asked at once
 * for the same method, as shards are, count as siblings too.
 */
export function stragglers(
  tree: CallTree,
  path: readonly CriticalSegment[] = criticalPath(tree),
): readonly Straggler[] {
  const critical = new Set<CallNode>(path.map(({ call }) => call))
  const found: Straggler[] = []
  for (const parent of placesOf(tree.root)) {
    if (parent.calls.length < LEAST_SIBLINGS) continue
    const total = parent.totalMs ?? tree.totalMs
    const leastExcess = Math.max(LEAST_EXCESS_MS, LEAST_SHARE * total)
    for (const group of groupsOf(parent)) {
      const { medianMs, indices } = standingOut(
        group.map((call) => call.totalMs!),
        leastExcess,
      )
      for (const index of indices) {
        const call = group[index]!
        if (reaches(call, critical)) found.push(describe(call, parent, group, medianMs))
      }
    }
  }
  return found.sort((a, b) => b.excessMs - a.excessMs)
}

function groupsOf(parent: CallNode): CallNode[][] {
  const timed = parent.calls.filter((call) => call.totalMs !== undefined && !call.placeholder)
  const alike = Map.groupBy(timed, nameOf)
  const enough = [...alike.values()].filter((group) => group.length >= LEAST_SIBLINGS)
  const others = timed.filter((call) => alike.get(nameOf(call))!.length < LEAST_SIBLINGS)
  const named = [...Map.groupBy(others, ({ method }) => method).values()]
  return [...enough, ...named.filter((group) => group.length >= LEAST_SIBLINGS && atOnce(group))]
}

/** True when all calls were under way together: none ended before the last had begun. */
function atOnce(calls: readonly CallNode[]): boolean {
  let lastBegin = Number.NEGATIVE_INFINITY
  let firstEnd = Number.POSITIVE_INFINITY
  for (const call of calls) {
    lastBegin = Math.max(lastBegin, call.offsetMs)
    firstEnd = Math.min(firstEnd, endOf(call)!)
  }
  return lastBegin <= firstEnd
}

/** True when the critical path goes through the call: its own time or that of a call below it. */
function reaches(call: CallNode, critical: ReadonlySet<CallNode>): boolean {
  for (const place of placesOf(call)) if (critical.has(place)) return true
  return false
}

function describe(
  call: CallNode,
  parent: CallNode,
  group: readonly CallNode[],
  medianMs: number,
): Straggler {
  const excessMs = call.totalMs! - medianMs
  const end = endOf(call)!
  let others = 0
  for (const sibling of group) if (sibling !== call) others = Math.max(others, endOf(sibling)!)
  return {
    call,
    parent,
    siblings: group.length,
    services: new Set(group.map(({ service }) => service)).size,
    medianMs,
    excessMs,
    times: medianMs > 0 ? call.totalMs! / medianMs : Number.POSITIVE_INFINITY,
    leg: legOf(call, group),
    impactMs: Math.min(excessMs, Math.max(0, end - others)),
  }
}

const LEGS: Readonly<Record<Leg, (call: CallNode) => number | undefined>> = {
  wait: (call) => call.networkMs,
  start: ({ startMs, receiveMs }) =>
    startMs === undefined || receiveMs === undefined ? 0 : startMs - receiveMs,
  self: ({ selfMs, startMs, receiveMs }) =>
    selfMs === undefined ? undefined : selfMs - ((startMs ?? receiveMs ?? 0) - (receiveMs ?? 0)),
  downstream: ({ handleMs, selfMs }) =>
    handleMs === undefined || selfMs === undefined ? undefined : handleMs - selfMs,
}

function legOf(call: CallNode, group: readonly CallNode[]): Leg | undefined {
  let best: Leg | undefined
  let most = 0
  for (const leg of Object.keys(LEGS) as Leg[]) {
    const own = LEGS[leg](call)
    if (own === undefined) continue
    const times: number[] = []
    for (const sibling of group) {
      const time = LEGS[leg](sibling)
      if (time !== undefined) times.push(time)
    }
    const excess = own - medianOf(times.sort((a, b) => a - b))
    if (excess > most) {
      most = excess
      best = leg
    }
  }
  return best
}
