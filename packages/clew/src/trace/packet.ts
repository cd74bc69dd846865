import { ByteReader } from './byte-reader.ts'
import { ByteWriter, copyBytes, slabs, varintSize } from './byte-writer.ts'
import * as format from './format.ts'
import { blockCalls } from './head.ts'
import { hexAt } from './ids.ts'
import type { CallRecord } from './records.ts'

/** High nibble of a packet's first byte; the low nibble is the version. */
const PACKET_MAGIC = 0xe0

const HAS_ROOT = 0x01
const HAS_WEIGHT = 0x02
const HAS_LINES = 0x04
const ENDED = 0x08
const HAS_EXTENSION = 0x80

const ROOT_LATE = 0x04
const ROOT_PENDING = 0x08
const ROOT_BACKWARD = 0x10
const ROOT_ERROR = 0x20
const ROOT_BLOCK = 0x40

/** The caller's side of a root call, with the block that its reply brought. */
export interface PacketRoot {
  readonly record: CallRecord
  readonly host: string
  readonly pid: number
  readonly block?: Uint8Array | undefined
}

/**
 * What a process hands on of one trace at a time, as it came: nothing in it is parsed before somebody
 * asks for it. All packets of one trace id, in whatever order, late or twice, make its trace.
 */
export interface Packet {
  /** 32 hex digits. */
  readonly traceId: string
  readonly root?: PacketRoot | undefined
  /** Messages of the root's inbox, and whole blocks of callees that are roots. */
  readonly pieces: readonly Uint8Array[]
  /** Lines of a trace file in UTF-8, of what was not recorded as blocks; `lineCalls` tells how many calls they hold. */
  readonly lines?: Uint8Array | undefined
  readonly lineCalls?: number | undefined
  /** Every piece that was announced is in it, and none is to be expected. */
  readonly ended: boolean
  /**
   * For how many traces it stands: 1 / the probability with which it was kept.
   * @default 1
   */
  readonly weight?: number | undefined
}

/** What a packet says of itself before its contents. */
export interface PacketHead {
  readonly traceId: string
  /** Calls recorded in it. */
  readonly calls: number
  readonly ended: boolean
  /** From 1 on. */
  readonly weight: number
  /** Bytes of the packet, its head included. */
  readonly length: number
}

/** Calls that are recorded in a piece; 0 where it is none. */
export function pieceCalls(piece: Uint8Array): number {
  const reader = new ByteReader(piece)
  if ((reader.byte() & 0xf0) !== format.PIECE_MAGIC) return 0
  if (reader.varint() !== piece.length - reader.at) return 0
  const count = reader.varint()
  if (count % 2 === 1) reader.byte()
  reader.varint()
  reader.skip(24)
  const whole = (reader.byte() & format.PIECE_OWN) !== 0
  return reader.bad ? 0 : Math.min(Math.floor(count / 2), piece.length) + (whole ? 1 : 0)
}

/** Calls recorded in a packet. */
export function packetCalls({ root, pieces, lineCalls = 0 }: Packet): number {
  let calls = lineCalls
  if (root !== undefined) {
    calls += 1 + (root.block === undefined ? 0 : (blockCalls(root.block) ?? 0))
  }
  for (const piece of pieces) calls += pieceCalls(piece)
  return calls
}

/** Packets wait to be sent, and may wait for long. */
const allocate = slabs()

/** The body is written here first: its length comes before it. */
let scratch = new ByteWriter(4_096)
/** A scratch that had to grow beyond this for one large packet is not kept. */
const LARGEST_SCRATCH = 256 * 1024

/** The bytes of a packet, as docs/format.md lays them out. */
export function encodePacket(packet: Packet): Uint8Array {
  const { root, pieces, lines, weight = 1 } = packet
  const body = scratch
  body.at = 0
  body.id(packet.traceId, 16)
  const weighted = weight > 1 && Number.isFinite(weight)
  let flags = 0
  if (root !== undefined) flags |= HAS_ROOT
  if (weighted) flags |= HAS_WEIGHT
  if (lines !== undefined) flags |= HAS_LINES
  if (packet.ended) flags |= ENDED
  body.byte(flags)
  body.varint(packetCalls(packet))
  if (weighted) putFloat(body, weight)
  if (root !== undefined) putRoot(body, root)
  body.varint(pieces.length)
  for (const piece of pieces) putBytes(body, piece)
  if (lines !== undefined) putBytes(body, lines)
  const size = varintSize(body.at)
  const whole = allocate(1 + size + body.at)
  whole[0] = PACKET_MAGIC | format.VERSION
  putVarint(whole, 1, body.at)
  copyBytes(body.buffer, 0, body.at, whole, 1 + size)
  if (body.buffer.length > LARGEST_SCRATCH) scratch = new ByteWriter(4_096)
  return whole
}

function putVarint(bytes: Uint8Array, start: number, value: number): void {
  let at = start
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
  bytes[at] = rest
}

function putFloat(writer: ByteWriter, value: number): void {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  writer.bytes(bytes, 0, 8)
}

function putBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.varint(bytes.length)
  writer.bytes(bytes, 0, bytes.length)
}

function putRoot(writer: ByteWriter, { record, host, pid, block }: PacketRoot): void {
  const requestUs = format.toStamp(record.requestUs)
  const finishUs = record.finishUs === undefined ? undefined : format.toStamp(record.finishUs)
  let flags = Math.max(0, format.EDGES.indexOf(record.edge))
  if (record.late === true) flags |= ROOT_LATE
  if (finishUs === undefined) flags |= ROOT_PENDING
  else if (finishUs < requestUs) flags |= ROOT_BACKWARD
  if (record.error !== undefined) flags |= ROOT_ERROR
  if (block !== undefined) flags |= ROOT_BLOCK
  writer.text(host)
  writer.varint(format.toCount(pid))
  writer.id(record.id, 8)
  writer.text(record.service)
  writer.text(record.method)
  writer.byte(flags)
  writer.byte(format.statusCode(record.status))
  writer.varint(format.toCount(record.attempt))
  writer.varint(requestUs)
  if (finishUs !== undefined) writer.varint(Math.abs(finishUs - requestUs))
  if (record.error !== undefined) writer.text(record.error)
  if (block !== undefined) putBytes(writer, block)
}

/**
 * The head of the packet that begins at `at`; undefined where there is none, it is damaged or of a
 * version that is not known here.
 */
export function packetHead(bytes: Uint8Array, at = 0): PacketHead | undefined {
  const reader = new ByteReader(bytes, at)
  if (reader.byte() !== (PACKET_MAGIC | format.VERSION)) return undefined
  const size = reader.varint()
  const end = reader.at + size
  if (reader.bad || end > bytes.length) return undefined
  reader.end = end
  const idAt = reader.skip(16)
  const flags = reader.byte()
  const calls = reader.varint()
  const weight = (flags & HAS_WEIGHT) === 0 ? 1 : readFloat(reader)
  if (reader.bad) return undefined
  return {
    traceId: hexAt(bytes, idAt, 16),
    calls: Math.min(calls, size),
    ended: (flags & ENDED) !== 0,
    weight,
    length: end - at,
  }
}

/**
 * The packet that these bytes are, its parts as views of them; undefined where they are damaged or of
 * another version.
 */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  const head = packetHead(bytes)
  if (head === undefined || head.length !== bytes.length) return undefined
  const reader = new ByteReader(bytes, 1)
  reader.varint()
  reader.skip(16)
  const flags = reader.byte()
  reader.varint()
  if ((flags & HAS_WEIGHT) !== 0) reader.skip(8)
  const root = (flags & HAS_ROOT) === 0 ? undefined : readRoot(reader)
  const pieces: Uint8Array[] = []
  const count = reader.varint()
  for (let index = 0; index < count && !reader.bad; index++) pieces.push(readBytes(reader))
  const lines = (flags & HAS_LINES) === 0 ? undefined : readBytes(reader)
  if ((flags & HAS_EXTENSION) !== 0) readBytes(reader)
  if (reader.bad) return undefined
  const { traceId, ended, weight } = head
  const lineCalls = lines === undefined ? undefined : head.calls
  return { traceId, root, pieces, lines, lineCalls, ended, weight }
}

/** From 1 on, whatever stands there. */
function readFloat(reader: ByteReader): number {
  const at = reader.skip(8)
  if (reader.bad) return 1
  const { buffer, byteOffset } = reader.bytes
  const value = new DataView(buffer, byteOffset + at, 8).getFloat64(0)
  return value >= 1 && value < Number.MAX_SAFE_INTEGER ? value : 1
}

function readBytes(reader: ByteReader): Uint8Array {
  const size = reader.varint()
  const start = reader.skip(size)
  return reader.bad ? new Uint8Array(0) : reader.bytes.subarray(start, start + size)
}

function readRoot(reader: ByteReader): PacketRoot {
  const host = reader.text()
  const pid = format.toCount(reader.varint())
  const id = reader.id(8)
  const service = reader.text()
  const method = reader.text()
  const flags = reader.byte()
  const status = format.statusOf(reader.byte())
  const attempt = Math.max(1, format.toCount(reader.varint()))
  const requestUs = reader.varint()
  const lasted = (flags & ROOT_PENDING) === 0 ? reader.varint() : undefined
  const error = (flags & ROOT_ERROR) === 0 ? undefined : reader.text()
  const block = (flags & ROOT_BLOCK) === 0 ? undefined : readBytes(reader)
  const finishUs =
    lasted === undefined
      ? undefined
      : format.toStamp(requestUs + ((flags & ROOT_BACKWARD) === 0 ? lasted : -lasted))
  const late = (flags & ROOT_LATE) !== 0
  const record: CallRecord = {
    ...{ id, service, method, edge: format.EDGES[flags & 0x03]!, seq: 0, attempt },
    ...{ requestUs: format.toStamp(requestUs), finishUs, status, error },
    ...(late && { late }),
  }
  return { record, host, pid, block }
}
