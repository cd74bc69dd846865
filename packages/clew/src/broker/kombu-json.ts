import { ConfigError, type Serializer } from '../call/index.ts'
import { bufferOf, decodePayload, encodePayload, UnserializableError } from './payload.ts'

/** A value that Python receives as one of its own types, and we as a string. */
export interface KombuValue {
  readonly __type__: string
  readonly __value__: string | { readonly hex: string }
}

const FORMS = {
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d(:\d\d(\.\d{3,6})?)?([+-]\d\d:\d\d)?$/,
  decimal: /^[+-]?(\d+(\.\d*)?|\.\d+)(E[+-]?\d+)?$|^-?(NaN|Infinity)$/i,
  uuid: /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i,
} as const

/**
 * A date, time, decimal or uuid for Python peers with kombu 5.3 or newer. Sent by any JSON serializer.
 * @throws ConfigError when the text is no such value
 */
export function kombuValue(type: keyof typeof FORMS, text: string): KombuValue {
  if (!FORMS[type].test(text)) {
    throw new ConfigError(`${JSON.stringify(text.slice(0, 80))} is no ${type} as Python writes it`)
  }
  const value = type === 'uuid' ? { hex: text.replaceAll('-', '').toLowerCase() } : text
  return { __type__: type, __value__: value }
}

/**
 * JSON as kombu writes it since 5.3: a Date arrives as Python's datetime, bytes as bytes. `json` reads
 * the same, but writes dates as strings and refuses bytes, which is what older peers understand.
 */
export const kombuJson: Serializer = {
  name: 'kombu-json',
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  encode: (value) => encodePayload(wrapped(value, [])),
  decode: (body) => decodePayload(bufferOf(body)),
}

const DEPTH = 1000

function wrapped(value: unknown, ancestors: readonly object[]): unknown {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new UnserializableError('it is an invalid Date')
    // Python before 3.11 reads neither `Z` nor milliseconds of other than three or six digits.
    return { __type__: 'datetime', __value__: value.toISOString().replace('Z', '+00:00') }
  }
  if (value instanceof Uint8Array) return wrappedBytes(value)
  const { toJSON } = value as { readonly toJSON?: unknown }
  if (typeof toJSON === 'function') return wrapped(toJSON.call(value, ''), ancestors)
  const prototype = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    // Instances are for `encodePayload` to judge.
    if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) return value
  }
  if (ancestors.includes(value)) throw new UnserializableError('it contains itself')
  if (ancestors.length >= DEPTH) throw new UnserializableError('it is nested too deeply')
  const inside = [...ancestors, value]
  if (Array.isArray(value)) return value.map((item) => wrapped(item, inside))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, wrapped(item, inside)]),
  )
}

function wrappedBytes(bytes: Uint8Array): KombuValue {
  const buffer = bufferOf(bytes)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer)
    return { __type__: 'bytes', __value__: text }
  } catch {
    return { __type__: 'base64', __value__: buffer.toString('base64') }
  }
}
