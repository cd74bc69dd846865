import type { ByteReader } from './byte-reader.ts'
import type { Child, FoldRecord, Loss, Owner } from './draft.ts'
import * as format from './format.ts'
import { believable } from './head.ts'
import { readMore } from './own-extension.ts'
import type { CallRecord, OwnRecord, Pointer } from './records.ts'

/** What a reader has to remember while it goes through the items of one owner. */
export class Scope {
  readonly owner: Owner
  readonly receiveUs: number
  /** Position of the next call among those its worker made. */
  position: number
  /** Call items read, those of late replies not counted. */
  records = 0
  readonly names: string[]
  readonly hosts: string[] = []
  readonly pids: number[] = []

  constructor(owner: Owner, receiveUs: number, first: number) {
    this.owner = owner
    this.receiveUs = receiveUs
    this.position = first
    this.names = [owner.service, owner.method]
  }
}

export interface CallItem {
  readonly kind: 'call'
  readonly record: CallRecord
  readonly child: Child | undefined
  readonly loss: Loss | undefined
  /** A block of another version: its bounds within the message, and the calls it says it holds. */
  readonly foreign:
    | {
        readonly start: number
        readonly end: number
        readonly calls: number
        readonly bytes: Uint8Array
      }
    | undefined
}

export type Item =
  | CallItem
  | { readonly kind: 'pointer'; readonly pointer: Pointer }
  | { readonly kind: 'fold'; readonly fold: FoldRecord }
  | { readonly kind: 'missing'; readonly loss: Loss }
  | { readonly kind: 'unknown' }

const UNKNOWN: Item = { kind: 'unknown' }

/** Reads the next item; undefined when the bytes cannot be one, after which nothing more can be read. */
export function readItem(reader: ByteReader, scope: Scope): Item | undefined {
  const tag = reader.byte()
  let item: Item
  switch (tag & 3) {
    case format.ITEM_CALL:
      item = readCall(reader, scope, tag)
      break
    case format.ITEM_POINTER:
      item = { kind: 'pointer', pointer: readPointer(reader) }
      break
    case format.ITEM_FOLD:
      item = { kind: 'fold', fold: readFold(reader, scope, tag) }
      break
    default:
      item = readExtension(reader, tag >> 2)
  }
  return reader.bad ? undefined : item
}

function readCall(reader: ByteReader, scope: Scope, tag: number): CallItem {
  const { owner } = scope
  const more = (tag & format.CALL_MORE) === 0 ? 0 : reader.byte()
  const id = reader.id(8)
  const service = readName(reader, scope, owner.service)
  const method = readName(reader, scope, owner.method)
  const requestUs = scope.receiveUs + reader.zigzag()
  const took = (more & format.MORE_PENDING) === 0 ? reader.varint() : undefined
  const status = (tag & format.CALL_STATUS) === 0 ? 0 : reader.byte()
  const late = (more & format.MORE_LATE) !== 0
  const seq = scope.position + ((tag & format.CALL_SEQ) === 0 ? 0 : reader.zigzag())
  const attempt = (tag & format.CALL_ATTEMPT) === 0 ? 1 : reader.varint()
  const error = (tag & format.CALL_ERROR) === 0 ? undefined : readName(reader, scope, '')
  const loss = (more & format.MORE_MISSING) === 0 ? undefined : readLoss(reader)
  if ((more & format.MORE_EXTENSION) !== 0) reader.skip(reader.varint())
  if (!late) {
    scope.position++
    scope.records++
  }
  const record: CallRecord = {
    id,
    service,
    method,
    edge: format.EDGES[more & 3]!,
    seq: Math.max(0, seq),
    attempt,
    requestUs,
    finishUs:
      took === undefined
        ? undefined
        : requestUs + ((more & format.MORE_BACKWARD) === 0 ? took : -took),
    status: format.statusOf(status),
    error,
    late,
  }
  const callee = (tag & format.CALL_BLOCK) === 0 ? undefined : readChild(reader, scope, record)
  const foreign = (more & format.MORE_FOREIGN) === 0 ? undefined : readForeign(reader)
  if (callee === undefined) return { kind: 'call', record, child: undefined, loss, foreign }
  if ('reason' in callee) return { kind: 'call', record, child: undefined, loss: callee, foreign }
  return { kind: 'call', record, child: callee, loss, foreign }
}

function readName(reader: ByteReader, scope: Scope, own: string): string {
  const code = reader.byte()
  if (code < format.NAME_NEW) {
    const index = code === format.NAME_LONG_INDEX ? code + reader.varint() : code
    const name = scope.names[index]
    if (name === undefined) reader.bad = true
    return name ?? ''
  }
  const shared = code - format.NAME_NEW
  if (shared > own.length) reader.bad = true
  const name = reader.text(own, shared)
  scope.names.push(name)
  return name
}

function readLoss(reader: ByteReader): Loss {
  const reason = format.REASONS[reader.byte()] ?? 'unreadable'
  return { reason, calls: format.toCount(reader.varint()) }
}

/** A child whose head is damaged costs itself only: its length tells where its siblings go on. */
function readChild(reader: ByteReader, scope: Scope, record: CallRecord): Child | Loss {
  const length = reader.varint()
  const start = reader.skip(length)
  if (reader.bad) return { reason: 'unreadable', calls: 0 }
  const end = reader.at
  const outer = reader.end
  reader.at = start
  reader.end = end
  const count = reader.varint()
  const status = count % 2 === 1 ? reader.byte() : 0
  const code = reader.varint()
  const [host, pid] = readPlace(reader, scope, Math.floor(code / 2))
  const named = code % 2 === 1
  const child: Child = {
    calls: believable(Math.floor(count / 2), length),
    worst: status >> 4,
    own: status & 0x0f,
    depth: 1,
    host,
    pid,
    service: named ? reader.text() : record.service,
    method: named ? reader.text() : record.method,
    receiveUs: Math.max(0, record.requestUs + reader.zigzag()),
    bytes: reader.bytes,
    start: reader.at,
    end,
  }
  const damaged = reader.bad
  reader.bad = false
  reader.at = end
  reader.end = outer
  return damaged ? { reason: 'unreadable', calls: child.calls } : child
}

function readPlace(reader: ByteReader, scope: Scope, code: number): readonly [string, number] {
  const { owner, hosts, pids } = scope
  if (code === format.PLACE_SAME) return [owner.host, owner.pid]
  if (code >= format.PLACE_KNOWN) {
    const host = hosts[code - format.PLACE_KNOWN]
    if (host === undefined) reader.bad = true
    return [host ?? '', pids[code - format.PLACE_KNOWN] ?? 0]
  }
  const known = code === format.PLACE_OTHER_PID
  const host = known ? owner.host : reader.text()
  const pid = format.toCount(known ? owner.pid + reader.zigzag() : reader.varint())
  hosts.push(host)
  pids.push(pid)
  return [host, pid]
}

function readForeign(reader: ByteReader): NonNullable<CallItem['foreign']> {
  const length = reader.varint()
  const start = reader.skip(length)
  const end = reader.at
  if (reader.bad) return { bytes: reader.bytes, start, end, calls: 0 }
  // Length and count of a block stand behind its first byte in every version.
  reader.at = start
  reader.byte()
  reader.varint()
  const calls = believable(Math.floor(reader.varint() / 2), length)
  reader.at = end
  return { bytes: reader.bytes, start, end, calls }
}

function readPointer(reader: ByteReader): Pointer {
  const piece = reader.varint()
  const calls = reader.varint()
  const bytes = Math.min(reader.varint(), format.MAX_MESSAGE_BYTES)
  return { piece, calls: believable(calls, bytes), bytes, worst: format.statusOf(reader.byte()) }
}

function readFold(reader: ByteReader, scope: Scope, tag: number): FoldRecord {
  return {
    edge: format.EDGES[(tag >> format.FOLD_EDGE_SHIFT) & 3]!,
    service: readName(reader, scope, scope.owner.service),
    method: readName(reader, scope, scope.owner.method),
    count: format.toCount(reader.varint()),
    calls: format.toCount(reader.varint()),
    minUs: reader.varint(),
    medianUs: reader.varint(),
    maxUs: reader.varint(),
    sumUs: reader.varint(),
    requestUs: scope.receiveUs + reader.zigzag(),
  }
}

function readExtension(reader: ByteReader, kind: number): Item {
  const start = reader.skip(reader.varint())
  const end = reader.at
  if (kind !== format.EXTENSION_MISSING || reader.bad) return UNKNOWN
  reader.at = start
  const loss = readLoss(reader)
  reader.at = end
  return { kind: 'missing', loss }
}

/** The callee's record as a block has it. */
export interface ReadOwn extends Omit<OwnRecord, 'calls'> {
  /** Undefined where they are as many as call items follow. */
  readonly calls: number | undefined
  /** Position of the first call item that follows. */
  readonly first: number
}

export function readOwn(reader: ByteReader, receiveUs: number, status: number): ReadOwn {
  const flags = reader.byte()
  const took = reader.varint()
  const respondUs = receiveUs + ((flags & format.OWN_BACKWARD) === 0 ? took : -took)
  const startUs = (flags & format.OWN_START) === 0 ? undefined : receiveUs + reader.zigzag()
  const inFlight = (flags & format.OWN_IN_FLIGHT) === 0 ? 1 : format.toCount(reader.varint())
  const calls = (flags & format.OWN_CALLS) === 0 ? undefined : format.toCount(reader.varint())
  const error = (flags & format.OWN_ERROR) === 0 ? undefined : reader.text()
  const first = (flags & format.OWN_FIRST) === 0 ? 0 : format.toCount(reader.varint())
  const more = (flags & format.OWN_EXTENSION) === 0 ? undefined : readMore(reader, receiveUs)
  const redelivered = (flags & format.OWN_REDELIVERED) !== 0
  return {
    receiveUs,
    startUs,
    respondUs,
    status: format.statusOf(status),
    error,
    inFlight,
    redelivered,
    calls,
    first,
    ...more,
  }
}
