import type { Edge, Entry, Status } from '../trace/index.ts'
import type { Problems } from '../trace/problems.ts'
import type { Place, Side } from './side.ts'

/** What becomes one call: a client's record and its server's, or one of them alone. */
interface Pair {
  id: string
  /** The client's or the producer's record: request and finish. */
  asked: Side | undefined
  /** Any other record: receive and respond. */
  done: Side | undefined
}

const asks = ({ kind, own }: Side) =>
  own?.side === undefined ? kind === 'client' || kind === 'producer' : own.side === 'caller'
const serves = ({ kind, shared, own }: Side) =>
  own?.side === undefined
    ? kind === 'server' || (kind === undefined && shared)
    : own.side === 'callee'
/** One whose other side may have a record, too. */
const isClient = ({ kind, own }: Side) =>
  own?.side === undefined ? kind === 'client' : own.side === 'caller'
/** Kinds pair with kinds, what Clew says with what Clew says. */
const areAlike = (client: Side, server: Side) =>
  (client.own?.side === undefined) === (server.own?.side === undefined)

/**
 * Makes calls of records. A client's record and its server's are one call, whether the server's has an
 * id of its own and the client's as parent (OpenTelemetry), or both have one id (Zipkin). A client
 * with several servers, or with clients of its own below it, called them all: then each of them is a
 * call of its own below it. Whoever takes a message that somebody published is below that, too.
 */
export function pairSides(trace: string, sides: readonly Side[], problems: Problems): Entry[] {
  const byId = groupById(sides, problems)
  const calls: Pair[] = []
  const callOf = new Map<Side, Pair>()
  for (const same of byId.values()) pairShared(same, calls, callOf, problems)
  const joined = pairParents(byId, callOf, calls)
  const entries: Entry[] = []
  for (const call of calls) {
    if (!joined.has(call)) putEntries(trace, call, parentOf(call, byId, callOf), entries)
  }
  return entries
}

/** By id; the same record told twice is kept once, and told in parts put together. */
function groupById(sides: readonly Side[], problems: Problems): Map<string, Side[]> {
  const byId = new Map<string, Side[]>()
  for (const side of sides) {
    const same = byId.get(side.id)
    if (same === undefined) {
      byId.set(side.id, [side])
      continue
    }
    // Who writes one id a thousand times is not answered with a million comparisons.
    const twin = same.slice(0, MOST_COMPARED).findIndex((known) => isSame(known, side))
    if (twin < 0) same.push(side)
    else same[twin] = together(same[twin]!, side, problems)
  }
  return byId
}

const MOST_COMPARED = 16

const isSame = (known: Side, side: Side) =>
  known.kind === side.kind &&
  known.own?.side === side.own?.side &&
  known.place.service === side.place.service &&
  (known.name === side.name || known.name === '' || side.name === '') &&
  agree(known.startMs, side.startMs) &&
  agree(known.endMs, side.endMs)

const agree = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined || a === b

function together(known: Side, side: Side, problems: Problems): Side {
  const whole = known.startMs !== undefined && known.endMs !== undefined
  if (whole && side.startMs !== undefined && side.endMs !== undefined) {
    problems.add('duplicate', 'the same record twice', side.id)
    return known
  }
  return {
    ...known,
    name: known.name === '' ? side.name : known.name,
    parentId: known.parentId ?? side.parentId,
    startMs: known.startMs ?? side.startMs,
    endMs: known.endMs ?? side.endMs,
    outcome: known.outcome.status === 'ok' ? side.outcome : known.outcome,
    ...(side.attributes && { attributes: { ...known.attributes, ...side.attributes } }),
  }
}

/** Records of one id: a client's and its server's are one call, any others are told apart by a number. */
function pairShared(
  same: readonly Side[],
  calls: Pair[],
  callOf: Map<Side, Pair>,
  problems: Problems,
): void {
  const [first] = same
  if (first === undefined) return
  const clients = same.filter(asks)
  const servers = same.filter(serves)
  const paired =
    clients.length === 1 &&
    servers.length === 1 &&
    isClient(clients[0]!) &&
    areAlike(clients[0]!, servers[0]!)
  let number = 0
  const make = (asked: Side | undefined, done: Side | undefined) => {
    number++
    const call = { id: number === 1 ? first.id : `${first.id}~${number}`, asked, done }
    calls.push(call)
    if (asked !== undefined) callOf.set(asked, call)
    if (done !== undefined) callOf.set(done, call)
  }
  if (paired) make(clients[0], servers[0])
  for (const side of [...clients, ...same.filter((one) => !asks(one))]) {
    if (callOf.has(side)) continue
    if (number > 0) problems.add('duplicate', 'another record of the same id', side.id)
    if (asks(side)) make(side, undefined)
    else make(undefined, side)
  }
}

/** Joins clients with the one server below each; returns the servers' calls, which are none any more. */
function pairParents(
  byId: ReadonlyMap<string, readonly Side[]>,
  callOf: Map<Side, Pair>,
  calls: readonly Pair[],
): ReadonlySet<Pair> {
  /** The server below a client, null where there is more than that. */
  const below = new Map<Pair, Pair | null>()
  for (const call of calls) {
    const side = call.asked ?? call.done!
    if (call.asked === undefined ? !isOther(side) : !isClient(side)) continue
    if (side.parentId === null || side.parentId === side.id) continue
    const client = byId.get(side.parentId)?.find((one) => isClient(one) && areAlike(one, side))
    const above = client === undefined ? undefined : callOf.get(client)
    if (client === undefined || above === undefined || above.done !== undefined) continue
    // Who makes further calls under a client's record did more than to wait for one.
    if (call.asked === undefined) below.set(above, below.has(above) ? null : call)
    else if (isSameProcess(client.place, side.place)) below.set(above, null)
  }
  const joined = new Set<Pair>()
  for (const [client, server] of below) {
    if (server?.done === undefined) continue
    client.done = server.done
    callOf.set(server.done, client)
    joined.add(server)
  }
  return joined
}

/** A record that may be the other side of the one above it. */
const isOther = ({ kind, follows, own }: Side) =>
  own?.side === 'callee' || (kind === 'server' && !follows)

/** The record that a call is below, and the call that it is part of. */
interface Above {
  /** Null for a root. */
  readonly id: string | null
  readonly side: Side | undefined
}

function parentOf(
  call: Pair,
  byId: ReadonlyMap<string, readonly Side[]>,
  callOf: ReadonlyMap<Side, Pair>,
): Above {
  const side = call.asked ?? call.done!
  // Of two records with one id, the server's may know who is above both where the client's does not.
  const id = side.parentId ?? (call.done?.id === side.id ? call.done.parentId : null)
  // Of several servers with the id of their client, each is a call of its own below it.
  const client = serves(side) ? byId.get(side.id)?.find(isClient) : undefined
  if (client !== undefined) return { id: callOf.get(client)?.id ?? side.id, side: client }
  if (id === null || id === side.id) return { id: null, side: undefined }
  const known = byId.get(id)
  if (known === undefined) return { id, side: undefined }
  const own = known.filter(({ place }) => isSameProcess(place, side.place))
  const above = own.find((one) => !asks(one)) ?? own[0] ?? known.find(serves) ?? known[0]!
  return { id: callOf.get(above)?.id ?? id, side: above }
}

const isSameProcess = (a: Place, b: Place) =>
  a === b || (a.service === b.service && a.host === b.host && (a.pid ?? b.pid) === (b.pid ?? a.pid))

function putEntries(trace: string, call: Pair, above: Above, entries: Entry[]): void {
  const { asked, done } = call
  const side = done ?? asked!
  const service = done?.place.service ?? asked?.peer ?? side.place.service
  const same = {
    ...{ service, method: side.name, id: call.id, ...(trace !== '' && { trace }) },
    parent: above.id,
  }
  const edge = edgeOf(call, above.side)
  const mark = edge === 'call' ? {} : { edge }
  if (asked !== undefined)
    putAsked(asked, done, { ...same, ...placeOf(asked.place) }, mark, entries)
  if (done !== undefined) putDone(done, asked, { ...same, ...placeOf(done.place) }, mark, entries)
}

type Known = Omit<Entry, 'kind' | 'timeMs'>
type Mark = Pick<Entry, 'edge'>

function putAsked(
  asked: Side,
  done: Side | undefined,
  known: Known,
  mark: Mark,
  entries: Entry[],
): void {
  const { startMs, endMs, attempt, attributes } = asked
  const from = { service: asked.place.service, method: asked.name }
  const tried = attempt === undefined || attempt === 1 ? {} : { attempt }
  const more = { ...mark, ...tried, from, ...(attributes !== undefined && { attributes }) }
  if (startMs !== undefined) {
    entries.push({ kind: 'rpc-request', timeMs: startMs, ...known, ...more })
  }
  if (endMs !== undefined) {
    const ended = { ...known, ...endingOf(asked, statusOf(asked, done)) }
    entries.push({ kind: 'rpc-finish', timeMs: endMs, ...ended })
  }
}

function putDone(
  done: Side,
  asked: Side | undefined,
  known: Known,
  mark: Mark,
  entries: Entry[],
): void {
  const { startMs, endMs, attempt, attributes, foreign, place, own } = done
  const { version } = place
  const tried = attempt === undefined || attempt === 1 ? {} : { attempt }
  const more = {
    ...{ ...mark, ...tried, ...(version !== undefined && { version }) },
    ...{
      ...(attributes !== undefined && { attributes }),
      ...(foreign !== undefined && { foreign }),
    },
    ...(own?.redelivered && { redelivered: true }),
    ...(own?.inFlight !== undefined && { inFlight: own.inFlight }),
    ...(own?.busy !== undefined && { busy: own.busy }),
  }
  if (startMs !== undefined) {
    entries.push({ kind: 'rpc-receive', timeMs: startMs, ...known, ...more })
  }
  if (own?.startedMs !== undefined) {
    entries.push({ kind: 'rpc-start', timeMs: own.startedMs, ...known })
  }
  if (endMs !== undefined) {
    const late =
      own?.late || (own === undefined && asked !== undefined && statusOf(asked, done) === 'timeout')
    const ended = { ...endingOf(done, done.outcome.status), ...(late && { late }) }
    entries.push({ kind: 'rpc-respond', timeMs: endMs, ...known, ...ended })
  }
}

function endingOf({ outcome }: Side, status: Status): Pick<Entry, 'status' | 'error'> {
  if (status === 'ok') return {}
  return { status, ...(outcome.error !== undefined && { error: outcome.error }) }
}

/**
 * A client that says "deadline exceeded" has stopped waiting by itself, unless its server answered so
 * within that time. Durations are compared, which needs no common clock.
 */
function statusOf(asked: Side, done: Side | undefined): Status {
  if (!asked.outcome.gaveUp) return asked.outcome.status
  const [waited, worked] = [lengthOf(asked), lengthOf(done)]
  const answered = waited !== undefined && worked !== undefined && worked <= waited
  return answered ? asked.outcome.status : 'timeout'
}

function lengthOf(side: Side | undefined): number | undefined {
  if (side?.startMs === undefined || side.endMs === undefined) return undefined
  return side.endMs - side.startMs
}

function placeOf({ host, pid }: Place): Pick<Entry, 'host' | 'pid'> {
  return pid === undefined ? { host } : { host, pid }
}

function edgeOf({ asked, done }: Pair, above: Side | undefined): Edge {
  const said = asked?.own?.edge ?? done?.own?.edge
  if (said !== undefined) return said
  const kind = (asked ?? done)?.kind
  if (kind === 'producer' || kind === 'consumer' || (asked ?? done)?.follows) return 'event'
  if (asked !== undefined) return asked.down && done === undefined ? 'down' : 'call'
  if (kind === 'server' || above === undefined || done === undefined) return 'call'
  return isSameProcess(above.place, done.place) ? 'local' : 'call'
}
