import type { CallNode, CallTree } from '../call-node.ts'
import {
  LEAST_EXCESS_MS,
  LEAST_SIBLINGS,
  medianOf,
  STANDS_OUT,
  standingOut,
} from '../straggling.ts'
import { type CriticalSegment, criticalPath, isDetached } from './critical-path.ts'
import { LEGS, type Leg, legMs, type Way, wayMs } from './legs.ts'
import { endOf, nameOf, placesWithParents } from './walk.ts'

export interface Straggler {
  readonly call: CallNode
  readonly parent: CallNode
  /** What it was held against: its siblings here, or calls of the same path in other traces. */
  readonly against: 'siblings' | 'baseline'
  /** Calls of the same method by the same parent, this one included; or as many as the baseline has. */
  readonly siblings: number
  /** Services among them: 1, or as many as shards and the like were asked at once. */
  readonly services: number
  readonly medianMs: number
  /** How much longer than the median it took. */
  readonly excessMs: number
  /** How many times the median it took. */
  readonly times: number
  /** Robust z-score of its time's logarithm, above 3.5 (Iglewicz and Hoaglin). */
  readonly score: number
  /** Which leg explains most of the excess; undefined where the callee left no entries. */
  readonly leg: Leg | undefined
  /** With `wait`: which way took most of the excess, where clocks leave no doubt. */
  readonly way?: Way
  /** How much of the excess that leg explains, in milliseconds. */
  readonly legExcessMs: number | undefined
  /** With `downstream`: the deepest call below it that explains most of the excess, if one does. */
  readonly cause?: CallNode
  /** How much earlier its parent could have gone on, had the call been like the others. */
  readonly impactMs: number
}

/** How long calls of one kind usually take. */
export interface Baseline {
  readonly count: number
  readonly p25Ms: number
  readonly medianMs: number
  readonly p75Ms: number
}

export interface StragglerOptions {
  /** What is known from many traces of such calls; asked for those with fewer than four siblings. */
  readonly baseline?: (call: CallNode, parent: CallNode) => Baseline | undefined
}

/** Share of the parent's time below which an excess does not matter. */
const LEAST_SHARE = 0.1
/** Calls a baseline must rest on. */
const LEAST_BASELINE = 20
/** Quartiles of a normal distribution lie so many standard deviations apart. */
const QUARTILES_APART = 1.349
const LEAST_DEVIATION = Math.log(1.05)
/** Stragglers whose cause is looked for below them. */
const MOST_CAUSES = 10

/**
 * Calls that took much longer than their siblings of the same method and that the answer waited for,
 * the greatest excess first. Groups of fewer than four tell nothing by themselves: they are held
 * against a baseline where there is one. Services that are asked at once for the same method, as
 * shards are, count as siblings too.
 */
export function stragglers(
  tree: CallTree,
  path: readonly CriticalSegment[] = criticalPath(tree),
  { baseline }: StragglerOptions = {},
): readonly Straggler[] {
  const { order, parents } = placesWithParents(tree.root)
  let through: ReadonlySet<CallNode> | undefined
  const isAwaited = (call: CallNode) => {
    through ??= onPath(order, parents, path)
    return through.has(call)
  }
  const found: { straggler: Straggler; group: readonly CallNode[] }[] = []
  for (const parent of order) {
    if (parent.calls.length === 0) continue
    const total = parent.totalMs ?? tree.totalMs
    const leastExcess = Math.max(LEAST_EXCESS_MS, LEAST_SHARE * total)
    const { groups, rest } = groupsOf(parent)
    const ends = new Ends(parent)
    for (const group of groups) {
      const times = group.map((call) => call.totalMs!)
      const { medianMs, indices, scores } = standingOut(times, leastExcess)
      const usual = indices.length > 0 ? usualLegs(group) : undefined
      for (const [rank, index] of indices.entries()) {
        const call = group[index]!
        if (!isAwaited(call)) continue
        const apart = { medianMs, score: scores[rank]!, siblings: group.length }
        const services = new Set(group.map(({ service }) => service)).size
        const held = { against: 'siblings', services, ...apart } as const
        found.push({ straggler: describe(call, parent, held, usual, ends), group })
      }
    }
    for (const call of baseline === undefined ? [] : rest) {
      // An excess that matters is less than the whole: most calls need not be looked up.
      if (!(call.totalMs! > leastExcess) || !isAwaited(call)) continue
      const held = heldAgainst(baseline!(call, parent), call, leastExcess)
      if (held === undefined) continue
      found.push({ straggler: describe(call, parent, held, undefined, ends), group: [] })
    }
  }
  const slow = new Set(found.map(({ straggler }) => straggler.call))
  // Who only waited for another that is told is no straggler by itself.
  const told = found.filter(({ straggler: { against, leg, call } }) => {
    return (
      against === 'siblings' || leg !== 'downstream' || !call.calls.some((each) => slow.has(each))
    )
  })
  told.sort((a, b) => b.straggler.excessMs - a.straggler.excessMs)
  return told.map(({ straggler, group }, rank) => {
    if (rank >= MOST_CAUSES || straggler.leg !== 'downstream') return straggler
    const cause = causeBelow(straggler, group)
    return cause === undefined ? straggler : { ...straggler, cause }
  })
}

/** Calls that the critical path goes through: by their own time, or that of a call below them. */
function onPath(
  order: readonly CallNode[],
  parents: readonly number[],
  path: readonly CriticalSegment[],
): ReadonlySet<CallNode> {
  const through = new Set<CallNode>(path.map(({ call }) => call))
  for (let at = order.length - 1; at > 0; at--) {
    if (through.has(order[at]!)) through.add(order[parents[at]!]!)
  }
  return through
}

function groupsOf(parent: CallNode): { groups: CallNode[][]; rest: readonly CallNode[] } {
  const timed = parent.calls.filter((call) => call.totalMs !== undefined && !call.placeholder)
  if (timed.length < LEAST_SIBLINGS) return { groups: [], rest: timed }
  const groups: CallNode[][] = []
  const others: CallNode[] = []
  const rest: CallNode[] = []
  for (const group of Map.groupBy(timed, nameOf).values()) {
    if (group.length >= LEAST_SIBLINGS) groups.push(group)
    else for (const call of group) others.push(call)
  }
  for (const group of Map.groupBy(others, ({ method }) => method).values()) {
    if (group.length >= LEAST_SIBLINGS && atOnce(group)) groups.push(group)
    else for (const call of group) rest.push(call)
  }
  return { groups, rest }
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

type Held = Pick<Straggler, 'against' | 'siblings' | 'services' | 'medianMs' | 'score'>

function heldAgainst(
  usual: Baseline | undefined,
  { totalMs = 0 }: CallNode,
  leastExcessMs: number,
): Held | undefined {
  if (usual === undefined || usual.count < LEAST_BASELINE || !(usual.medianMs > 0)) return undefined
  const { medianMs, p25Ms, p75Ms, count } = usual
  const apart = p25Ms > 0 ? Math.log(p75Ms / p25Ms) / QUARTILES_APART : 0
  const score = Math.log(totalMs / medianMs) / Math.max(apart, LEAST_DEVIATION)
  if (!(score > STANDS_OUT && totalMs - medianMs > leastExcessMs)) return undefined
  return { against: 'baseline', siblings: count, services: 1, medianMs, score }
}

/** `doubt`: how far ways of one of them may be from the truth. */
type UsualLegs = ReadonlyMap<Leg | Way | 'doubt', number>

function usualLegs(group: readonly CallNode[]): UsualLegs {
  const usual = new Map<Leg | Way | 'doubt', number>()
  for (const leg of [...LEGS, 'request', 'reply'] as const) {
    const times: number[] = []
    for (const call of group) {
      const time = leg === 'request' || leg === 'reply' ? wayMs(call, leg) : legMs(call, leg)
      if (time !== undefined) times.push(time)
    }
    if (times.length > 0) usual.set(leg, medianOf(times.sort((a, b) => a - b)))
  }
  usual.set(
    'doubt',
    group.reduce((most, { legErrorMs = 0 }) => Math.max(most, legErrorMs), 0),
  )
  return usual
}

function describe(
  call: CallNode,
  parent: CallNode,
  held: Held,
  usual: UsualLegs | undefined,
  ends: Ends,
): Straggler {
  const { medianMs } = held
  const excessMs = call.totalMs! - medianMs
  const [leg, legExcess] = longestLeg(call, usual)
  const way = leg === 'wait' ? longerWay(call, usual) : undefined
  return {
    call,
    parent,
    ...held,
    excessMs,
    times: medianMs > 0 ? call.totalMs! / medianMs : Number.POSITIVE_INFINITY,
    leg,
    ...(way !== undefined && { way }),
    legExcessMs: leg === undefined ? undefined : Math.min(legExcess, excessMs),
    impactMs: Math.min(excessMs, ends.freedBy(call)),
  }
}

function longestLeg(call: CallNode, usual: UsualLegs | undefined): [Leg | undefined, number] {
  // Of a database nothing is known but how long it took, and that is all its own.
  if (call.edge === 'down') return ['self', Number.POSITIVE_INFINITY]
  let best: Leg | undefined
  let most = 0
  for (const leg of LEGS) {
    const excess = (legMs(call, leg) ?? 0) - (usual?.get(leg) ?? 0)
    if (excess <= most) continue
    most = excess
    best = leg
  }
  return [best, most]
}

/** Which way took most of the excess, if it did wherever between its bounds the truth lies. */
function longerWay(call: CallNode, usual: UsualLegs | undefined): Way | undefined {
  const { requestLegMs, replyLegMs, legErrorMs } = call
  if (requestLegMs === undefined || replyLegMs === undefined || legErrorMs === undefined) {
    return undefined
  }
  const there = requestLegMs - (usual?.get('request') ?? 0)
  const back = replyLegMs - (usual?.get('reply') ?? 0)
  // What one way has too much the other has too little, here and in what is usual.
  if (Math.abs(there - back) <= 2 * (legErrorMs + (usual?.get('doubt') ?? 0))) return undefined
  return there > back ? 'request' : 'reply'
}

/** When a parent's calls ended, in order: what the end of one of them waited for. */
class Ends {
  readonly #parent: CallNode
  #sorted: readonly number[] | undefined

  constructor(parent: CallNode) {
    this.#parent = parent
  }

  /** How long a call was the last of those before it: so much earlier its caller could have gone on. */
  freedBy(call: CallNode): number {
    this.#sorted ??= this.#parent.calls
      .filter((child) => !isDetached(child, this.#parent))
      .map((child) => endOf(child) ?? Number.NEGATIVE_INFINITY)
      .sort((a, b) => a - b)
    const end = endOf(call)!
    let low = 0
    for (let high = this.#sorted.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#sorted[middle]! < end) low = middle + 1
      else high = middle
    }
    return end - Math.max(call.offsetMs, this.#sorted[low - 1] ?? call.offsetMs)
  }
}

/** From the straggler down, the call whose time over what it takes below its siblings is most of the excess. */
function causeBelow(straggler: Straggler, group: readonly CallNode[]): CallNode | undefined {
  let level = group.filter((call) => call !== straggler.call)
  let found: CallNode | undefined
  for (let above = straggler.call; ; ) {
    const usual = Map.groupBy(
      level.flatMap(({ calls }) => calls),
      nameOf,
    )
    const medians = new Map<string, number>()
    let next: CallNode | undefined
    let most = straggler.excessMs / 2
    for (const child of above.calls) {
      if (child.totalMs === undefined || child.placeholder || isDetached(child, above)) continue
      const name = nameOf(child)
      let median = medians.get(name)
      if (median === undefined) {
        const times = (usual.get(name) ?? []).map(({ totalMs }) => totalMs ?? 0)
        median = medianOf(times.sort((a, b) => a - b))
        medians.set(name, median)
      }
      const excess = child.totalMs - median
      if (excess < most) continue
      most = excess
      next = child
    }
    if (next === undefined) return found
    found = next
    above = next
    level = usual.get(nameOf(next)) ?? []
  }
}
