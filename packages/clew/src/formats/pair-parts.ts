import type { Entry, Trace } from '../trace/index.ts'

/** Which entries of a call there are. */
interface Sides {
  request?: Entry
  receive?: Entry
  respond?: Entry
  finish?: Entry
}

const SIDE = {
  'rpc-request': 'request',
  'rpc-receive': 'receive',
  'rpc-start': undefined,
  'rpc-respond': 'respond',
  'rpc-finish': 'finish',
} as const

/** A client's record and the server's that belongs to it. */
interface Pair {
  readonly client: Sides
  readonly clientId: string
  readonly server: Sides
  readonly serverId: string
}

/**
 * Joins what several documents keep of one trace of another system, such as the files that each
 * service exports by itself: a client's record in one and its only server's in another are one call, as
 * they are where both stand in one document.
 */
export function pairParts(trace: Trace): Trace {
  const pairs = pairsIn(sidesOf(trace.entries))
  if (pairs.length === 0) return trace
  const byServer = new Map(pairs.map((pair) => [pair.serverId, pair]))
  const byClient = new Map(pairs.map((pair) => [pair.clientId, pair]))
  const entries = trace.entries.map((entry): Entry => {
    const served = byServer.get(entry.id)
    if (served !== undefined) return serversEntry(entry, served)
    const above = typeof entry.parent === 'string' ? byServer.get(entry.parent) : undefined
    const placed = above === undefined ? entry : { ...entry, parent: above.clientId }
    const asked = byClient.get(entry.id)
    return asked === undefined ? placed : clientsEntry(placed, asked)
  })
  return { ...trace, entries }
}

function sidesOf(entries: readonly Entry[]): ReadonlyMap<string, Sides> {
  const calls = new Map<string, Sides>()
  for (const entry of entries) {
    const side = SIDE[entry.kind]
    if (side === undefined) continue
    const sides = calls.get(entry.id)
    if (sides === undefined) calls.set(entry.id, { [side]: entry })
    else sides[side] ??= entry
  }
  return calls
}

/** Clients that have no server's side, each with the one server below it. */
function pairsIn(calls: ReadonlyMap<string, Sides>): readonly Pair[] {
  /** Null where there is more below it. */
  const found = new Map<string, Pair | null>()
  for (const [serverId, server] of calls) {
    const asked = server.request ?? server.finish
    const first = asked ?? server.receive ?? server.respond
    const clientId = first?.parent
    if (first === undefined || typeof clientId !== 'string') continue
    const client = calls.get(clientId)
    const isClient = client?.request?.from !== undefined && client.request.edge === undefined
    if (!isClient || client.receive !== undefined || client.respond !== undefined) continue
    if (asked === undefined) {
      if ((first.edge ?? 'call') !== 'call') continue
      const pair = { client, clientId, server, serverId }
      found.set(clientId, found.has(clientId) ? null : pair)
    } else if (first.edge !== 'event' && isSameCaller(client.request, asked)) {
      // Who makes further calls under a client's record did more than to wait for one.
      found.set(clientId, null)
    }
  }
  return [...found.values()].filter((pair) => pair !== null)
}

const isSameCaller = (a: Entry | undefined, b: Entry) =>
  a?.from?.service === b.from?.service && a?.host === b.host && a?.pid === b.pid

function serversEntry(entry: Entry, { client, clientId, server }: Pair): Entry {
  const parent = client.request?.parent
  const gaveUp = client.finish?.status === 'timeout' && !answeredInTime(client, server)
  return {
    ...entry,
    id: clientId,
    ...(parent !== undefined && { parent }),
    ...(entry.kind === 'rpc-respond' && gaveUp && { late: true }),
  }
}

/** All entries of a call are named as its callee is. */
function clientsEntry(entry: Entry, { client, server }: Pair): Entry {
  const { service, method } = (server.receive ?? server.respond)!
  const inTime = entry.status === 'timeout' && answeredInTime(client, server)
  return { ...entry, service, method, ...(inTime && { status: 'error' }) }
}

/** Durations are compared, which needs no common clock. */
function answeredInTime(client: Sides, server: Sides): boolean {
  const worked = durationOf(server.receive, server.respond)
  const waited = durationOf(client.request, client.finish)
  return worked !== undefined && waited !== undefined && worked <= waited
}

function durationOf(from: Entry | undefined, to: Entry | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to.timeMs - from.timeMs
}
