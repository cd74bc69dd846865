/** Turns payloads into bytes and back, as kombu's serializers do. */
export interface Serializer {
  /** What options call it: `msgpack`. */
  readonly name: string
  /** Tells the receiver which one it was: `application/x-msgpack`. */
  readonly contentType: string
  /** `utf-8` for text, `binary` for bytes. */
  readonly contentEncoding: string
  /** May throw: the message then says what cannot be carried, and why. */
  encode(value: unknown): string | Uint8Array
  /** May throw, whatever the bytes: they come from strangers. */
  decode(body: Uint8Array): unknown
}

/** How messages are written, on one connection; what peers must agree on. */
export interface WireOptions {
  /** Serializers beyond `json` and `kombu-json`, which are always there. @default none */
  readonly serializers?: readonly Serializer[] | undefined
  /** Name of the one that requests and messages are written with. @default 'json' */
  readonly serializer?: string | undefined
  /**
   * Names of those that are read; anything else is an error. A reply is written with what its
   * request was. @default only `serializer`, as in Nameko
   */
  readonly accept?: readonly string[] | undefined
  /** Exchange of all requests and replies. @default 'nameko-rpc' */
  readonly rpcExchange?: string | undefined
  /** Bytes that a compressed body may grow to; more is an error. @default 134217728 */
  readonly maxInflatedBytes?: number | undefined
}

/** Of larger options those about the wire. */
export function wireOptionsOf(options: WireOptions): WireOptions {
  const { serializers, serializer, accept, rpcExchange, maxInflatedBytes } = options
  return { serializers, serializer, accept, rpcExchange, maxInflatedBytes }
}
