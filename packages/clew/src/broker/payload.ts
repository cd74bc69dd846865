import { isUtf8 } from 'node:buffer'

/** A value that JSON cannot carry; the message says where in the value and why. */
export class UnserializableError extends Error {}

/** A text that is no JSON, as Python writes it. */
export class UndecodableError extends Error {}

/**
 * A value as JSON text. Beyond JSON.stringify it writes `NaN` and `Infinity` as Python does instead of
 * `null`, bigints outside the safe integers as digits and numbers of that size with an exponent:
 * decoding makes all of them, so they pass through unharmed. What would silently become something else (functions, maps, bytes) is refused.
 * @throws UnserializableError
 */
export function encodePayload(value: unknown): string {
  try {
    const text = JSON.stringify(value)
    // Only what stringify has walked through safely is walked again, so cycles cannot trap us.
    if (isPlain(value, '')) return text ?? 'null'
  } catch (error) {
    if (error instanceof UnserializableError) throw error
    if (!mentionsBigInt(error)) throw new UnserializableError(reasonOf(error), { cause: error })
  }
  try {
    return write(value, '', []) ?? 'null'
  } catch (error) {
    if (error instanceof UnserializableError) throw error
    throw new UnserializableError(reasonOf(error), { cause: error })
  }
}

// V8 says "Do not know how to serialize a BigInt"; a mistake here only costs the slow path.
function mentionsBigInt(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes('BigInt')
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply or too large'
  const message = error instanceof Error ? error.message : String(error)
  return message.startsWith('Converting circular') ? 'it contains itself' : message
}

/** False when the value needs the slow path. @throws UnserializableError */
function isPlain(value: unknown, name: string): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true
    case 'number':
      return isPlainNumber(value)
    case 'object':
      return value === null || isPlainObject(value, name)
    case 'bigint':
      return false
    default:
      throw new UnserializableError(`${name || 'it'} is a ${typeof value}`)
  }
}

// JSON.stringify writes numbers from 2^53 to 1e21 as if every digit counted, and they would arrive as
// bigints.
function isPlainNumber(value: number): boolean {
  if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) return true
  return Math.abs(value) >= 1e21 && Number.isFinite(value)
}

function isPlainObject(value: object, name: string): boolean {
  if (Array.isArray(value)) {
    let plain = true
    for (const item of value) if (!isPlain(item, name)) plain = false
    return plain
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function' && !isBytes(value)) return true
    refuseExotic(value, name)
  } else if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return true
  }
  let plain = true
  for (const key of Object.keys(value)) {
    if (!isPlain((value as Record<string, unknown>)[key], key)) plain = false
  }
  return plain
}

function refuseExotic(value: object, name: string): void {
  if (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Promise ||
    value instanceof ArrayBuffer ||
    isBytes(value)
  ) {
    throw new UnserializableError(
      `${name || 'it'} is a ${value.constructor.name}, which JSON does not have`,
    )
  }
}

function isBytes(value: object): boolean {
  return ArrayBuffer.isView(value)
}

/** The slow path: JSON.stringify's semantics plus special numbers. Undefined where it has no text. */
function write(original: unknown, key: string, ancestors: object[]): string | undefined {
  const value = jsonForm(original, key)
  switch (typeof value) {
    case 'number':
      return isPlainNumber(value) ? String(value) : numberToken(value)
    case 'bigint':
      return bigintToken(value, key)
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'undefined':
      return undefined
    case 'object':
      break
    default:
      throw new UnserializableError(`${key || 'it'} is a ${typeof value}`)
  }
  if (value === null) return 'null'
  if (ancestors.includes(value)) throw new UnserializableError('it contains itself')
  refuseExotic(value, key)
  ancestors.push(value)
  const parts: string[] = []
  if (Array.isArray(value)) {
    for (const item of value) parts.push(write(item, key, ancestors) ?? 'null')
  } else {
    for (const name of Object.keys(value)) {
      const text = write((value as Record<string, unknown>)[name], name, ancestors)
      if (text !== undefined) parts.push(`${JSON.stringify(name)}:${text}`)
    }
  }
  ancestors.pop()
  return Array.isArray(value) ? `[${parts.join(',')}]` : `{${parts.join(',')}}`
}

function jsonForm(value: unknown, key: string): unknown {
  if (value === null || typeof value !== 'object' || isBytes(value)) return value
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return toJSON.call(value, key)
  return value instanceof Number || value instanceof String || value instanceof Boolean
    ? value.valueOf()
    : value
}

function numberToken(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return value.toExponential()
  return value > 0 ? 'Infinity' : '-Infinity'
}

function bigintToken(value: bigint, key: string): string {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    return value.toString()
  }
  throw new UnserializableError(
    `${key || 'it'} is the bigint ${value}n, which would arrive as a number: send a number`,
  )
}

/**
 * Reads JSON as Python writes it. Beyond JSON.parse it knows `NaN` and `Infinity`, makes bigints of
 * integers that a number would round, and decodes what newer versions of kombu wrap:
 * `{"__type__": "datetime" | "date" …, "__value__": …}` becomes a Date for `datetime`, a string for
 * `date`, `time`, `decimal` and `uuid`, bytes for `bytes`; unknown types stay as they are.
 * @throws UndecodableError
 */
export function decodePayload(body: Buffer, end: number = body.length): unknown {
  const text = body.toString('utf8', 0, end)
  // A text of one-byte characters answers this at once.
  if (text.includes('\uFFFD') && !isUtf8(body.subarray(0, end))) {
    throw new UndecodableError('it is not UTF-8')
  }
  let value: unknown
  if (LONG_NUMBER.test(text)) {
    value = parseSpecial(text)
  } else {
    try {
      value = JSON.parse(text)
    } catch (error) {
      if (!SPECIAL.test(text)) throw new UndecodableError(firstLine(error))
      value = parseSpecial(text)
    }
  }
  return text.includes('"__type__"') ? unwrap(value) : value
}

// Integers of 16 digits and more, where doubles begin to round. Digits behind a point do not count:
// every Python float may have 17 of them.
const LONG_NUMBER = /(?<![\d.])\d{16,}(?![\d.eE])/
const SPECIAL = /NaN|Infinity/
const NAN_SOURCE = '-0e9999'

interface ReviverContext {
  readonly source?: string
}
type SourceReviver = (key: string, value: unknown, context: ReviverContext) => unknown
const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown

function parseSpecial(text: string): unknown {
  const json = SPECIAL.test(text) ? withoutSpecials(text) : text
  try {
    return parseWithSource(json, revive)
  } catch (error) {
    // The reviver recurses, the parser does not: what is too deep for it keeps JavaScript's numbers.
    if (error instanceof RangeError) return JSON.parse(json)
    throw new UndecodableError(firstLine(error))
  }
}

function revive(_key: string, value: unknown, { source }: ReviverContext): unknown {
  if (typeof value !== 'number' || source === undefined) return value
  if (source === NAN_SOURCE) return Number.NaN
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value
  // Digits beyond any sane integer: BigInt() is quadratic, and a number loses nothing but pretence.
  return source.length > 400 ? value : BigInt(source)
}

/** Replaces `NaN` and `Infinity` outside of strings by numbers that mean them, in one pass. */
function withoutSpecials(text: string): string {
  let result = ''
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      at = stringEnd(text, at)
    } else if (code === 0x4e && text.startsWith('NaN', at)) {
      result += text.slice(copied, at) + NAN_SOURCE
      at += 2
      copied = at + 1
    } else if (code === 0x49 && text.startsWith('Infinity', at)) {
      result += `${text.slice(copied, at)}1e9999`
      at += 7
      copied = at + 1
    }
  }
  return result + text.slice(copied)
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) break
  }
  return at
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0]!.slice(0, 200)
}

/** Decodes wrapped values in place, without recursion: the depth is the sender's choice. */
function unwrap(root: unknown): unknown {
  const holder: Record<string, unknown> = { root }
  const open: object[] = [holder]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const record = next as Record<string, unknown>
    for (const key of Object.keys(record)) {
      const value = record[key]
      if (value === null || typeof value !== 'object') continue
      const plain = unwrapped(value as Record<string, unknown>)
      if (plain === value) open.push(value)
      else Object.defineProperty(record, key, { value: plain, ...OWN })
    }
  }
  return holder.root
}

const OWN = { writable: true, enumerable: true, configurable: true }

function unwrapped(value: Record<string, unknown>): unknown {
  if (!Object.hasOwn(value, '__type__') || !Object.hasOwn(value, '__value__')) return value
  const { __type__: type, __value__: content } = value
  if (Object.keys(value).length !== 2) return value
  switch (type) {
    case 'datetime':
      return toDate(content) ?? value
    case 'date':
    case 'time':
    case 'decimal':
      return typeof content === 'string' ? content : value
    case 'uuid': {
      const hex = (content as { hex?: unknown } | null)?.hex
      return typeof hex === 'string' ? dashed(hex) : value
    }
    case 'bytes':
    case 'base64':
      return typeof content === 'string' ? toBytes(type, content) : value
    default:
      return value
  }
}

function toDate(content: unknown): Date | undefined {
  if (typeof content !== 'string') return undefined
  // Python's naive datetimes carry no zone; Nameko services mean UTC by them.
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(content) ? content : `${content}Z`
  const date = new Date(zoned)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function dashed(hex: string): string {
  if (!/^[0-9a-f]{32}$/i.test(hex)) return hex
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function toBytes(type: string, content: string): Uint8Array {
  return new Uint8Array(Buffer.from(content, type === 'base64' ? 'base64' : 'utf8'))
}

/** The same bytes. */
export function bufferOf(bytes: string | Uint8Array): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes)
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
