import {
  type Arrival,
  ConfigError,
  type HeaderValue,
  type Publication,
  RpcError,
  type Serializer,
  toError,
} from '../call/index.ts'
import { NAMEKO_WIRE, type Wire, write } from './body.ts'
import { deflate, GZIP } from './compression.ts'
import { TableError } from './field-table.ts'
import { type Message, SHORT_STRING_BYTES } from './message.ts'
import { bufferOf, UnserializableError } from './payload.ts'
import {
  ATTEMPT_HEADER,
  COMPRESSION_HEADER,
  EXCHANGE_HEADER,
  encodeHeaders,
  KEY_HEADER,
  NO_ENTRIES,
  readHeaders,
  type Tell,
} from './wire-headers.ts'

const LONGEST_EXPIRATION_MS = 0xffffffff

/** What a message is called in errors. */
export function titleOf({ exchange, routingKey }: Publication): string {
  const where = exchange === undefined ? 'queue' : `${exchange.name},`
  return `the message to ${where} ${routingKey.slice(0, 200)}`
}

/** The fields of an error that say which message it is about. */
export function subjectOf({ exchange, routingKey, correlationId }: Publication) {
  return { service: exchange?.name ?? '', method: routingKey, callId: correlationId ?? '' }
}

/**
 * A publication as the message that Nameko would send for it.
 * @throws RpcError `unserializable` for what the serializer or AMQP cannot carry; ConfigError for
 *   options that AMQP does not have
 */
export function encodePublication(
  publication: Publication,
  persistent: boolean,
  wire: Wire = NAMEKO_WIRE,
): Message {
  const { exchange, routingKey, priority = 0, expirationMs, correlationId = '' } = publication
  checkOptions(publication)
  const serializer =
    publication.serializer === undefined ? wire.serializer : wire.named(publication.serializer)
  for (const [what, text] of [
    ['routing key', routingKey],
    ["exchange's name", exchange?.name ?? ''],
    ['correlation id', correlationId],
  ] as const) {
    if (Buffer.byteLength(text) <= SHORT_STRING_BYTES) continue
    throw unserializable(
      publication,
      `its ${what} is over ${SHORT_STRING_BYTES} bytes, AMQP's limit`,
    )
  }
  return {
    exchange: exchange?.name ?? '',
    routingKey,
    contentType: serializer.contentType,
    contentEncoding: serializer.contentEncoding,
    headers: headersOf(publication),
    deliveryMode: (publication.persistent ?? persistent) ? 2 : 1,
    priority,
    correlationId,
    replyTo: '',
    expiration: expirationMs === undefined ? '' : String(Math.ceil(expirationMs)),
    redelivered: false,
    body: bodyOf(publication, serializer),
  }
}

function checkOptions(publication: Publication): void {
  const { priority = 0, expirationMs = 0, timeoutMs } = publication
  const refuse = (reason: string) => {
    throw new ConfigError(`${titleOf(publication)} was not published: ${reason}`)
  }
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    refuse(`priority must be a whole number from 0 to 255; got ${priority}`)
  }
  if (!(expirationMs >= 0 && expirationMs <= LONGEST_EXPIRATION_MS)) {
    refuse(`expirationMs must be from 0 to ${LONGEST_EXPIRATION_MS}; got ${expirationMs}`)
  }
  const { compression } = publication
  if (compression !== undefined && compression !== 'gzip') {
    refuse(`compression can be gzip; got ${compression}`)
  }
  if (Number.isNaN(timeoutMs)) refuse('timeoutMs is no number')
  if (publication.mandatory === true && publication.confirm === false) {
    refuse('`mandatory` needs `confirm`: without it nobody hears that no queue took the message')
  }
}

function headersOf({ headers = NO_ENTRIES, ...publication }: Publication): Buffer {
  const compressed = { [COMPRESSION_HEADER]: GZIP }
  const own = publication.compression === undefined ? headers : { ...headers, ...compressed }
  try {
    return encodeHeaders(own, publication.context, undefined)
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    const reason = `its context or headers cannot be sent: ${error.message}`
    throw unserializable(publication, reason, error)
  }
}

function bodyOf(publication: Publication, serializer: Serializer): Buffer {
  try {
    const body = bufferOf(write(serializer, publication.payload))
    return publication.compression === undefined ? body : deflate(body)
  } catch (error) {
    if (!(error instanceof UnserializableError)) throw error
    throw unserializable(publication, `its payload cannot be sent: ${error.message}`, error)
  }
}

function unserializable(publication: Publication, reason: string, cause?: Error): RpcError {
  const text = `${titleOf(publication)} was not published: ${reason}`
  return new RpcError('unserializable', text, subjectOf(publication), { cause })
}

/** What arrived, from its message. Never throws: `unreadable` says what could not be read. */
export function decodeArrival(message: Message, tell: Tell, wire: Wire = NAMEKO_WIRE): Arrival {
  const { context, headers } = readHeaders(message.headers, tell, message.routingKey)
  let payload: unknown
  let unreadable: Error | undefined
  try {
    payload = wire.decode(message, headers[COMPRESSION_HEADER], tell).value
  } catch (error) {
    unreadable = toError(error)
  }
  const { [EXCHANGE_HEADER]: exchange, [KEY_HEADER]: key, [ATTEMPT_HEADER]: attempt } = headers
  // Only what we put aside ourselves has all three, unless somebody forges them.
  const again = isName(exchange) && isName(key) && Number.isSafeInteger(attempt)
  return {
    exchange: again ? exchange : message.exchange,
    routingKey: again ? key : message.routingKey,
    payload,
    unreadable,
    context,
    headers,
    correlationId: message.correlationId,
    redelivered: message.redelivered,
    attempt: again ? Math.max(1, attempt as number) : 1,
  }
}

/** Fits where AMQP has exchanges and routing keys. */
function isName(value: HeaderValue | undefined): value is string {
  return typeof value === 'string' && Buffer.byteLength(value) <= SHORT_STRING_BYTES
}
