import { type Bounds, type Making, stamp } from './gather-calls.ts'

/**
 * Says where every call lies on the root's clock. Clocks are believed wherever they can be true: a
 * callee on another host is moved only when its work would begin before it was asked for or end
 * after its answer came, and then to the middle; work of which only the callee tells never within its
 * caller's own host, where it may end when it likes. Durations stay what they are.
 */
export function placeCalls(order: readonly Making[]): void {
  /** What was found for a host last, for calls that tell nothing themselves. */
  const hosts = new Map<string, number>()
  for (const call of order) {
    const outside = call.parent?.inside ?? ANYWHERE
    call.inside = call.placeholder ? outside : place(call, outside, hosts)
  }
  for (const call of order.toReversed()) if (call.placeholder) reach(call)
}

const ANYWHERE: Bounds = { shiftMs: 0, fromMs: -Infinity, toMs: Infinity }

function place(call: Making, outside: Bounds, hosts: Map<string, number>): Bounds {
  const { shiftMs: shift } = outside
  const receive = stamp(call.delivery?.receive)
  const respond = stamp(call.delivery?.respond)
  const request = stamp(call.request)
  const finish = stamp(call.finish)
  const host = (call.delivery?.receive ?? call.delivery?.respond)?.host
  const from = request ?? finish
  if (from === undefined) {
    // Only a call to another host is waited for so surely that ending late means another clock.
    const awaited = call.edge === 'call' && call.parent !== undefined
    const bounds = awaited ? outside : { ...outside, toMs: Infinity }
    const sameClock = host !== undefined && host === hostOf(call.parent)
    const { shiftMs } = outside
    call.shiftMs = sameClock ? shiftMs : shiftWithin(receive, respond, bounds, host, hosts)
  } else {
    call.beginMs = from + shift
    call.endMs = finish === undefined ? call.beginMs : Math.max(call.beginMs, finish + shift)
    const toMs = finish === undefined ? Infinity : call.endMs
    const inside = { shiftMs: shift, fromMs: call.beginMs, toMs }
    // A host without a name is any host.
    const sameClock =
      host === undefined || (host !== '' && host === (call.request ?? call.finish)?.host)
    call.shiftMs = sameClock ? shift : shiftWithin(receive, respond, inside, host, hosts)
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
  if (host !== undefined && receive !== undefined && respond !== undefined) {
    hosts.set(host, call.shiftMs)
  }
  const toMs = respond === undefined ? Infinity : workTo
  return { shiftMs: call.shiftMs, fromMs: workFrom, toMs }
}

const hostOf = (call: Making | undefined) =>
  (call?.delivery?.receive ?? call?.delivery?.respond)?.host

/** By this share of its caller's wait a record may be longer, since both are read with some delay. */
const LONGER = 0.01

/** What brings the callee's clock to the root's so that its work lies within bounds. */
function shiftWithin(
  receive: number | undefined,
  respond: number | undefined,
  bounds: Bounds,
  host: string | undefined,
  hosts: ReadonlyMap<string, number>,
): number {
  const from = receive ?? respond
  if (from === undefined) return bounds.shiftMs
  const to = Math.max(from, respond ?? from)
  const fits = (shift: number) => from + shift >= bounds.fromMs && to + shift <= bounds.toMs
  if (fits(bounds.shiftMs)) return bounds.shiftMs
  const known = host === undefined ? undefined : hosts.get(host)
  if (known !== undefined && fits(known)) return known
  const early = from + bounds.shiftMs < bounds.fromMs
  const room = bounds.toMs - bounds.fromMs - (to - from)
  // Work that took much longer than its caller waited only must not begin too early.
  const atMost = LONGER * (bounds.toMs - bounds.fromMs)
  if (room < 0 && -room <= atMost) return bounds.toMs - to
  if (room < 0 && !early) return bounds.shiftMs
  const lead = Number.isFinite(room) && room > 0 ? room / 2 : 0
  return bounds.fromMs + lead - from
}

/** A place made up to hold others reaches from the first of them to the last. */
function reach(call: Making): void {
  const { calls } = call
  if (calls.length === 0) return
  call.beginMs = calls.reduce((least, child) => Math.min(least, child.beginMs), Infinity)
  call.endMs = calls.reduce((most, child) => Math.max(most, child.endMs), -Infinity)
}
