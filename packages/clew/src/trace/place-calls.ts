import type { HostClock } from './call-node.ts'
import { both, boundsOf, contradict, endedByAnswer, errorOf } from './clocks/bounds.ts'
import { type Apart, ClockPool, isApart } from './clocks/clock-pool.ts'
import { type Making, stamp } from './gather-calls.ts'
import type { Problems } from './problems.ts'

export interface PlaceOptions {
  /** What is known of clocks; 'raw': place everything as its clock says. @default what the calls tell */
  readonly clocks: ClockPool | 'raw' | undefined
  /** True for records of another system. */
  readonly foreign: boolean
  readonly problems: Problems
}

/**
 * Where calls lie, each at its position in the order that was given. Milliseconds since 1970 on the
 * root's clock.
 */
export class Places {
  readonly beginMs: Float64Array
  readonly endMs: Float64Array
  /** What brings the callee's clock to the root's. */
  readonly shiftMs: Float64Array
  /** How far the legs there and back may be from the truth; NaN where nothing tells. */
  readonly legErrorMs: Float64Array
  /** Where its own calls have to lie. */
  readonly fromMs: Float64Array
  readonly toMs: Float64Array
  /** What is known of each host's clock when the trace began. */
  clocks: readonly HostClock[] = []

  constructor(count: number) {
    this.beginMs = new Float64Array(count)
    this.endMs = new Float64Array(count)
    this.shiftMs = new Float64Array(count)
    this.legErrorMs = new Float64Array(count).fill(Number.NaN)
    this.fromMs = new Float64Array(count)
    this.toMs = new Float64Array(count)
  }
}

/**
 * Says where every call lies on the root's clock. Hosts' clocks are aligned by what all their calls
 * prove (`clocks/`) and believed where that can be true. Where nothing is proved a callee is moved only
 * when its work would begin before it was asked for or end after its answer came, and then to the
 * middle; work of which only the callee tells never within its caller's own host, where it may end
 * when it likes. Durations stay what they are.
 */
export function placeCalls(order: readonly Making[], options: PlaceOptions): Places {
  const places = new Places(order.length)
  const placing = new Placing(order, places, options)
  for (const call of order) placing.place(call)
  for (let at = order.length - 1; at >= 0; at--) {
    if (order[at]!.placeholder) reach(order[at]!, places)
  }
  places.clocks = placing.clocks()
  return places
}

/** Where the calls of a call have to lie, on the root's clock, and what their caller's clock lacks to it. */
interface Room {
  readonly shiftMs: number
  readonly fromMs: number
  readonly toMs: number
}

const ANYWHERE: Room = { shiftMs: 0, fromMs: -Infinity, toMs: Infinity }

class Placing {
  readonly #places: Places
  readonly #pool: ClockPool | undefined
  readonly #foreign: boolean
  readonly #first: string | undefined
  readonly #beginMs: number
  /** What was found for a host last, for calls that tell nothing themselves. */
  readonly #hosts = new Map<string, number>()

  constructor(
    order: readonly Making[],
    places: Places,
    { clocks, foreign, problems }: PlaceOptions,
  ) {
    this.#places = places
    const root = order.find(({ placeholder }) => !placeholder)
    const first = root?.request ?? root?.finish ?? root?.delivery?.receive
    this.#foreign = foreign
    this.#first = first?.host
    this.#beginMs = stamp(first) ?? 0
    if (clocks === 'raw') return
    this.#pool = clocks ?? pooled(order, places, foreign)
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

  place(call: Making): void {
    const { at, parent, requestMs: request, receiveMs, respondMs: respond, finishMs: finish } = call
    const places = this.#places
    const outside = parent === undefined ? ANYWHERE : roomIn(parent.at, places)
    if (call.placeholder) {
      putRoom(at, outside, places)
      return
    }
    const from = request ?? finish
    // Of one without a stamp it stays as it was reckoned from its caller's.
    let begin = places.beginMs[at]!
    let end = 0
    if (from !== undefined) {
      begin = from + outside.shiftMs
      end = finish === undefined ? begin : Math.max(begin, finish + outside.shiftMs)
    }
    const shift =
      from === undefined
        ? this.#shiftOfCallee(call, outside)
        : this.#shiftOfBoth(call, begin, end, outside.shiftMs)
    let [workFrom, workTo] = [begin, end]
    const work = receiveMs ?? respond
    if (work !== undefined) {
      workFrom = work + shift
      workTo = Math.max(workFrom, (respond ?? work) + shift)
      if (from === undefined) {
        begin = workFrom
        end = workTo
      } else if (finish === undefined) end = Math.max(end, workTo)
      else if (request === undefined) begin = Math.min(begin, workFrom)
      if (respond === undefined) workTo = Infinity
      else if (receiveMs !== undefined && call.host !== undefined) this.#hosts.set(call.host, shift)
    }
    places.beginMs[at] = begin
    places.endMs[at] = end
    places.shiftMs[at] = shift
    places.fromMs[at] = workFrom
    places.toMs[at] = workTo
  }

  /** Of a call of which only the callee tells. */
  #shiftOfCallee(call: Making, outside: Room): number {
    const { host } = call
    const above = call.parent?.host
    const sameClock = host !== undefined && host === above
    if (sameClock || this.#pool === undefined) return outside.shiftMs
    const begin = (call.receiveMs ?? call.respondMs ?? Number.NaN) + outside.shiftMs
    const apart = this.#apart(above, host, begin)
    // Only a call to another host is waited for so surely that ending late means another clock.
    const awaited = call.edge === 'call' && call.parent !== undefined
    const room = awaited && apart === undefined ? outside : { ...outside, toMs: Infinity }
    return this.#shiftWithin(call, room, apart)
  }

  /** Of a call of which the caller tells, and the callee perhaps. */
  #shiftOfBoth(call: Making, beginMs: number, endMs: number, shift: number): number {
    const { callerHost: caller, host } = call
    if (this.#pool === undefined || host === undefined) return shift
    const answered = endedByAnswer(call, this.#foreign)
    // A host without a name is any host.
    if (host !== '' && host === caller) {
      if (answered) this.#places.legErrorMs[call.at] = 0
      return shift
    }
    const apart = this.#apart(caller, host, beginMs)
    const ended = call.finishMs !== undefined && (answered || apart === undefined)
    const room = { shiftMs: shift, fromMs: beginMs, toMs: ended ? endMs : Infinity }
    const found = this.#shiftWithin(call, room, apart)
    const own = answered ? boundsOf(call, this.#foreign) : undefined
    if (own !== undefined) {
      const all = apart === undefined ? own : both(own, apart)
      const error = errorOf(shift - found, contradict(all) ? own : all)
      if (Number.isFinite(error)) this.#places.legErrorMs[call.at] = error
    }
    return found
  }

  /** What is proved of two hosts' clocks. */
  #apart(caller: string | undefined, host: string | undefined, at: number): Apart | undefined {
    if (!isApart(caller, host)) return undefined
    return this.#pool!.at(at, this.#first)?.apart(caller!, host!)
  }

  /** What brings the callee's clock to the root's so that its work lies within its room. */
  #shiftWithin(call: Making, room: Room, apart: Apart | undefined): number {
    const { host, receiveMs, respondMs } = call
    const from = receiveMs ?? respondMs
    if (from === undefined) return room.shiftMs
    const to = Math.max(from, respondMs ?? from)
    const { fromMs, toMs } = room
    const guess = room.shiftMs - (apart?.offsetMs ?? 0)
    if (from + guess >= fromMs && to + guess <= toMs) return guess
    const last = host === undefined || apart !== undefined ? undefined : this.#hosts.get(host)
    if (last !== undefined && from + last >= fromMs && to + last <= toMs) return last
    const early = from + guess < fromMs
    const spare = toMs - fromMs - (to - from)
    // Work that took much longer than its caller waited only must not begin too early.
    const atMost = LONGER * (toMs - fromMs)
    if (spare < 0 && -spare <= atMost) return toMs - to
    if (spare < 0 && !early) return guess
    // What is proved of the hosts is right but for a little.
    if (apart !== undefined) return early ? fromMs - from : toMs - to
    const lead = Number.isFinite(spare) && spare > 0 ? Math.round(spare * 500) / 1000 : 0
    return fromMs + lead - from
  }
}

/** By this share of its caller's wait a record may be longer, since both are read with some delay. */
const LONGER = 0.01

function roomIn(at: number, { shiftMs, fromMs, toMs }: Places): Room {
  return { shiftMs: shiftMs[at]!, fromMs: fromMs[at]!, toMs: toMs[at]! }
}

function putRoom(at: number, room: Room, places: Places): void {
  places.shiftMs[at] = room.shiftMs
  places.fromMs[at] = room.fromMs
  places.toMs[at] = room.toMs
}

/**
 * What a trace's calls tell of clocks. When they were made is reckoned on one clock from each call to
 * those it made, so it is right but for the ways to their callees.
 */
function pooled(order: readonly Making[], { beginMs }: Places, foreign: boolean): ClockPool {
  const pool = new ClockPool()
  for (const call of order) {
    const { at, requestMs: request, parent: above } = call
    if (above === undefined || above.placeholder) beginMs[at] = request ?? call.receiveMs ?? 0
    else {
      const begun = above.receiveMs
      const since = request === undefined || begun === undefined ? 0 : request - begun
      beginMs[at] = beginMs[above.at]! + since
    }
    const caller = call.request?.host
    const { host } = call
    if (!isApart(caller, host)) continue
    const bounds = boundsOf(call, foreign)
    if (bounds !== undefined) pool.addBounds(caller!, host!, bounds, beginMs[at]!)
  }
  return pool
}

/** A place made up to hold others reaches from the first of them to the last. */
function reach({ at, calls }: Making, { beginMs, endMs }: Places): void {
  if (calls.length === 0) return
  beginMs[at] = calls.reduce((least, child) => Math.min(least, beginMs[child.at]!), Infinity)
  endMs[at] = calls.reduce((most, child) => Math.max(most, endMs[child.at]!), -Infinity)
}
