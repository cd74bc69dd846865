import { ConfigError, type HeaderValue, type Serializer, type WireOptions } from '../call/index.ts'
import { inflate } from './compression.ts'
import { blockAfter, FRAMED_ENCODING, objectEnd, payloadEnd } from './framing.ts'
import { kombuJson } from './kombu-json.ts'
import type { Message } from './message.ts'
import {
  bufferOf,
  decodePayload,
  encodePayload,
  UndecodableError,
  UnserializableError,
} from './payload.ts'
import type { Tell } from './wire-headers.ts'

const JSON_TYPE = 'application/json'
const RPC_EXCHANGE = 'nameko-rpc'
const INFLATED_BYTES = 128 * 1024 * 1024

/** JSON as Python's reads and writes it. */
const JSON_SERIALIZER: Serializer = {
  name: 'json',
  contentType: JSON_TYPE,
  contentEncoding: 'utf-8',
  encode: encodePayload,
  decode: (body) => decodePayload(bufferOf(body)),
}

/** Known by name without being given, so that a configuration file may name them. */
const OURS: readonly Serializer[] = [JSON_SERIALIZER, kombuJson]

export interface DecodedBody {
  readonly value: unknown
  readonly attachment: Uint8Array | undefined
}

/** A payload as bytes, and who reads them. */
export type EncodedBody = Pick<Message, 'contentType' | 'contentEncoding' | 'body'>

/** How messages of one connection are written and read. */
export class Wire {
  /** Where all requests and replies go through. */
  readonly rpcExchange: string
  /** What requests are written with. */
  readonly serializer: Serializer
  readonly #maxInflatedBytes: number
  readonly #byName: ReadonlyMap<string, Serializer>
  /** By content type; those that are read. */
  readonly #accepted: ReadonlyMap<string, Serializer>
  readonly #known: ReadonlyMap<string, Serializer>

  /** @throws ConfigError for names that no serializer has */
  constructor(options: WireOptions = {}) {
    const { serializers = [], serializer = 'json', rpcExchange = RPC_EXCHANGE } = options
    this.rpcExchange = rpcExchange
    this.#maxInflatedBytes = options.maxInflatedBytes ?? INFLATED_BYTES
    this.#byName = new Map([...OURS, ...serializers].map((each) => [each.name, each]))
    this.serializer = this.named(serializer)
    const accepted = (options.accept ?? [serializer]).map((name) => this.named(name))
    // Of several with one content type the connection's own comes first.
    const byType = (all: readonly Serializer[]) =>
      new Map([...all, this.serializer].map((each) => [each.contentType, each]))
    this.#known = byType([...this.#byName.values()].reverse())
    this.#accepted = new Map(
      accepted.map(({ contentType }) => [contentType, this.#known.get(contentType)!]),
    )
  }

  /** @throws ConfigError when there is none of that name */
  named(name: string): Serializer {
    const serializer = this.#byName.get(name)
    if (serializer !== undefined) return serializer
    const known = [...this.#byName.keys()].join(', ')
    throw new ConfigError(
      `there is no serializer called ${name}, only ${known}: give it with \`serializers\``,
    )
  }

  /** The serializer of a request's reply: the same, where it is known. */
  answering(contentType: string): Serializer {
    const known = this.#known.get(contentType) ?? this.#known.get(bareType(contentType))
    return known ?? this.serializer
  }

  /**
   * Reads a body, and takes off the block behind it.
   * @param compression the header of that name
   * @throws UndecodableError
   */
  decode(message: Message, compression: HeaderValue | undefined, tell: Tell): DecodedBody {
    const serializer = this.#reading(message.contentType)
    const body =
      compression === undefined || compression === null || compression === ''
        ? message.body
        : inflate(message.body, compression, this.#maxInflatedBytes)
    if (message.contentEncoding !== FRAMED_ENCODING) {
      return { value: read(serializer, body), attachment: undefined }
    }
    const end = payloadEnd(body)
    const attachment = end < 0 ? undefined : blockAfter(body, end)
    if (attachment !== undefined) {
      try {
        return { value: read(serializer, body, end), attachment }
      } catch {
        // The length does not fit: the payload is found without it, below.
      }
    }
    tell({
      kind: 'malformed_attachment',
      message: `the block behind the body of a message to ${message.routingKey} is damaged or of an unknown version and was dropped`,
    })
    const payload = serializer.contentType === JSON_TYPE ? objectEnd(body) : body.length
    return { value: read(serializer, body, payload), attachment: undefined }
  }

  #reading(contentType: string): Serializer {
    if (contentType === '') return this.serializer
    const serializer = this.#accepted.get(contentType) ?? this.#accepted.get(bareType(contentType))
    if (serializer !== undefined) return serializer
    const accepted = [...this.#accepted.keys()].join(' or ')
    throw new UndecodableError(`its content type is ${contentType.slice(0, 100)}, not ${accepted}`)
  }
}

/** Nameko's own: JSON through `nameko-rpc`. */
export const NAMEKO_WIRE: Wire = new Wire()

/** A payload by a serializer. @throws UnserializableError */
export function write(serializer: Serializer, value: unknown): string | Uint8Array {
  let written: unknown
  try {
    written = serializer.encode(value)
  } catch (error) {
    if (error instanceof UnserializableError) throw error
    throw new UnserializableError(reasonOf(error), { cause: error })
  }
  if (typeof written === 'string' || written instanceof Uint8Array) return written
  throw new UnserializableError(`serializer ${serializer.name} made a ${typeof written} of it`)
}

/** True for the serializer that calls and replies are written with piece by piece. */
export function isPlainJson(serializer: Serializer): boolean {
  return serializer === JSON_SERIALIZER
}

/** @param end where the payload ends in the body */
function read(serializer: Serializer, body: Buffer, end = body.length): unknown {
  if (serializer === JSON_SERIALIZER) return decodePayload(body, end)
  try {
    return serializer.decode(body.subarray(0, end))
  } catch (error) {
    if (error instanceof UndecodableError) throw error
    throw new UndecodableError(`it is no ${serializer.name}: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200)
}

function bareType(contentType: string): string {
  return contentType.split(';', 1)[0]!.trim().toLowerCase()
}
