import type { HostClock } from './call-node.ts'
import {
  both,
  boundsOf,
  contradict,
  endedByAnswer,
  errorOf,
  type TwoSided,
} from './clocks/bounds.ts'
import { type Apart, ClockPool, isApart } from './clocks/clock-pool.ts'
import type { Entry } from './entry.ts'
import { type Making, type Room, stamp } from './gather-calls.ts'
import type { Problems } from './problems.ts'

export interface PlaceOptions {
  /** What is known of clocks; 'raw': place everything as its clock says. @default what the calls tell */
  readonly clocks: ClockPool | 'raw' | undefined
  /** True for records of another system. */
  readonly foreign: boolean
  readonly problems: Problems
}

/**
 * Says where every call lies on the root's clock. Hosts' clocks are aligned by what all their calls
 * prove (`clocks/`) and believed where that can be true. Where nothing is proved a callee is moved only
 * when its work would begin before it was asked for or end after its answer came, and then to the
 * middle; work of which only the callee tells never within its caller's own host, where it may end
 * when it likes. Durations stay what they are.
 */
export function placeCalls(order: readonly Making[], options: PlaceOptions): readonly HostClock[] {
  const placing = new Placing(order, options)
  for (const call of order) {
    const outside = call.parent?.inside ?? ANYWHERE
    const inside = call.placeholder ? outside : placing.place(call, outside)
    // Most calls make none, and need not keep what only those would ask for.
    if (call.calls.length > 0) call.inside = inside
  }
  for (let at = order.length - 1; at >= 0; at--) if (order[at]!.placeholder) reach(order[at]!)
  return placing.clocks()
}

const ANYWHERE: Room = { shiftMs: 0, fromMs: -Infinity, toMs: Infinity }

class Placing {
  readonly #pool: ClockPool | undefined
  readonly #foreign: boolean
  readonly #first: string | undefined
  readonly #beginMs: number
  /** What was found for a host last, for calls that tell nothing themselves. */
  readonly #hosts = new Map<string, number>()

  constructor(order: readonly Making[], { clocks, foreign, problems }: PlaceOptions) {
    const root = order.find(({ placeholder }) => !placeholder)
    const first = root?.request ?? root?.finish ?? root?.delivery?.receive
    this.#foreign = foreign
    this.#first = first?.host
    this.#beginMs = stamp(first) ?? 0
    if (clocks === 'raw') return
    this.#pool = clocks ?? pooled(order, foreign)
    if (clocks === undefined) this.#tellProblems(problems)
  }

  #tellProblems(problems: Problems): void {
    for (const [caller, callee] of this.#pool!.stepped()) {
      problems.add('clocks', `the clock of ${caller} or ${callee} was set while the trace ran`)
    }
    const hosts = this.#pool!.at(this.#beginMs, this.#first)?.alignment.contradictory ?? []
    if (hosts.length === 0) return
    const named = hosts.slice(0, 5).join(', ')
    const more = hosts.length > 5 ? ` and ${hosts.length - 5} more` : ''
    problems.add('clocks', `no offsets suit the clocks of ${named}${more}: times are near at best`)
  }

  /** What is known of each host's clock when the trace began. */
  clocks(): readonly HostClock[] {
    const alignment = this.#pool?.at(this.#beginMs, this.#first)?.alignment
    const group = alignment?.hosts.get(this.#first ?? '')?.group
    if (alignment === undefined || group === undefined) return []
    const told: HostClock[] = []
    for (const aligned of alignment.hosts.values()) {
      const { host, offsetMs } = aligned
      if (aligned.group !== group || host === this.#first) continue
      const error = errorOf(offsetMs, aligned)
      const errorMs = Number.isFinite(error) ? error : undefined
      told.push({ host, offsetMs, errorMs, adjusted: offsetMs !== 0 })
    }
    return told
  }

  place(call: Making, outside: Room): Room {
    const { shiftMs: shift } = outside
    const sides = sidesOf(call)
    const { requestMs: request, receiveMs: receive } = sides
    const { respondMs: respond, finishMs: finish } = sides
    const from = request ?? finish
    if (from === undefined) call.shiftMs = this.#shiftOfCallee(call, sides, outside)
    else {
      call.beginMs = from + shift
      call.endMs = finish === undefined ? call.beginMs : Math.max(call.beginMs, finish + shift)
      call.shiftMs = this.#shiftOfBoth(call, sides, shift)
    }
    const begin = receive ?? respond
    if (begin === undefined) {
      return { shiftMs: call.shiftMs, fromMs: call.beginMs, toMs: call.endMs }
    }
    const workFrom = begin + call.shiftMs
    const workTo = Math.max(workFrom, (respond ?? begin) + call.shiftMs)
    if (from === undefined) {
      call.beginMs = workFrom
      call.endMs = workTo
    } else if (finish === undefined) {
      call.endMs = Math.max(call.endMs, workTo)
    } else if (request === undefined) {
      call.beginMs = Math.min(call.beginMs, workFrom)
    }
    const host = calleeOf(call)
    if (host !== undefined && receive !== undefined && respond !== undefined) {
      this.#hosts.set(host, call.shiftMs)
    }
    const toMs = respond === undefined ? Infinity : workTo
    return { shiftMs: call.shiftMs, fromMs: workFrom, toMs }
  }

  /** Of a call of which only the callee tells. */
  #shiftOfCallee(call: Making, sides: TwoSided, outside: Room): number {
    const host = calleeOf(call)
    const above = calleeOf(call.parent)
    const sameClock = host !== undefined && host === above
    if (sameClock || this.#pool === undefined) return outside.shiftMs
    const begin = (sides.receiveMs ?? sides.respondMs ?? Number.NaN) + outside.shiftMs
    const apart = this.#apart(above, host, begin)
    // Only a call to another host is waited for so surely that ending late means another clock.
    const awaited = call.edge === 'call' && call.parent !== undefined
    const room = awaited && apart === undefined ? outside : { ...outside, toMs: Infinity }
    return this.#shiftWithin(sides, room, host, apart)
  }

  /** Of a call of which the caller tells, and the callee perhaps. */
  #shiftOfBoth(call: Making, sides: TwoSided, shift: number): number {
    const caller = (call.request ?? call.finish)?.host
    const host = calleeOf(call)
    if (this.#pool === undefined || host === undefined) return shift
    const answered = endedByAnswer(sides, this.#foreign)
    // A host without a name is any host.
    if (host !== '' && host === caller) {
      if (answered) call.legErrorMs = 0
      return shift
    }
    const apart = this.#apart(caller, host, call.beginMs)
    const ended = sides.finishMs !== undefined && (answered || apart === undefined)
    const room = { shiftMs: shift, fromMs: call.beginMs, toMs: ended ? call.endMs : Infinity }
    const found = this.#shiftWithin(sides, room, host, apart)
    const own = answered ? boundsOf(sides, this.#foreign) : undefined
    if (own !== undefined) {
      const all = apart === undefined ? own : both(own, apart)
      const error = errorOf(shift - found, contradict(all) ? own : all)
      if (Number.isFinite(error)) call.legErrorMs = error
    }
    return found
  }

  /** What is proved of two hosts' clocks. */
  #apart(caller: string | undefined, host: string | undefined, at: number): Apart | undefined {
    if (!isApart(caller, host)) return undefined
    return this.#pool!.at(at, this.#first)?.apart(caller!, host!)
  }

  /** What brings the callee's clock to the root's so that its work lies within its room. */
  #shiftWithin(
    { receiveMs, respondMs }: TwoSided,
    room: Room,
    host: string | undefined,
    apart: Apart | undefined,
  ): number {
    const from = receiveMs ?? respondMs
    if (from === undefined) return room.shiftMs
    const to = Math.max(from, respondMs ?? from)
    const fits = (shift: number) => from + shift >= room.fromMs && to + shift <= room.toMs
    const guess = room.shiftMs - (apart?.offsetMs ?? 0)
    if (fits(guess)) return guess
    const last = host === undefined ? undefined : this.#hosts.get(host)
    if (apart === undefined && last !== undefined && fits(last)) return last
    const early = from + guess < room.fromMs
    const spare = room.toMs - room.fromMs - (to - from)
    // Work that took much longer than its caller waited only must not begin too early.
    const atMost = LONGER * (room.toMs - room.fromMs)
    if (spare < 0 && -spare <= atMost) return room.toMs - to
    if (spare < 0 && !early) return guess
    // What is proved of the hosts is right but for a little.
    if (apart !== undefined) return early ? room.fromMs - from : room.toMs - to
    const lead = Number.isFinite(spare) && spare > 0 ? Math.round(spare * 500) / 1000 : 0
    return room.fromMs + lead - from
  }
}

/** By this share of its caller's wait a record may be longer, since both are read with some delay. */
const LONGER = 0.01

/**
 * What a trace's calls tell of clocks. When they were made is reckoned on one clock from each call to
 * those it made, so it is right but for the ways to their callees.
 */
function pooled(order: readonly Making[], foreign: boolean): ClockPool {
  const pool = new ClockPool()
  for (const call of order) {
    const request = stamp(call.request)
    const above = call.parent
    const begun = stamp(above?.delivery?.receive)
    if (above === undefined || above.placeholder)
      call.beginMs = request ?? stamp(call.delivery?.receive) ?? 0
    else {
      const since = request === undefined || begun === undefined ? 0 : request - begun
      call.beginMs = above.beginMs + since
    }
    const caller = call.request?.host
    const host = calleeOf(call)
    if (!isApart(caller, host)) continue
    const bounds = boundsOf(sidesOf(call), foreign)
    if (bounds !== undefined) pool.addBounds(caller!, host!, bounds, call.beginMs)
  }
  return pool
}

function sidesOf({ edge, request, finish, delivery }: Making): TwoSided {
  return {
    edge,
    requestMs: stamp(request),
    receiveMs: stamp(delivery?.receive),
    respondMs: stamp(delivery?.respond),
    finishMs: stamp(finish),
    callerStatus: statusOf(finish),
    calleeStatus: statusOf(delivery?.respond),
    late: delivery?.respond?.late === true,
  }
}

const statusOf = (entry: Entry | undefined) =>
  entry === undefined ? undefined : (entry.status ?? 'ok')

const calleeOf = (call: Making | undefined) =>
  (call?.delivery?.receive ?? call?.delivery?.respond)?.host

/** A place made up to hold others reaches from the first of them to the last. */
function reach(call: Making): void {
  const { calls } = call
  if (calls.length === 0) return
  call.beginMs = calls.reduce((least, child) => Math.min(least, child.beginMs), Infinity)
  call.endMs = calls.reduce((most, child) => Math.max(most, child.endMs), -Infinity)
}
