import type { CallNode, CallTree, FoldedCalls } from './call-node.ts'
import type { ClockPool } from './clocks/clock-pool.ts'
import type { Attributes, Entry, Fold, Status, Trace } from './entry.ts'
import { gatherCalls, type Making, NONE, stamp } from './gather-calls.ts'
import { linkCalls } from './link-calls.ts'
import { type Places, placeCalls } from './place-calls.ts'
import { Problems } from './problems.ts'

export interface CallTreeOptions {
  /**
   * By what clocks of hosts are aligned: what the trace's own calls prove, or those of many traces.
   * `raw`: nothing is aligned, each entry lies where its own clock says.
   * @default what the trace's own calls prove
   */
  readonly clocks?: ClockPool | 'raw'
}

/**
 * Puts a trace's entries together to a tree of calls: by ids where entries name their parents, by
 * nesting (the paper's grammar) where none does. Never throws: entries are foreign data, and what
 * is odd about them is told in `problems`. Works without recursion at any depth.
 */
export function callTree(
  input: Trace | readonly Entry[],
  { clocks }: CallTreeOptions = {},
): CallTree {
  const trace = isList(input) ? { id: '', entries: input, ...NOTHING_ELSE } : input
  const problems = new Problems()
  const { root, order } = linkCalls(gatherCalls(trace.entries, problems), trace, problems)
  const foreign = trace.source !== undefined
  const places = placeCalls(order, { clocks, foreign, problems })
  // Where nothing tells when the root began, the first that is known of it is its beginning.
  const begin =
    (root.requestMs ?? root.receiveMs) === undefined
      ? places.beginMs.reduce((least, each) => Math.min(least, each))
      : places.beginMs[0]!
  let calls = 0
  let missingCalls = 0
  let complete = true
  const end = places.endMs.reduce((most, each) => Math.max(most, each))
  // From the leaves up, so that every call finds its own calls made.
  for (let place = order.pop(); place !== undefined; place = order.pop()) {
    const below = place.calls.length === 0 ? NONE : place.calls.map(({ made }) => made!)
    const node = toNode(place, below, begin, places, problems)
    place.made = node
    if (!place.placeholder && !place.again) calls++
    missingCalls += node.missingCalls
    if (node.folds.length > 0) missingCalls += node.folds.reduce((sum, fold) => sum + fold.calls, 0)
    complete &&= trace.source === undefined ? isWhole(place, node, trace.complete) : isKept(place)
    // What is made of them is all that is needed of them now: of a million calls that frees a lot.
    place.calls = NONE
  }
  const node = root.made!
  return {
    traceId: trace.id !== '' ? trace.id : (trace.entries.find((entry) => entry.trace)?.trace ?? ''),
    root: node,
    calls,
    missingCalls,
    complete: complete && missingCalls === 0,
    startedMs: begin,
    totalMs: node.totalMs ?? Math.max(0, end - begin),
    clocks: places.clocks,
    pauses: trace.pauses ?? [],
    source: trace.source,
    problems: problems.list(),
  }
}

/** Not told by a key: arrays have `entries` too. */
const isList = (input: Trace | readonly Entry[]): input is readonly Entry[] => Array.isArray(input)

const NOTHING_ELSE: Omit<Trace, 'id' | 'entries'> = {
  ...{ folds: [], missing: [], relays: [] },
  complete: true,
}

/** Other systems keep one side of a call or both, so one that has ended is all that can be asked for. */
function isKept({ placeholder, damaged, request, finish, delivery }: Making): boolean {
  if (placeholder || damaged) return false
  return request === undefined ? delivery?.respond !== undefined : finish !== undefined
}

/**
 * True where all entries came that the call should have. A worker's count of its calls settles it;
 * only where there is none it matters whether pieces were outstanding when the trace was handed over.
 */
function isWhole(place: Making, node: CallNode, allCame: boolean): boolean {
  if (place.placeholder || place.damaged || node.missingCalls > 0) return false
  const quiet = place.edge === 'event' || place.edge === 'down' || place.edge === 'local'
  // None of them has a callee that would announce pieces.
  if (quiet && node.presence === '1001') return true
  if (!allCame && place.delivery?.respond?.calls === undefined) return false
  if (node.presence === '1111') return true
  // A call that began where it was received has no caller, and an answer may need no callee.
  if (node.presence === '0110') {
    return (place.parent === undefined && place.parentId === null) || place.edge === 'event'
  }
  return node.presence === '1001' && node.status === 'rejected'
}

function toNode(
  place: Making,
  calls: readonly CallNode[],
  treeBegin: number,
  places: Places,
  problems: Problems,
): CallNode {
  const { at, request, finish, delivery } = place
  const receive = delivery?.receive
  const start = delivery?.start
  const respond = delivery?.respond
  const requestMs = stamp(request)
  const finishMs = stamp(finish)
  const receiveMs = stamp(receive)
  const respondMs = stamp(respond)
  const beginMs = places.beginMs[at]!
  const shiftMs = places.shiftMs[at]!
  const legErrorMs = places.legErrorMs[at]!
  const handleMs = duration(receiveMs, respondMs, 'handle', place, problems)
  const waited = duration(requestMs, finishMs, 'total', place, problems)
  const late = respond?.late === true
  const totalMs = place.placeholder ? places.endMs[at]! - beginMs : (waited ?? handleMs)
  const named = receive ?? request ?? place.named
  const ways = networkMs(waited, handleMs, late)
  const legsKnown = ways !== undefined && !Number.isNaN(legErrorMs)
  // What the reply took is the rest, whatever rounding did to stamps.
  const requestLegMs = legsKnown
    ? Math.min(ways, Math.max(0, receiveMs! + shiftMs - beginMs))
    : undefined
  const folds =
    place.folds.length === 0 ? NONE : place.folds.map((fold) => toFolded(fold, shiftMs - treeBegin))
  return {
    id: place.id,
    service: named.service,
    method: named.method,
    edge: place.edge,
    host: place.host,
    pid: (receive ?? respond)?.pid,
    callerHost: place.callerHost,
    requestMs,
    receiveMs,
    startMs: stamp(start),
    respondMs,
    finishMs,
    totalMs,
    handleMs,
    selfMs: selfMs(place, receiveMs, respondMs, places),
    networkMs: ways,
    requestLegMs,
    replyLegMs: requestLegMs === undefined ? undefined : ways! - requestLegMs,
    legErrorMs: requestLegMs === undefined ? undefined : legErrorMs,
    status: statusOf(place),
    callerStatus: place.callerStatus,
    calleeStatus: place.calleeStatus,
    error: finish?.error ?? respond?.error,
    attempt: receive?.attempt ?? request?.attempt ?? 1,
    redelivered: receive?.redelivered === true,
    late,
    inFlight: receive?.inFlight,
    runningMs: respond === undefined ? receive?.runningMs : undefined,
    busy: receive?.busy,
    version: receive?.version,
    from: request?.from,
    attributes: attributesOf(request, receive, respond),
    foreign: receive?.foreign,
    presence: presenceOf(request, receive, respond, finish),
    placeholder: place.placeholder,
    calls,
    folds,
    missingCalls: missingOf(place),
    offsetMs: beginMs - treeBegin,
    handleOffsetMs: receiveMs === undefined ? undefined : receiveMs + shiftMs - treeBegin,
  }
}

function attributesOf(
  request: Entry | undefined,
  receive: Entry | undefined,
  respond: Entry | undefined,
): Attributes | undefined {
  const asked = both(request?.attributes, receive?.attributes)
  return both(asked, respond?.attributes)
}

function both(one: Attributes | undefined, other: Attributes | undefined): Attributes | undefined {
  return one === undefined || other === undefined ? (one ?? other) : { ...one, ...other }
}

/** Every text that there is: made anew for each call, one would be put together of four. */
const PRESENCES = Array.from({ length: 16 }, (_, bits) => bits.toString(2).padStart(4, '0'))

function presenceOf(
  request: Entry | undefined,
  receive: Entry | undefined,
  respond: Entry | undefined,
  finish: Entry | undefined,
): string {
  const caller = (request === undefined ? 0 : 8) + (finish === undefined ? 0 : 1)
  const callee = (receive === undefined ? 0 : 4) + (respond === undefined ? 0 : 2)
  return PRESENCES[caller + callee]!
}

/** A clock that stepped back while the call ran leaves a negative difference: it is told and shown as 0. */
function duration(
  from: number | undefined,
  to: number | undefined,
  what: string,
  place: Making,
  problems: Problems,
): number | undefined {
  if (from === undefined || to === undefined) return undefined
  if (to >= from) return to - from
  problems.add('negative_duration', `${what} of ${to - from} ms: a clock was set back`, place.id)
  return 0
}

/** Work that went on after the caller had stopped waiting says nothing about the ways between them. */
function networkMs(
  waited: number | undefined,
  handle: number | undefined,
  late: boolean,
): number | undefined {
  if (waited === undefined || handle === undefined || late || handle > waited) return undefined
  return waited - handle
}

function statusOf({ request, finish, delivery, placeholder }: Making): Status {
  const respond = delivery?.respond
  if (placeholder) return 'ok'
  if (finish !== undefined) return finish.status ?? respond?.status ?? 'ok'
  return request === undefined && respond !== undefined ? (respond.status ?? 'ok') : 'pending'
}

/**
 * handle minus the union of the times in which the worker waited for calls of its own. Of those that
 * only their callee tells of, that is the time in which they ran, as clocks are aligned; handlers of
 * events are waited for by nobody.
 */
function selfMs(
  place: Making,
  receiveMs: number | undefined,
  respondMs: number | undefined,
  places: Places,
): number | undefined {
  if (receiveMs === undefined || respondMs === undefined) return undefined
  if (place.calls.length === 0 && place.folds.length === 0) {
    return Math.max(0, respondMs - receiveMs)
  }
  let self = Math.max(0, respondMs - receiveMs)
  let until = receiveMs
  const waits = waitsIn(place, places)
  for (let at = 0; at < waits.length; at += 2) {
    const begin = Math.max(until, waits[at]!)
    const end = Math.min(respondMs, waits[at + 1]!)
    if (end <= begin) continue
    self -= end - begin
    until = end
  }
  return Math.max(0, self)
}

/** From when to when calls were waited for, one after the other, on their caller's clock. */
function waitsIn({ at, calls, folds }: Making, places: Places): number[] {
  const waits: number[] = []
  let ordered = true
  const add = (from: number, to: number) => {
    ordered &&= waits.length === 0 || from >= waits[waits.length - 2]!
    waits.push(from, to)
  }
  const shiftMs = places.shiftMs[at]!
  for (const call of calls) {
    const { requestMs, finishMs } = call
    if (requestMs !== undefined && finishMs !== undefined) add(requestMs, finishMs)
    else if (isWaitedForAlone(call)) {
      add(places.beginMs[call.at]! - shiftMs, places.endMs[call.at]! - shiftMs)
    }
  }
  // The merged ones overlapped in ways that are not known; the longest took at least its own time.
  for (const { timeMs, maxMs } of folds) add(timeMs, timeMs + maxMs)
  if (ordered) return waits
  const pairs: number[][] = []
  for (let pair = 0; pair < waits.length; pair += 2) pairs.push(waits.slice(pair, pair + 2))
  return pairs.sort((a, b) => a[0]! - b[0]!).flat()
}

/** True for a call that was waited for although only its callee tells of it. */
function isWaitedForAlone({ request, finish, delivery, edge, again }: Making): boolean {
  if (request !== undefined || finish !== undefined || edge === 'event' || again) return false
  return delivery?.receive !== undefined && delivery.respond !== undefined
}

/** What is known to be missing; a worker's count of its calls tells even where nothing else does. */
function missingOf(place: Making): number {
  const made = place.delivery?.respond?.calls
  if (made === undefined || !(made >= 0)) return place.missingCalls + place.lostCalls
  const lacking = made - seenBelow(place)
  // All calls are here: the pieces that had not come when the trace was handed over have come since.
  if (lacking <= 0) return place.missingCalls
  return Math.max(lacking, place.missingCalls + place.lostCalls)
}

/** Calls that its worker made, as far as they are here. */
function seenBelow({ calls, folds, again, parentId, id }: Making): number {
  // Loops over what is frozen, as nothing at all is, are not as quick as others.
  if (calls.length === 0 && folds.length === 0) return 0
  const made = again ? parentId : id
  let seen = 0
  for (const call of calls) {
    if (!call.placeholder && !call.again && (call.parentId ?? made) === made) seen++
  }
  for (const fold of folds) seen += fold.count
  return seen
}

function toFolded(fold: Fold, toPictureMs: number): FoldedCalls {
  const { service, method, edge = 'call', count, calls } = fold
  const { minMs, medianMs, maxMs, sumMs, timeMs } = fold
  const offsetMs = timeMs + toPictureMs
  return { service, method, edge, count, calls, minMs, medianMs, maxMs, sumMs, offsetMs }
}
