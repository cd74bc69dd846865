import { type Headers, type HeaderValue, NewTable } from '../call/index.ts'

/** Tables and arrays may nest this deep; a deeper table is refused whole. */
export const TABLE_DEPTH = 8

/** Larger header tables are never sent: the broker closes the connection at 131,064 bytes. */
export const HEADER_BYTES = 100 * 1024

/** Why a header table cannot be sent. */
export class TableError extends Error {}

const NAMEKO_PREFIX = 'nameko.'

// One scratch buffer for all tables: encoding is synchronous and the result is copied out.
let scratch = Buffer.allocUnsafeSlow(1024)
let end = 0

/** Begins a table. Exactly one table is written at a time: begin, add entries, take. */
export function beginTable(): void {
  end = 0
}

/** Adds an entry under `key`, or under `nameko.{key}` when `prefixed`. */
export function addEntry(key: string, value: HeaderValue, prefixed: boolean): void {
  const lengthAt = end
  reserve(1)
  end++
  if (prefixed) writeText(NAMEKO_PREFIX)
  writeText(key)
  const length = end - lengthAt - 1
  if (length > 255)
    throw new TableError(`a header's name is ${length} bytes long, the limit is 255`)
  scratch[lengthAt] = length
  writeValue(value, 1)
}

/** The encoded entries as a copy of their own. */
export function takeTable(): Buffer {
  if (end > HEADER_BYTES) {
    throw new TableError(`the headers are ${end} bytes long, the limit is ${HEADER_BYTES}`)
  }
  const table = Buffer.allocUnsafe(end)
  scratch.copy(table, 0, 0, end)
  return table
}

/** A whole table at once. @throws TableError when it is too large, too deep or holds what AMQP cannot carry */
export function encodeTable(headers: Headers): Buffer {
  beginTable()
  for (const key of Object.keys(headers)) addEntry(key, headers[key]!, false)
  return takeTable()
}

// Only tags that every peer reads as they are meant: int16 `s` kills Python consumers, int8 `b` and
// negative int64 `l` change their value there, float32 `f` loses digits.
function writeValue(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      writeLongText(value)
      return
    case 'number':
      writeNumber(value)
      return
    case 'boolean':
      reserve(2)
      scratch[end++] = 0x74 // t
      scratch[end++] = value ? 1 : 0
      return
    case 'object':
      writeObject(value, depth)
      return
    case 'undefined':
      reserve(1)
      scratch[end++] = 0x56 // V
      return
    case 'bigint':
      writeLongText(value.toString())
      return
    default:
      throw new TableError(`a header cannot carry a ${typeof value}`)
  }
}

function writeNumber(value: number): void {
  reserve(9)
  if (Number.isInteger(value)) {
    if (value >= -0x80000000 && value <= 0x7fffffff) {
      scratch[end] = 0x49 // I
      scratch.writeInt32BE(value, end + 1)
      end += 5
      return
    }
    if (value > 0 && value <= Number.MAX_SAFE_INTEGER) {
      scratch[end] = 0x6c // l
      scratch.writeUInt32BE(Math.floor(value / 0x100000000), end + 1)
      scratch.writeUInt32BE(value % 0x100000000, end + 5)
      end += 9
      return
    }
  }
  // RabbitMQ closes the connection at a double that is not finite.
  if (!Number.isFinite(value)) throw new TableError(`a header cannot carry ${value}`)
  scratch[end] = 0x64 // d
  scratch.writeDoubleBE(value, end + 1)
  end += 9
}

function writeObject(value: object | null, depth: number): void {
  reserve(5)
  if (value === null) {
    scratch[end++] = 0x56 // V
    return
  }
  if (depth > TABLE_DEPTH) {
    throw new TableError(`the headers nest deeper than ${TABLE_DEPTH} levels`)
  }
  if (value instanceof Uint8Array) {
    reserve(5 + value.length)
    scratch[end] = 0x78 // x
    scratch.writeUInt32BE(value.length, end + 1)
    scratch.set(value, end + 5)
    end += 5 + value.length
    return
  }
  if (value instanceof Date) {
    writeLongText(value.toJSON() ?? 'Invalid Date')
    return
  }
  const lengthAt = end + 1
  if (Array.isArray(value)) {
    scratch[end] = 0x41 // A
    end += 5
    for (const item of value) writeValue(item, depth + 1)
  } else {
    scratch[end] = 0x46 // F
    end += 5
    for (const key of Object.keys(value)) {
      const keyAt = end
      reserve(1)
      end++
      writeText(key)
      if (end - keyAt > 256) throw new TableError('a header table has a key longer than 255 bytes')
      scratch[keyAt] = end - keyAt - 1
      writeValue((value as Record<string, unknown>)[key], depth + 1)
    }
  }
  scratch.writeUInt32BE(end - lengthAt - 4, lengthAt)
}

function writeLongText(text: string): void {
  reserve(5)
  const at = end
  scratch[at] = 0x53 // S
  end += 5
  writeText(text)
  scratch.writeUInt32BE(end - at - 5, at + 1)
}

function writeText(text: string): void {
  const length = text.length
  reserve(length * 3)
  if (length < 80) {
    // Short ASCII texts, which nearly all are, need no call into the runtime.
    let at = end
    let index = 0
    for (; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) break
      scratch[at++] = code
    }
    if (index === length) {
      end = at
      return
    }
  }
  end += scratch.write(text, end, 'utf8')
}

function reserve(bytes: number): void {
  if (end + bytes <= scratch.length) return
  // Three bytes a character are reserved beforehand, so the scratch may outgrow the limit that counts.
  if (end + bytes > 4 * HEADER_BYTES) {
    throw new TableError(`the headers are longer than ${HEADER_BYTES} bytes`)
  }
  const larger = Buffer.allocUnsafeSlow(Math.max(end + bytes, scratch.length * 2))
  scratch.copy(larger, 0, 0, end)
  scratch = larger
}

/** Why a received table cannot be read. */
class UnreadableTable extends Error {}

/** Reads a header table entry by entry. Foreign bytes: every method may throw. */
export class TableReader {
  readonly #bytes: Buffer
  #at = 0
  /** Of the entry that `next` found. */
  key = ''
  /** True when the name began with `nameko.`, which `key` then lacks. */
  prefixed = false
  value: HeaderValue = null

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  next(): boolean {
    const bytes = this.#bytes
    if (this.#at >= bytes.length) return false
    const length = bytes[this.#at]!
    const start = this.#at + 1
    const stop = this.#need(1 + length)
    this.prefixed = length > 7 && startsWithNameko(bytes, start)
    this.key = nameIn(bytes, this.prefixed ? start + 7 : start, stop)
    this.value = this.#value(bytes.length, 1)
    return true
  }

  #value(limit: number, depth: number): HeaderValue {
    const bytes = this.#bytes
    const at = this.#need(1, limit)
    switch (bytes[at - 1]) {
      case 0x53: // S, long string
        return this.#text(limit)
      case 0x49: // I, int32
        return bytes.readInt32BE(this.#need(4, limit) - 4)
      case 0x74: // t, boolean
        return bytes[this.#need(1, limit) - 1] !== 0
      case 0x56: // V, nothing
        return null
      case 0x41: // A, array
        return this.#array(limit, depth)
      case 0x46: // F, table
        return this.#table(limit, depth)
      case 0x6c: // l, int64
      case 0x4c: // L, int64 as Python's library writes it
        return this.#int64(limit)
      case 0x64: // d, double
        return bytes.readDoubleBE(this.#need(8, limit) - 8)
      case 0x78: // x, bytes
        return this.#slice(limit)
      case 0x54: // T, timestamp in seconds
        return timestamp(this.#int64(limit))
      default:
        return this.#rare(bytes[at - 1]!, limit)
    }
  }

  #rare(tag: number, limit: number): HeaderValue {
    const bytes = this.#bytes
    switch (tag) {
      case 0x62: // b, int8
        return bytes.readInt8(this.#need(1, limit) - 1)
      case 0x42: // B, uint8
        return bytes[this.#need(1, limit) - 1]!
      case 0x73: // s, int16 in RabbitMQ's reading
      case 0x55: // U, int16
        return bytes.readInt16BE(this.#need(2, limit) - 2)
      case 0x75: // u, uint16
        return bytes.readUInt16BE(this.#need(2, limit) - 2)
      case 0x69: // i, uint32
        return bytes.readUInt32BE(this.#need(4, limit) - 4)
      case 0x66: // f, float32
        return bytes.readFloatBE(this.#need(4, limit) - 4)
      case 0x44: {
        // D, decimal
        const scale = bytes[this.#need(5, limit) - 5]!
        return bytes.readInt32BE(this.#at - 4) / 10 ** scale
      }
      default:
        throw new UnreadableTable(`unknown field type ${tag}`)
    }
  }

  #int64(limit: number): number {
    const at = this.#need(8, limit) - 8
    return this.#bytes.readInt32BE(at) * 0x100000000 + this.#bytes.readUInt32BE(at + 4)
  }

  #text(limit: number): string {
    const stop = this.#stretch(limit)
    const start = this.#at
    this.#at = stop
    return this.#bytes.toString('utf8', start, stop)
  }

  #slice(limit: number): Uint8Array {
    const stop = this.#stretch(limit)
    const copy = new Uint8Array(this.#bytes.subarray(this.#at, stop))
    this.#at = stop
    return copy
  }

  #array(limit: number, depth: number): HeaderValue[] {
    const stop = this.#nested(limit, depth)
    const values: HeaderValue[] = []
    while (this.#at < stop) values.push(this.#value(stop, depth + 1))
    return values
  }

  #table(limit: number, depth: number): Headers {
    const stop = this.#nested(limit, depth)
    const table = new NewTable()
    while (this.#at < stop) {
      const length = this.#bytes[this.#at]!
      const start = this.#at + 1
      const key = this.#bytes.toString('utf8', start, this.#need(1 + length, stop))
      table[key] = this.#value(stop, depth + 1)
    }
    return table
  }

  #nested(limit: number, depth: number): number {
    if (depth > TABLE_DEPTH) throw new UnreadableTable(`deeper than ${TABLE_DEPTH} levels`)
    return this.#stretch(limit)
  }

  /** Reads a length and returns where what has this length stops. */
  #stretch(limit: number): number {
    const length = this.#bytes.readUInt32BE(this.#need(4, limit) - 4)
    if (length > limit - this.#at) throw new UnreadableTable('a length points behind the end')
    return this.#at + length
  }

  /** Moves on by so many bytes, which must be there; returns the new position. */
  #need(bytes: number, limit: number = this.#bytes.length): number {
    const next = this.#at + bytes
    if (next > limit) throw new UnreadableTable('cut off')
    this.#at = next
    return next
  }
}

/** Names that nearly every message has, so that they need not be made anew; by their lengths. */
const USUAL: readonly (string | undefined)[] = byLength([
  'call_id_stack',
  'clew-timeout',
  'traceparent',
])

function byLength(names: readonly string[]): (string | undefined)[] {
  const found: (string | undefined)[] = []
  for (const name of names) found[name.length] = name
  return found
}

function nameIn(bytes: Buffer, start: number, stop: number): string {
  const usual = USUAL[stop - start]
  return usual !== undefined && isAt(usual, bytes, start)
    ? usual
    : bytes.toString('utf8', start, stop)
}

function isAt(name: string, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < name.length; at++)
    if (bytes[start + at] !== name.charCodeAt(at)) return false
  return true
}

function startsWithNameko(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0x6e &&
    bytes[at + 1] === 0x61 &&
    bytes[at + 2] === 0x6d &&
    bytes[at + 3] === 0x65 &&
    bytes[at + 4] === 0x6b &&
    bytes[at + 5] === 0x6f &&
    bytes[at + 6] === 0x2e
  )
}

function timestamp(seconds: number): string | number {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? seconds : date.toISOString()
}
