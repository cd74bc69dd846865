import {
  HAS_APP_ID,
  HAS_CONTENT_ENCODING,
  HAS_CONTENT_TYPE,
  HAS_CORRELATION_ID,
  HAS_DELIVERY_MODE,
  HAS_EXPIRATION,
  HAS_HEADERS,
  HAS_MESSAGE_ID,
  HAS_OTHERS,
  HAS_PRIORITY,
  HAS_REPLY_TO,
  HAS_TIMESTAMP,
  HAS_TYPE,
  HAS_USER_ID,
} from './amqp-frames.ts'
import type { Message } from './message.ts'

const NO_BYTES = Buffer.alloc(0)

/** Short strings that most messages of a connection have in common, each remembered by itself. */
export const EXCHANGE = 0
export const ROUTING_KEY = 1
const CONTENT_TYPE = 2
const CONTENT_ENCODING = 3
const REPLY_TO = 4
const EXPIRATION = 5

/**
 * Reads method arguments and properties of one frame after the other. What leads out of the frame
 * throws.
 */
export class FrameReader {
  #bytes: Buffer = NO_BYTES
  #at = 0
  #end = 0
  readonly #last = ['', '', '', '', '', '']

  /** What is read next: from `at` up to `end`, which lie within the bytes. */
  over(bytes: Buffer, at: number, end: number): this {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    return this
  }

  /** Moves on by so many bytes; gives where they begin. */
  #take(count: number): number {
    const at = this.#at
    if (count > this.#end - at) throw new RangeError('a field leaves its frame')
    this.#at = at + count
    return at
  }

  skip(count: number): void {
    this.#take(count)
  }

  octet(): number {
    return this.#bytes[this.#take(1)]!
  }

  /** A delivery tag, or a size: 64 bits. */
  tag(): number {
    const at = this.#take(8)
    return this.#bytes.readUInt32BE(at) * 0x100000000 + this.#bytes.readUInt32BE(at + 4)
  }

  short(): string {
    const length = this.octet()
    const start = this.#take(length)
    return length === 0 ? '' : this.#bytes.toString('utf8', start, start + length)
  }

  /** A short string that is likely to be the same as the last one read for its property. */
  usual(property: number): string {
    const length = this.octet()
    if (length === 0) return ''
    const start = this.#take(length)
    const last = this.#last[property]!
    if (last.length === length && isAt(last, this.#bytes, start)) return last
    const text = this.#bytes.toString('utf8', start, start + length)
    // As long in bytes as in characters: only such texts can be compared with bytes.
    if (text.length === length) this.#last[property] = text
    return text
  }

  /** The bytes of a short string, its length included. */
  shortBytes(): Buffer {
    const start = this.#at
    this.skipShort()
    return this.#bytes.subarray(start, this.#at)
  }

  skipShort(): void {
    this.#take(this.octet())
  }

  /** So many bytes as they are, valid only for now. */
  raw(count: number): Buffer {
    const start = this.#take(count)
    return this.#bytes.subarray(start, this.#at)
  }

  table(): Buffer {
    const length = this.#bytes.readUInt32BE(this.#take(4))
    const start = this.#take(length)
    // A copy: the frame lies in a buffer that holds many others.
    return Buffer.from(this.#bytes.subarray(start, this.#at))
  }
}

function isAt(text: string, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false
  }
  return true
}

/** The properties of a message that count for us. */
export interface Properties {
  contentType: string
  contentEncoding: string
  headers: Buffer | undefined
  deliveryMode: number
  priority: number
  correlationId: string
  replyTo: string
  expiration: string
  others: Message['others']
}

/** Reads flags and properties. */
export function readProperties(reader: FrameReader): Properties {
  const flags = reader.octet() * 256 + reader.octet()
  // Bit 0 announces a further word of flags; nobody uses any.
  for (let more = flags & 1; more === 1; ) {
    reader.octet()
    more = reader.octet() & 1
  }
  return {
    contentType: flags & HAS_CONTENT_TYPE ? reader.usual(CONTENT_TYPE) : '',
    contentEncoding: flags & HAS_CONTENT_ENCODING ? reader.usual(CONTENT_ENCODING) : '',
    headers: flags & HAS_HEADERS ? reader.table() : undefined,
    deliveryMode: flags & HAS_DELIVERY_MODE ? reader.octet() : 0,
    priority: flags & HAS_PRIORITY ? reader.octet() : -1,
    correlationId: flags & HAS_CORRELATION_ID ? reader.short() : '',
    replyTo: flags & HAS_REPLY_TO ? reader.usual(REPLY_TO) : '',
    expiration: flags & HAS_EXPIRATION ? reader.usual(EXPIRATION) : '',
    others: flags & HAS_OTHERS ? readOthers(reader, flags) : undefined,
  }
}

// The broker compares a user id with who publishes, so that one is not passed on.
function readOthers(reader: FrameReader, flags: number): Message['others'] {
  const pieces: Buffer[] = []
  if (flags & HAS_MESSAGE_ID) pieces.push(reader.shortBytes())
  if (flags & HAS_TIMESTAMP) pieces.push(reader.raw(8))
  if (flags & HAS_TYPE) pieces.push(reader.shortBytes())
  if (flags & HAS_USER_ID) reader.skipShort()
  if (flags & HAS_APP_ID) pieces.push(reader.shortBytes())
  return { flags: flags & HAS_OTHERS & ~HAS_USER_ID, bytes: Buffer.concat(pieces) }
}
