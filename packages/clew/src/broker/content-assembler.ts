import { type FrameReader, type Properties, readProperties } from './frame-reader.ts'
import type { Message } from './message.ts'

/** What a method frame says about the message that follows it. */
export interface Envelope {
  readonly exchange: string
  readonly routingKey: string
  readonly redelivered: boolean
  /** Delivery tag; 0 for returned messages. */
  readonly tag: number
}

const NOTHING: Properties = {
  contentType: '',
  contentEncoding: '',
  headers: undefined,
  deliveryMode: 0,
  priority: -1,
  correlationId: '',
  replyTo: '',
  expiration: '',
  others: undefined,
}

const EMPTY_BODY = Buffer.alloc(0)

/** Puts method, header and body frames of a channel together to messages. */
export class ContentAssembler {
  readonly #complete: (message: Message | undefined, envelope: Envelope) => void
  #envelope: Envelope | undefined
  #properties: Properties = NOTHING
  #readable = true
  #body: Buffer = EMPTY_BODY
  #filled = 0

  /** @param complete takes each message; undefined when its properties cannot be read */
  constructor(complete: (message: Message | undefined, envelope: Envelope) => void) {
    this.#complete = complete
  }

  begin(envelope: Envelope): void {
    this.#envelope = envelope
  }

  header(reader: FrameReader): void {
    const size = reader.tag()
    this.#readable = true
    try {
      this.#properties = readProperties(reader)
    } catch {
      this.#readable = false
    }
    this.#filled = 0
    this.#body = EMPTY_BODY
    if (size === 0) this.#finish(EMPTY_BODY)
    else this.#body = Buffer.allocUnsafe(size)
  }

  /** A piece of the body, from `start` up to `end`. */
  body(bytes: Buffer, start: number, end: number): void {
    this.#filled += bytes.copy(this.#body, this.#filled, start, end)
    if (this.#filled >= this.#body.length) this.#finish(this.#body)
  }

  #finish(body: Buffer): void {
    const envelope = this.#envelope
    if (envelope === undefined) return
    this.#envelope = undefined
    this.#body = EMPTY_BODY
    const { exchange, routingKey, redelivered } = envelope
    this.#complete(
      this.#readable ? { exchange, routingKey, ...this.#properties, redelivered, body } : undefined,
      envelope,
    )
  }
}
