import { HEADER_BYTES } from './field-table.ts'
import type { Message } from './message.ts'

/**
 * The frames that carry messages, written and read without looking into header tables: a table is
 * skipped by its length, so neither its depth nor its field types can harm the connection.
 */

export const FRAME_METHOD = 1
export const FRAME_HEADER = 2
export const FRAME_BODY = 3
export const FRAME_HEARTBEAT = 8
export const FRAME_END = 0xce

/** Octets around the payload of a frame. */
export const FRAME_OVERHEAD = 8

/** Class and method of basic methods as one number. */
export const BASIC_DELIVER = 0x003c_003c
export const BASIC_RETURN = 0x003c_0032
export const BASIC_ACK = 0x003c_0050
export const BASIC_NACK = 0x003c_0078
export const BASIC_CANCEL = 0x003c_001e
const BASIC_PUBLISH = 0x003c_0028

export const HEARTBEAT_FRAME: Buffer = Buffer.from([FRAME_HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END])

/** Where frames are written to before they go to the socket. */
export interface FrameSink {
  /** A buffer with at least so many free bytes behind `end`. */
  reserve(bytes: number): Buffer
  /** Position of the first free byte in the buffer; moved on by whoever writes. */
  end: number
  /** Sends a large piece without copying it. */
  pass(bytes: Buffer): void
}

// Method frame and header frame without the table: ten short strings and some numbers.
const ENVELOPE_BYTES = 3072
/** Bodies up to this size are copied behind their header, larger ones are passed on as they are. */
const COPIED_BODY_BYTES = 16 * 1024

/** Bytes of the message's content header; more than the frame size allows must not be sent. */
export function contentHeaderBytes(message: Message): number {
  return ENVELOPE_BYTES + (message.headers?.length ?? 0)
}

/** Room a content header always has: the largest table that is sent, and what surrounds it. */
export const LARGEST_CONTENT_HEADER: number = HEADER_BYTES + ENVELOPE_BYTES

export function writePublish(
  sink: FrameSink,
  channel: number,
  message: Message,
  mandatory: boolean,
  frameMax: number,
): void {
  const { body } = message
  const bytes = sink.reserve(ENVELOPE_BYTES + (message.headers?.length ?? 0))
  let at = sink.end
  bytes[at] = FRAME_METHOD
  bytes.writeUInt16BE(channel, at + 1)
  const methodAt = at + 7
  bytes.writeUInt32BE(BASIC_PUBLISH, methodAt)
  bytes.writeUInt16BE(0, methodAt + 4)
  at = writeShort(bytes, methodAt + 6, message.exchange)
  at = writeShort(bytes, at, message.routingKey)
  bytes[at++] = mandatory ? 1 : 0
  bytes.writeUInt32BE(at - methodAt, methodAt - 4)
  bytes[at++] = FRAME_END
  sink.end = writeContentHeader(bytes, at, channel, message)
  const piece = frameMax - FRAME_OVERHEAD
  for (let start = 0; start < body.length; start += piece) {
    writeBody(sink, channel, body, start, Math.min(body.length, start + piece))
  }
}

function writeContentHeader(bytes: Buffer, start: number, channel: number, message: Message) {
  bytes[start] = FRAME_HEADER
  bytes.writeUInt16BE(channel, start + 1)
  const payloadAt = start + 7
  bytes.writeUInt32BE(0x003c_0000, payloadAt)
  bytes.writeUInt32BE(0, payloadAt + 4)
  bytes.writeUInt32BE(message.body.length, payloadAt + 8)
  const end = writeProperties(bytes, payloadAt + 12, message)
  bytes.writeUInt32BE(end - payloadAt, payloadAt - 4)
  bytes[end] = FRAME_END
  return end + 1
}

export const HAS_CONTENT_TYPE = 0x8000
export const HAS_CONTENT_ENCODING = 0x4000
export const HAS_HEADERS = 0x2000
export const HAS_DELIVERY_MODE = 0x1000
export const HAS_PRIORITY = 0x0800
export const HAS_CORRELATION_ID = 0x0400
export const HAS_REPLY_TO = 0x0200
export const HAS_EXPIRATION = 0x0100
export const HAS_MESSAGE_ID = 0x0080
export const HAS_TIMESTAMP = 0x0040
export const HAS_TYPE = 0x0020
export const HAS_USER_ID = 0x0010
export const HAS_APP_ID = 0x0008
export const HAS_OTHERS = 0x00f8

/** Flags and properties; returns where they end. */
export function writeProperties(bytes: Buffer, start: number, message: Message): number {
  let flags = 0
  let at = start + 2
  if (message.contentType !== '') {
    flags |= HAS_CONTENT_TYPE
    at = writeShort(bytes, at, message.contentType)
  }
  if (message.contentEncoding !== '') {
    flags |= HAS_CONTENT_ENCODING
    at = writeShort(bytes, at, message.contentEncoding)
  }
  if (message.headers !== undefined) {
    flags |= HAS_HEADERS
    bytes.writeUInt32BE(message.headers.length, at)
    bytes.set(message.headers, at + 4)
    at += 4 + message.headers.length
  }
  if (message.deliveryMode !== 0) {
    flags |= HAS_DELIVERY_MODE
    bytes[at++] = message.deliveryMode
  }
  if (message.priority >= 0) {
    flags |= HAS_PRIORITY
    bytes[at++] = message.priority
  }
  if (message.correlationId !== '') {
    flags |= HAS_CORRELATION_ID
    at = writeShort(bytes, at, message.correlationId)
  }
  if (message.replyTo !== '') {
    flags |= HAS_REPLY_TO
    at = writeShort(bytes, at, message.replyTo)
  }
  if (message.expiration !== '') {
    flags |= HAS_EXPIRATION
    at = writeShort(bytes, at, message.expiration)
  }
  if (message.others !== undefined) {
    flags |= message.others.flags
    bytes.set(message.others.bytes, at)
    at += message.others.bytes.length
  }
  bytes.writeUInt16BE(flags, start)
  return at
}

function writeBody(sink: FrameSink, channel: number, body: Buffer, start: number, end: number) {
  const length = end - start
  const copied = length <= COPIED_BODY_BYTES
  const bytes = sink.reserve(FRAME_OVERHEAD + (copied ? length : 0))
  const at = sink.end
  bytes[at] = FRAME_BODY
  bytes.writeUInt16BE(channel, at + 1)
  bytes.writeUInt32BE(length, at + 3)
  sink.end = at + 7
  if (copied) {
    body.copy(bytes, at + 7, start, end)
    bytes[at + 7 + length] = FRAME_END
    sink.end = at + FRAME_OVERHEAD + length
  } else {
    sink.pass(body.subarray(start, end))
    sink.reserve(1)[sink.end] = FRAME_END
    sink.end++
  }
}

export function writeAcknowledge(
  sink: FrameSink,
  channel: number,
  tag: number,
  multiple: boolean,
): void {
  writeTagged(sink, channel, BASIC_ACK, tag, multiple ? 1 : 0)
}

/** Gives one delivery back to its queue. */
export function writeRequeue(sink: FrameSink, channel: number, tag: number): void {
  writeTagged(sink, channel, BASIC_NACK, tag, 2)
}

function writeTagged(sink: FrameSink, channel: number, method: number, tag: number, bits: number) {
  const bytes = sink.reserve(21)
  const at = sink.end
  bytes[at] = FRAME_METHOD
  bytes.writeUInt16BE(channel, at + 1)
  bytes.writeUInt32BE(13, at + 3)
  bytes.writeUInt32BE(method, at + 7)
  bytes.writeUInt32BE(Math.floor(tag / 0x100000000), at + 11)
  bytes.writeUInt32BE(tag % 0x100000000, at + 15)
  bytes[at + 19] = bits
  bytes[at + 20] = FRAME_END
  sink.end = at + 21
}

// Ids and keys are short and ASCII: a loop beats a call into the runtime.
function writeShort(bytes: Buffer, start: number, text: string): number {
  const length = text.length
  if (length <= 64) {
    let at = start + 1
    let index = 0
    for (; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) break
      bytes[at++] = code
    }
    if (index === length) {
      bytes[start] = length
      return at
    }
  }
  const written = bytes.write(text, start + 1, 'utf8')
  bytes[start] = written
  return start + 1 + written
}
