import type { WireError } from '../call/index.ts'

/** What a client asks. */
export interface Request {
  /** A string where the client knows the protocol; anything else names no method. */
  readonly method: unknown
  /** Keyword arguments; not yet known to be an object. */
  readonly data: unknown
  /** Echoed as it came; null where there was none. */
  readonly correlationId: unknown
}

/** A value that JSON does not have; the message says where in the value and why. */
export class UnserializableError extends Error {}

/**
 * Reads a request frame.
 * @returns undefined for what Nameko calls "Invalid JSON data": no JSON object, or one without `method`
 */
export function parseRequest(text: string): Request | undefined {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return undefined
  }
  if (frame === null || typeof frame !== 'object' || !Object.hasOwn(frame, 'method')) {
    return undefined
  }
  const { method, data, correlation_id: id } = frame as Record<string, unknown>
  const correlationId =
    typeof id === 'number' && !Number.isSafeInteger(id) ? asWritten(text, id) : (id ?? null)
  // As Python's `or {}`: whatever is empty there means no arguments.
  return { method, data: isEmpty(data) ? {} : data, correlationId }
}

/** What happened to a request, or what a hub pushes, as a text frame. @throws UnserializableError */
export function eventFrame(event: string, data: unknown): string {
  return `{"type":"event","event":${JSON.stringify(event)},"data":${encode(data)}}`
}

/** @throws UnserializableError */
export function resultFrame(result: unknown, correlationId: unknown, trace = NO_TRACE): string {
  return `{"type":"result","success":true,"data":${encode(result)},${tail(correlationId, trace)}`
}

export function errorFrame(error: WireError, correlationId: unknown, trace = NO_TRACE): string {
  const { exc_type, exc_path, exc_args, value } = error
  const form = JSON.stringify({ exc_type, exc_path, exc_args, value })
  return `{"type":"result","success":false,"error":${form},${tail(correlationId, trace)}`
}

/** Headers that a response may take home; sent only where there are any. */
export type TraceHeaders = Readonly<Record<string, string>>

const NO_TRACE: TraceHeaders = Object.freeze({})

function tail(correlationId: unknown, trace: TraceHeaders): string {
  const echoed = `"correlation_id":${echo(correlationId)}`
  return Object.keys(trace).length === 0
    ? `${echoed}}`
    : `${echoed},"trace":${JSON.stringify(trace)}}`
}

function echo(correlationId: unknown): string {
  try {
    return JSON.stringify(correlationId) ?? 'null'
  } catch {
    // Nested deeper than can be written: the client cannot have meant it.
    return 'null'
  }
}

function isEmpty(data: unknown): boolean {
  return !data || (Array.isArray(data) && data.length === 0)
}

interface Source {
  readonly source?: string
}
// Younger than the compiler's library: numbers with more digits than a double holds come and go whole.
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (this: object, key: string, value: unknown, context: Source) => unknown,
  ): object
  rawJSON(text: string): unknown
}

/** The number as the client wrote it: Python's integers have no end. */
function asWritten(text: string, id: number): unknown {
  let source: string | undefined
  // Inner objects come first, so the last one with this key is the frame itself.
  const keep = (key: string, value: unknown, context: Source) => {
    if (key === 'correlation_id') source = context.source
    return value
  }
  try {
    json.parse(text, keep)
    return source === undefined ? id : json.rawJSON(source)
  } catch {
    return id
  }
}

/**
 * A value as JSON that browsers can read. What JSON does not have is refused, where `JSON.stringify`
 * would silently make something else of it.
 */
function encode(value: unknown): string {
  try {
    return JSON.stringify(value, refuse) ?? 'null'
  } catch (error) {
    if (error instanceof UnserializableError) throw error
    throw new UnserializableError(reasonOf(error), { cause: error })
  }
}

function refuse(this: unknown, key: string, value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      if (Number.isFinite(value)) return value
      throw new UnserializableError(`${key || 'it'} is ${value}`)
    case 'bigint':
    case 'function':
    case 'symbol':
      throw new UnserializableError(`${key || 'it'} is a ${typeof value}`)
    case 'object':
      if (value !== null && isExotic(value)) {
        throw new UnserializableError(`${key || 'it'} is a ${value.constructor.name}`)
      }
      return value
    default:
      return value
  }
}

function isExotic(value: object): boolean {
  return (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Promise ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value)
  )
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply or too large'
  const message = error instanceof Error ? error.message : String(error)
  return message.startsWith('Converting circular') ? 'it contains itself' : message
}
