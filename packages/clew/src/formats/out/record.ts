import type { Attributes, CallNode, CallTree, Status } from '../../trace/index.ts'
import { outcomeOf } from '../outcome.ts'
import { isOwn, OWN } from '../own-tags.ts'
import { calleeId, spanId } from './written-ids.ts'

/** What others call a side of a call. */
export type RecordKind = 'client' | 'server' | 'producer' | 'consumer' | 'internal'

/** Who made a record. */
export interface Maker {
  readonly service: string
  readonly host: string
  readonly pid: number | undefined
  readonly version: string | undefined
}

/** One side of a call, as other systems keep it. */
export interface SideRecord {
  /** 16 hex digits. */
  readonly id: string
  /** Id of the call: of both its sides alike. */
  readonly callId: string
  readonly parentId: string | null
  /** Id of the call that it is below. */
  readonly parentCallId: string | null
  /** Undefined where it is neither side of a call that its parent tells of. */
  readonly kind: RecordKind | undefined
  /** Whoever is above does not wait for it. */
  readonly follows: boolean
  /** The other side of the call has a record, too. */
  readonly both: boolean
  readonly maker: Maker
  readonly name: string
  /** Milliseconds since 1970 on the maker's clock. */
  readonly startMs: number
  readonly endMs: number
  /** False where it is not known to have ended: `endMs` is the last that is known of it. */
  readonly ended: boolean
  readonly status: Status
  readonly error: string | undefined
  readonly tags: ReadonlyMap<string, string | number | boolean>
}

/** Who is above a call, in the records. */
interface Above {
  readonly parentId: string | null
  readonly callId: string | null
  readonly maker: Maker | undefined
  /** The record above is a caller's. */
  readonly client: boolean
}

const NOBODY: Above = { parentId: null, callId: null, maker: undefined, client: false }

/** Name of who called the root, of whom nothing else is known. */
const ROOT_CALLER = 'client'

/**
 * The records of a tree, callers before callees. A call is a client's record (its total) and a server's
 * below it (its handle), or the one of them that is known; places made up to hold others are none.
 */
export function* records(tree: CallTree): Generator<SideRecord> {
  const open: { readonly call: CallNode; readonly above: Above }[] = [
    { call: tree.root, above: NOBODY },
  ]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { call, above } = next
    let below = above
    if (call.placeholder) {
      below = belowPlaceholder(call, above)
    } else {
      const [first, second] = sides(call, above)
      if (first !== undefined) yield first
      if (second !== undefined) yield second
      const own = second ?? first
      if (own !== undefined) {
        const client = own.kind === 'client'
        below = { parentId: own.id, callId: own.callId, maker: calleeOf(call, own), client }
      }
    }
    for (let at = call.calls.length - 1; at >= 0; at--)
      open.push({ call: call.calls[at]!, above: below })
  }
}

/** A lost call has an id that those below it name; relays and several roots have none that others know. */
function belowPlaceholder({ id }: CallNode, above: Above): Above {
  if (id === '' || id.startsWith('relay:')) return above
  return { parentId: spanId(id), callId: spanId(id), maker: undefined, client: false }
}

const calleeOf = (call: CallNode, own: SideRecord): Maker =>
  own.kind === 'client' || own.kind === 'producer'
    ? { ...own.maker, service: call.service }
    : own.maker

function sides(call: CallNode, above: Above): readonly SideRecord[] {
  const asked = call.requestMs !== undefined || call.finishMs !== undefined
  const done = call.receiveMs !== undefined || call.respondMs !== undefined
  const both = asked && done
  const client = asked ? askedSide(call, above, both) : undefined
  const server = done ? doneSide(call, client ?? above, above, both) : undefined
  const records = [client, server].filter((side) => side !== undefined)
  // Told by the record that has the call's own id.
  const missing = call.folds.reduce((sum, { calls }) => sum + calls, call.missingCalls)
  if (missing > 0) records[0]?.tags.set(OWN.missing, missing)
  return records
}

function askedSide(call: CallNode, above: Above, both: boolean): MadeRecord {
  const { requestMs, finishMs, from, edge } = call
  const tags: Tags = new Map(call.receiveMs === undefined ? attributesOf(call.attributes) : [])
  if (!tags.has('peer.service')) tags.set('peer.service', call.service)
  if (edge === 'down' && !tags.has('db.system')) tags.set('db.system', 'other')
  const status = call.callerStatus ?? (finishMs === undefined ? 'pending' : call.status)
  const kind = edge === 'event' ? 'producer' : edge === 'local' ? 'internal' : 'client'
  tell(tags, call, { status, kind, startMs: requestMs, endMs: finishMs })
  if (sidesNeedTelling(call, both)) tags.set(OWN.side, 'caller')
  return {
    ...{ id: spanId(call.id), callId: spanId(call.id), both, kind, tags, status },
    ...{ parentId: above.parentId, parentCallId: above.callId },
    follows: edge === 'event',
    maker: callerOf(call, above),
    name: from?.method ?? call.method,
    startMs: requestMs ?? finishMs!,
    endMs: finishMs ?? requestMs!,
    ended: finishMs !== undefined,
    error: status === 'ok' ? undefined : call.error,
  }
}

function callerOf({ from, callerHost }: CallNode, { maker }: Above): Maker {
  const known = maker !== undefined && (callerHost === undefined || callerHost === maker.host)
  return {
    service: from?.service ?? maker?.service ?? ROOT_CALLER,
    host: callerHost ?? maker?.host ?? '',
    pid: known ? maker.pid : undefined,
    version:
      known && (from?.service ?? maker.service) === maker.service ? maker.version : undefined,
  }
}

function doneSide(
  call: CallNode,
  parent: SideRecord | Above,
  above: Above,
  both: boolean,
): MadeRecord {
  const { receiveMs, startMs, respondMs, edge } = call
  const isTold = receiveMs === undefined && both
  const tags: Tags = new Map(isTold ? [] : attributesOf(call.attributes))
  if (both) tags.delete('peer.service')
  const status = call.calleeStatus ?? (respondMs === undefined ? 'pending' : call.status)
  const kind =
    both || !above.client ? KINDS[edge] : edge === 'event' ? 'consumer' : OTHER_KINDS[edge]
  tell(tags, call, { status, kind, startMs: receiveMs, endMs: respondMs })
  if (sidesNeedTelling(call, both) && both) tags.set(OWN.side, 'callee')
  const begunMs = receiveMs ?? respondMs!
  if (startMs !== undefined) {
    tags.set(OWN.started, Math.round(startMs * 1_000) - Math.round(begunMs * 1_000))
  }
  if (call.inFlight !== undefined) tags.set(OWN.inFlight, call.inFlight)
  if (call.busy !== undefined) tags.set(OWN.busy, call.busy)
  if (call.redelivered) tags.set(OWN.redelivered, true)
  if (call.late) tags.set(OWN.late, true)
  const parentId = 'id' in parent ? parent.id : parent.parentId
  return {
    ...{ callId: spanId(call.id), parentId, parentCallId: above.callId, both, tags, status },
    id: both ? calleeId(call.id) : spanId(call.id),
    kind,
    follows: edge === 'event',
    maker: { service: call.service, host: call.host ?? '', pid: call.pid, version: call.version },
    name: call.method,
    startMs: begunMs,
    endMs: respondMs ?? begunMs,
    ended: respondMs !== undefined,
    error: status === 'ok' ? undefined : call.error,
  }
}

const KINDS: Readonly<Record<CallNode['edge'], RecordKind>> = {
  ...{ call: 'server', event: 'consumer', down: 'server', next: 'server', local: 'internal' },
}

/** Below a caller's record a server's would be taken for the other side of the same call. */
const OTHER_KINDS: Readonly<Record<CallNode['edge'], RecordKind | undefined>> = {
  ...{ call: undefined, event: 'consumer', down: undefined, next: undefined, local: 'internal' },
}

type Tags = Map<string, string | number | boolean>

/** Tags are still added to. */
type MadeRecord = SideRecord & { readonly tags: Tags }

/** Kinds say that two records are one call of clients and servers alone, and that a caller's is one of all but local ones. */
const sidesNeedTelling = ({ edge }: CallNode, both: boolean) =>
  edge === 'local' || (edge === 'event' && both)

/** What Clew says by tags is said anew. */
const attributesOf = (attributes: Attributes | undefined) =>
  Object.entries(attributes ?? {}).filter(([key]) => !isOwn(key))

interface Ending {
  readonly status: Status
  readonly kind: RecordKind | undefined
  readonly startMs: number | undefined
  readonly endMs: number | undefined
}

/** What a record cannot say by itself, or says otherwise. */
function tell(tags: Tags, call: CallNode, { status, kind, startMs, endMs }: Ending): void {
  const { attempt, attributes, edge, error } = call
  const isPlain = edge === 'call' && attributes === undefined && kind !== undefined
  if (!isPlain) tags.set(OWN.edge, edge)
  if (attempt > 1) tags.set('http.request.resend_count', attempt - 1)
  if (startMs === undefined) tags.set(OWN.known, 'end')
  else if (endMs === undefined) tags.set(OWN.known, 'start')
  if (status === 'ok') {
    if (attributes !== undefined && looksFailed(tags, kind)) tags.set(OWN.status, status)
    return
  }
  tags.set(OWN.status, status)
  if (error !== undefined && !tags.has('error.type')) tags.set('error.type', error)
  else if (tags.get('error.type') !== error) tags.set(OWN.error, error ?? '')
}

/** What others keep beside may look like a failure where its author said that it was none. */
function looksFailed(tags: Tags, kind: RecordKind | undefined): boolean {
  const nothing = { verdict: undefined, exception: false }
  const told = { ...nothing, exceptionClass: undefined, message: undefined }
  return outcomeOf({ kind, tags, ...told, refusalFails: true }).status !== 'ok'
}
