import {
  type Call,
  type CallIdentity,
  ContextValues,
  type ErrorRegistry,
  errorFromWire,
  errorToWire,
  type Headers,
  malformedReply,
  newCallId,
  type Reply,
  RpcError,
  type Serializer,
} from '../call/index.ts'
import { isPlainJson, NAMEKO_WIRE, type Wire, write } from './body.ts'
import { encodeTable, TableError } from './field-table.ts'
import { FRAMED_ENCODING, frame } from './framing.ts'
import { type Message, NO_HEADERS, SHORT_STRING_BYTES } from './message.ts'
import { bufferOf, encodePayload, UndecodableError, UnserializableError } from './payload.ts'
import {
  COMPRESSION_HEADER,
  encodeHeaders,
  NO_ENTRIES,
  readHeaders,
  type Tell,
} from './wire-headers.ts'

/** Reply keys that begin so belong to callers that read attachments. No dot: no service binding matches. */
export const ATTACHABLE_KEY = 'clew1-'

const LONGEST_TIMEOUT_MS = 0x7fffffff
const NO_KWARGS: Readonly<Record<string, unknown>> = NO_ENTRIES

/**
 * A call as the message that Nameko would send for it.
 * @throws RpcError `unserializable` for what JSON or AMQP cannot carry
 */
export function encodeRequest(
  call: Call,
  replyTo: string,
  persistent: boolean,
  wire: Wire = NAMEKO_WIRE,
): Message {
  const routingKey = `${call.service}.${call.method}`
  if (tooLong(routingKey) || tooLong(call.id)) {
    const limit = `${SHORT_STRING_BYTES} bytes, AMQP's limit`
    throw unserializable(call, `its name ${routingKey.slice(0, 80)}… or its id is over ${limit}`)
  }
  const finite = call.timeoutMs < Number.POSITIVE_INFINITY
  const timeoutMs = Math.max(1, Math.min(LONGEST_TIMEOUT_MS, Math.ceil(call.timeoutMs)))
  return {
    exchange: wire.rpcExchange,
    routingKey,
    contentType: wire.serializer.contentType,
    contentEncoding: wire.serializer.contentEncoding,
    headers: headersOf(call, finite ? timeoutMs : undefined),
    deliveryMode: persistent ? 2 : 1,
    priority: 0,
    correlationId: call.id,
    replyTo,
    expiration: finite ? String(timeoutMs) : '',
    redelivered: false,
    body: encodeArguments(call, wire.serializer),
  }
}

// A string of n characters takes n to 3n bytes: only the few in between need counting.
function tooLong(text: string): boolean {
  if (text.length * 3 <= SHORT_STRING_BYTES) return false
  return text.length > SHORT_STRING_BYTES || Buffer.byteLength(text) > SHORT_STRING_BYTES
}

function encodeArguments(call: Call, serializer: Serializer): Buffer {
  try {
    if (!isPlainJson(serializer)) {
      return bufferOf(write(serializer, { args: call.args, kwargs: { ...call.kwargs } }))
    }
    const kwargs = isEmpty(call.kwargs) ? '{}' : encodePayload(call.kwargs)
    return Buffer.from(`{"args":${encodePayload(call.args)},"kwargs":${kwargs}}`)
  } catch (error) {
    if (!(error instanceof UnserializableError)) throw error
    throw unserializable(
      call,
      `an argument cannot be sent as ${serializer.name === 'json' ? 'JSON' : serializer.name}: ${error.message}`,
      error,
    )
  }
}

function isEmpty(record: object): boolean {
  for (const key in record) if (Object.hasOwn(record, key)) return false
  return true
}

function headersOf(call: Call, timeoutMs: number | undefined): Buffer {
  try {
    return encodeHeaders(call.headers, call.context, timeoutMs)
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    throw unserializable(call, `its context or headers cannot be sent: ${error.message}`, error)
  }
}

function unserializable(call: Call, reason: string, cause?: Error): RpcError {
  const subject = `${call.service}.${call.method} was not called: `
  return new RpcError('unserializable', subject + reason, identityOf(call), { cause })
}

/** The fields of an error that say which call it is about. */
export function identityOf(call: Call): CallIdentity {
  return { service: call.service, method: call.method, callId: call.id }
}

/** A request as the call it was. Never throws: what cannot be read becomes a call with `rejected` set. */
export function decodeRequest(
  message: Message,
  service: string,
  tell: Tell,
  wire: Wire = NAMEKO_WIRE,
): Call {
  const { routingKey } = message
  const method = routingKey.startsWith(`${service}.`)
    ? routingKey.slice(service.length + 1)
    : routingKey
  const id = message.correlationId === '' ? newCallId() : message.correlationId
  const read = readHeaders(message.headers, tell, routingKey)
  let args: readonly unknown[] = []
  let kwargs = NO_KWARGS
  let rejected: RpcError | undefined
  try {
    const body = readBody(wire.decode(message, read.headers[COMPRESSION_HEADER], tell).value)
    args = readArgs(body.args)
    kwargs = readKwargs(body.kwargs)
  } catch (error) {
    const { code, reason } = asRefusal(error)
    rejected = new RpcError(code, reason, { service, method, callId: id }, { cause: error })
    if (error instanceof UndecodableError) {
      tell({
        kind: 'malformed_message',
        message: `a request to ${routingKey} could not be read (${reason}); it was answered with MalformedRequest`,
        error,
      })
    }
  }
  return {
    service,
    method,
    args,
    kwargs,
    id,
    context: read.context,
    headers: read.headers,
    timeoutMs: read.timeoutMs,
    signal: undefined,
    redelivered: message.redelivered,
    attachable: message.replyTo.startsWith(ATTACHABLE_KEY),
    rejected,
    values: new ContextValues(),
    observer: undefined,
  }
}

/** A request whose body is JSON, but not what a call looks like. */
class Refusal extends Error {
  readonly code: 'malformed_request' | 'bad_arguments'

  constructor(code: 'malformed_request' | 'bad_arguments', message: string) {
    super(message)
    this.code = code
  }
}

function asRefusal(error: unknown) {
  if (error instanceof Refusal) return { code: error.code, reason: error.message }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'malformed_request' as const, reason: `the body cannot be read: ${reason}` }
}

function readBody(body: unknown) {
  if (body === null || typeof body !== 'object') {
    throw new Refusal('malformed_request', 'Message missing `args` or `kwargs`')
  }
  if (!Object.hasOwn(body, 'args') || !Object.hasOwn(body, 'kwargs')) {
    throw new Refusal('malformed_request', 'Message missing `args` or `kwargs`')
  }
  return body as { readonly args: unknown; readonly kwargs: unknown }
}

// Python spreads any sequence into arguments, a string into its characters; what is none is refused there.
function readArgs(args: unknown): readonly unknown[] {
  if (Array.isArray(args)) return args
  if (typeof args === 'string') return Array.from(args)
  throw new Refusal('bad_arguments', 'the positional arguments (`args`) are no list')
}

function readKwargs(kwargs: unknown): Readonly<Record<string, unknown>> {
  if (kwargs === null || typeof kwargs !== 'object' || Array.isArray(kwargs)) {
    throw new Refusal('bad_arguments', 'the keyword arguments (`kwargs`) are no object')
  }
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(kwargs)) {
    copy ??= Object.create(null) as Record<string, unknown>
    copy[key] = (kwargs as Record<string, unknown>)[key]
  }
  return copy ?? NO_KWARGS
}

/** Where a reply goes and how; taken from the request's message. */
export interface ReplyAddress {
  readonly replyTo: string
  /** As the request had it; empty: the reply has none either. */
  readonly correlationId: string
  /** Of the request: its reply is written alike. @default that of the connection */
  readonly contentType?: string
}

/**
 * A reply as the message that Nameko would send for it. A result that JSON cannot carry becomes the
 * error that Nameko sends for one.
 */
export function encodeReply(
  reply: Reply & { readonly expected?: boolean | undefined },
  call: Call,
  address: ReplyAddress,
  options: ReplyOptions,
  tell: Tell,
): Message {
  const { errors, persistent, wire = NAMEKO_WIRE } = options
  const serializer = wire.answering(address.contentType ?? '')
  const payload =
    reply.error === undefined
      ? encodeResult(reply.result, call, { errors, serializer, tell })
      : encodeError(reply.error, call, errors, reply.expected === true, serializer)
  const attachment = call.attachable ? reply.attachment : undefined
  return {
    exchange: wire.rpcExchange,
    routingKey: address.replyTo,
    contentType: serializer.contentType,
    contentEncoding: attachment === undefined ? serializer.contentEncoding : FRAMED_ENCODING,
    headers: reply.headers === undefined ? NO_HEADERS : encodeReplyHeaders(reply.headers, tell),
    deliveryMode: persistent ? 2 : 1,
    priority: 0,
    correlationId: address.correlationId,
    replyTo: '',
    expiration: '',
    redelivered: false,
    body: attachment === undefined ? bufferOf(payload) : frame(payload, attachment),
  }
}

export interface ReplyOptions {
  readonly errors: ErrorRegistry
  readonly persistent: boolean
  /** @default Nameko's own */
  readonly wire?: Wire
}

function encodeReplyHeaders(headers: Headers, tell: Tell): Buffer {
  try {
    return encodeTable(headers)
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    const message = `the headers of a reply were dropped: ${error.message}`
    tell({ kind: 'malformed_headers', message, error })
    return NO_HEADERS
  }
}

function encodeResult(
  result: unknown,
  call: Call,
  {
    errors,
    serializer,
    tell,
  }: { readonly errors: ErrorRegistry; readonly serializer: Serializer; readonly tell: Tell },
): string | Uint8Array {
  try {
    if (!isPlainJson(serializer)) return write(serializer, { result: result ?? null, error: null })
    return `{"result":${encodePayload(result)},"error":null}`
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    const form = isPlainJson(serializer) ? 'JSON' : serializer.name
    const what = `${call.service}.${call.method} returned what ${form} cannot carry: ${reason}`
    // The method itself ended well: without this only its caller would know.
    tell({ kind: 'unserializable_result', message: what })
    const text = `Unserializable value: ${what}`
    const error = new RpcError('unserializable', text, identityOf(call))
    return encodeError(error, call, errors, false, serializer)
  }
}

function encodeError(
  error: Error,
  call: Call,
  errors: ErrorRegistry,
  expected: boolean,
  serializer: Serializer,
): string | Uint8Array {
  const wire = errorToWire(error, identityOf(call), errors, expected)
  try {
    return write(serializer, { result: null, error: wire })
  } catch {
    const plainer = { result: null, error: { ...wire, exc_args: [wire.value] } }
    try {
      return write(serializer, plainer)
    } catch {
      // A serializer that writes nothing: its caller learns of that when it reads this.
      return encodePayload(plainer)
    }
  }
}

/** A reply from its message. Never throws: what cannot be read is a reply with an error that says so. */
export function decodeReply(
  message: Message,
  call: CallIdentity,
  errors: ErrorRegistry,
  tell: Tell,
  wire: Wire = NAMEKO_WIRE,
): Reply {
  try {
    const headers = replyHeaders(message, tell)
    const { value, attachment } = wire.decode(message, headers?.[COMPRESSION_HEADER], tell)
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      return failed(malformedReply('its body is no object', call))
    }
    const body = value as { readonly result?: unknown; readonly error?: unknown }
    if (isError(body.error)) {
      const error = errorFromWire(body.error, call, errors)
      return { result: undefined, error, attachment, headers }
    }
    if (!Object.hasOwn(body, 'result')) {
      return failed(malformedReply('it has neither result nor error', call))
    }
    return { result: body.result, error: undefined, attachment, headers }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const message = `a reply of ${call.service}.${call.method} could not be read: ${reason}`
    tell({ kind: 'malformed_message', message, error })
    return failed(malformedReply(reason, call))
  }
}

function replyHeaders(message: Message, tell: Tell): Headers | undefined {
  const table = message.headers
  if (table === undefined || table.length === 0) return undefined
  return readHeaders(table, tell, message.routingKey).headers
}

// Nameko looks at the error's truth, not at its presence.
function isError(error: unknown): boolean {
  return error !== null && error !== undefined && error !== false && error !== 0 && error !== ''
}

function failed(error: Error): Reply {
  return { result: undefined, error, attachment: undefined }
}
