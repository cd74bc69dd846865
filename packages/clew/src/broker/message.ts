/**
 * An AMQP message as every transport sees it. Headers stay encoded: a transport moves them without
 * looking inside, and only the wire codec, which is bounded, reads them. An empty string stands for a
 * property that is absent.
 */
export interface Message {
  readonly exchange: string
  readonly routingKey: string
  readonly contentType: string
  readonly contentEncoding: string
  /** Entries of the header table, without the length in front; undefined where the property is absent. */
  readonly headers: Buffer | undefined
  /** 1 transient, 2 persistent, 0 absent. */
  readonly deliveryMode: number
  /** 0 to 255; -1 absent. */
  readonly priority: number
  readonly correlationId: string
  /** Routing key for the reply. */
  readonly replyTo: string
  /** Time to live in the queue, milliseconds as digits. */
  readonly expiration: string
  /**
   * Properties that mean nothing to us (message id, timestamp, type, application), encoded: kept
   * where a message is passed on. @default none
   */
  readonly others?: { readonly flags: number; readonly bytes: Buffer } | undefined
  /** Set by the broker on delivery. */
  readonly redelivered: boolean
  readonly body: Buffer
}

/** A table without entries. */
export const NO_HEADERS: Buffer = Buffer.alloc(0)

/** AMQP's short strings (keys, ids) are at most this long, in bytes. */
export const SHORT_STRING_BYTES = 255
