import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import * as format from './format.ts'
import { blockVersion } from './head.ts'

/** High nibble of a recall request's first byte; the low nibble is the version. */
const RECALL_MAGIC = 0xb0

/** Most traces that one request asks about. */
export const MAX_RECALL_TRACES = 100

/** Asks every process what it still knows of some traces. */
export interface RecallRequest {
  /** 16 hex digits, random: a request that comes twice is answered once. */
  readonly nonce: string
  /** 16 hex digits: the box that answers go to. */
  readonly inbox: string
  /** 32 hex digits each, at most {@link MAX_RECALL_TRACES}; more are left out. */
  readonly traceIds: readonly string[]
}

/** The bytes of a request, as docs/format.md lays them out. */
export function encodeRecall({ nonce, inbox, traceIds }: RecallRequest): Uint8Array {
  const ids = traceIds.slice(0, MAX_RECALL_TRACES)
  const writer = new ByteWriter(32 + 16 * ids.length)
  writer.byte(RECALL_MAGIC | format.VERSION)
  writer.id(nonce, 8)
  writer.id(inbox, 8)
  writer.varint(ids.length)
  for (const id of ids) writer.id(id, 16)
  return writer.buffer.subarray(0, writer.at)
}

/** The request that these bytes are; undefined where they are none. Never throws. */
export function readRecall(bytes: Uint8Array): RecallRequest | undefined {
  const reader = new ByteReader(bytes)
  if (reader.byte() !== (RECALL_MAGIC | format.VERSION)) return undefined
  const nonce = reader.id(8)
  const inbox = reader.id(8)
  const count = reader.varint()
  if (reader.bad || count === 0 || count > MAX_RECALL_TRACES) return undefined
  const traceIds: string[] = []
  for (let index = 0; index < count; index++) traceIds.push(reader.id(16))
  return reader.bad || reader.at !== bytes.length ? undefined : { nonce, inbox, traceIds }
}

/** By whose call a block is known, once no reply carries it. */
export interface BlockOwner {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the call that it answers. */
  readonly callId: string
  /** 16 hex digits: the call of the worker that made it; undefined where unknown. */
  readonly parent: string | undefined
}

/**
 * The block of a reply as a piece, which needs no reply around it. Its contents are copied as they are.
 * @returns undefined where the bytes are no block of this version
 */
export function blockAsPiece(block: Uint8Array, owner: BlockOwner): Uint8Array | undefined {
  if (blockVersion(block) !== format.VERSION) return undefined
  const reader = new ByteReader(block, 1)
  if (reader.varint() !== block.length - reader.at) return undefined
  const counts = reader.at
  if (reader.varint() % 2 === 1) reader.byte()
  reader.varint()
  const place = reader.at
  reader.skip(reader.varint())
  reader.varint()
  reader.skip(reader.varint())
  reader.skip(reader.varint())
  reader.varint()
  if (reader.bad) return undefined
  const body = new ByteWriter(block.length + 48)
  body.bytes(block, counts, place)
  body.id(owner.traceId, 16)
  body.id(owner.callId, 8)
  body.byte(format.PIECE_OWN | (owner.parent === undefined ? 0 : format.PIECE_PARENT))
  body.varint(0)
  body.bytes(block, place, reader.at)
  if (owner.parent !== undefined) body.id(owner.parent, 8)
  body.bytes(block, reader.at, block.length)
  const piece = new ByteWriter(body.at + 9)
  piece.byte(format.PIECE_MAGIC | format.VERSION)
  piece.varint(body.at)
  piece.bytes(body.buffer, 0, body.at)
  return piece.buffer.subarray(0, piece.at)
}

/** The worst status in a block or a piece, whatever their version; `ok` where the bytes are neither. */
export function worstStatus(bytes: Uint8Array): ReturnType<typeof format.statusOf> {
  const magic = bytes.length > 0 ? bytes[0]! & 0xf0 : 0
  if (magic !== format.BLOCK_MAGIC && magic !== format.PIECE_MAGIC) return 'ok'
  const reader = new ByteReader(bytes, 1)
  reader.varint()
  const status = reader.varint() % 2 === 1 ? reader.byte() : 0
  return reader.bad ? 'ok' : format.statusOf(status >> 4)
}
