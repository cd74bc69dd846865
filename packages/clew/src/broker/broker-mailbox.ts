import type { Mailbox } from '../call/index.ts'
import type { Message } from './message.ts'
import type { Exchange, Receipt, Transport } from './transport.ts'
import type { Tell } from './wire-headers.ts'

/** Direct, durable: pieces of traces go by it to the process that started the trace. */
export const INBOX_EXCHANGE: Exchange = { name: 'clew.inbox', type: 'direct' }

const PIECE_BYTES = 64 * 1024
const POSTS_IN_FLIGHT = 256
const BYTES_IN_FLIGHT = 1024 * 1024

/** The mailbox over any transport. A post never waits for the connection: it fails while that is down. */
export class BrokerMailbox implements Mailbox {
  readonly #transport: Transport
  readonly #tell: Tell
  readonly #posts = new Map<string, Post>()
  #bytesInFlight = 0
  #sent = 0
  #declared: Promise<boolean> | undefined

  constructor(transport: Transport, tell: Tell) {
    this.#transport = transport
    this.#tell = tell
  }

  async post(key: string, piece: Uint8Array): Promise<boolean> {
    if (
      !this.#transport.up ||
      piece.length > PIECE_BYTES ||
      Buffer.byteLength(key) > 255 ||
      this.#posts.size >= POSTS_IN_FLIGHT ||
      this.#bytesInFlight + piece.length > BYTES_IN_FLIGHT
    ) {
      return false
    }
    // Counted before the first await, or a burst of posts would overtake the bound.
    const id = `piece-${this.#sent++}`
    this.#bytesInFlight += piece.length
    // A copy: the sender may use its buffer again while ours waits.
    const message = pieceMessage(id, key, Buffer.from(piece))
    const arrived = new Promise<boolean>((resolve) => {
      const post = new Post(resolve)
      this.#posts.set(id, post)
      void this.#send(message, post)
    })
    try {
      return await arrived
    } finally {
      this.#posts.delete(id)
      this.#bytesInFlight -= piece.length
    }
  }

  async #send(message: Message, post: Post): Promise<void> {
    // Publishing to an exchange that does not exist would cost the whole channel.
    this.#declared ??= this.#transport.declareExchange(INBOX_EXCHANGE).then(
      () => true,
      (error: unknown) => {
        this.#declared = undefined
        this.#tell({ kind: 'mailbox_unavailable', message: undeclared(error), error })
        return false
      },
    )
    if (await this.#declared) {
      this.#transport.publish(message, { mandatory: true, confirm: true }, post)
    } else {
      post.settle(false)
    }
  }

  /** A returned message, if it was a post. */
  returned(message: Message): boolean {
    if (message.exchange !== INBOX_EXCHANGE.name) return false
    this.#posts.get(message.correlationId)?.settle(false)
    return true
  }

  async open(key: string, take: (piece: Uint8Array) => void): Promise<AsyncDisposable> {
    const consumption = await this.#transport.consume(
      {
        name: `${INBOX_EXCHANGE.name}-${key}`,
        durable: false,
        exclusive: true,
        autoDelete: true,
        exchange: INBOX_EXCHANGE,
        bindingKey: key,
      },
      {
        prefetch: 0,
        acknowledge: 'never',
        take: ({ message }) => {
          if (message.body.length <= PIECE_BYTES) take(message.body)
          else this.#tell({ kind: 'piece_too_large', message: 'a piece of a trace was dropped' })
        },
      },
    )
    return { [Symbol.asyncDispose]: () => consumption.close() }
  }
}

class Post implements Receipt {
  // A piece that missed its moment is worth nothing: the flight recorder has what is left.
  readonly wanted = false
  readonly settle: (arrived: boolean) => void

  constructor(settle: (arrived: boolean) => void) {
    this.settle = settle
  }

  confirmed(): void {
    this.settle(true)
  }

  failed(): void {
    this.settle(false)
  }
}

function undeclared(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return `exchange ${INBOX_EXCHANGE.name} could not be declared, a piece of a trace was dropped: ${reason}`
}

function pieceMessage(id: string, key: string, body: Buffer): Message {
  return {
    exchange: INBOX_EXCHANGE.name,
    routingKey: key,
    contentType: '',
    contentEncoding: '',
    headers: undefined,
    deliveryMode: 1,
    priority: -1,
    correlationId: id,
    replyTo: '',
    expiration: '',
    redelivered: false,
    body,
  }
}
