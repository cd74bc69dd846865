import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { VERSION } from './format.ts'
import { packetHead } from './packet.ts'

/** High nibble of a batch's first byte; the low nibble is the version. */
const BATCH_MAGIC = 0xf0

/** Most packets in a batch, and most bytes: readers take no more. */
export const MAX_BATCH_PACKETS = 100_000
export const MAX_BATCH_BYTES = 16 * 1024 * 1024
/** Reasons for which calls were dropped that are told apart. */
const MAX_REASONS = 32

/** Who sends batches: one sink of one process, from its start to its end. */
export interface Sender {
  /** For people: name of the program or its services. */
  readonly name: string
  readonly host: string
  readonly pid: number
  /** 16 hex digits, random, fixed per sink. */
  readonly instance: string
}

/** What a sink hands to a collector at a time: packets, and what became of all that it was given. */
export interface Batch {
  /** 32 hex digits; the same when it is sent again. */
  readonly id: string
  readonly sender: Sender
  /** Calls taken by the sink since it began. */
  readonly taken: number
  /** Of those, calls that were dropped and will not come, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Bytes of packets. */
  readonly packets: readonly Uint8Array[]
}

/** A batch as it was read. */
export interface ReadBatch extends Batch {
  /** True where its end is damaged, so that packets that were in it are not told. */
  readonly damaged: boolean
}

/** The bytes of a batch, as docs/format.md lays them out. */
export function encodeBatch({ id, sender, taken, dropped, packets }: Batch): Uint8Array {
  let size = 1_024
  for (const packet of packets) size += packet.length
  const writer = new ByteWriter(size)
  writer.byte(BATCH_MAGIC | VERSION)
  writer.id(id, 16)
  writer.id(sender.instance, 8)
  writer.text(sender.name)
  writer.text(sender.host)
  writer.varint(whole(sender.pid))
  writer.varint(whole(taken))
  const reasons = Object.entries(dropped).slice(0, MAX_REASONS)
  writer.varint(reasons.length)
  for (const [reason, calls] of reasons) {
    writer.text(reason)
    writer.varint(whole(calls))
  }
  writer.varint(packets.length)
  for (const packet of packets) writer.bytes(packet, 0, packet.length)
  return writer.buffer.subarray(0, writer.at)
}

/** A count of any size that a double holds exactly. */
const whole = (count: number) =>
  count >= 1 ? Math.min(Math.floor(count), Number.MAX_SAFE_INTEGER) : 0

/**
 * The batch that these bytes are, its packets as views of them, unread; undefined where they are no
 * batch or of another version. Never throws.
 */
export function readBatch(bytes: Uint8Array): ReadBatch | undefined {
  if (bytes.length > MAX_BATCH_BYTES) return undefined
  const reader = new ByteReader(bytes)
  if (reader.byte() !== (BATCH_MAGIC | VERSION)) return undefined
  const id = reader.id(16)
  const instance = reader.id(8)
  const sender = { name: reader.text(), host: reader.text(), pid: reader.varint(), instance }
  const taken = reader.varint()
  const dropped: Record<string, number> = Object.create(null)
  const reasons = reader.varint()
  for (let index = 0; index < reasons && !reader.bad; index++) {
    const reason = reader.text()
    dropped[reason] = reader.varint()
  }
  const announced = reader.varint()
  if (reader.bad || reasons > MAX_REASONS) return undefined
  const packets: Uint8Array[] = []
  for (let at = reader.at; at < bytes.length && packets.length < MAX_BATCH_PACKETS; ) {
    const head = packetHead(bytes, at)
    if (head === undefined) break
    packets.push(bytes.subarray(at, at + head.length))
    at += head.length
  }
  const damaged = packets.length !== announced
  return { id, sender, taken, dropped, packets, damaged }
}
