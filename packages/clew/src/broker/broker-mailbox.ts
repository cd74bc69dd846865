import { type Mailbox, newHalfId } from '../call/index.ts'
import type { Message } from './message.ts'
import type { Exchange, Receipt, Transport } from './transport.ts'
import type { Tell } from './wire-headers.ts'

/** Direct, durable: pieces of traces go by it to the process that started the trace. */
export const INBOX_EXCHANGE: Exchange = { name: 'clew.inbox', type: 'direct' }

/** Fanout, durable: by it every process is asked what it knows of traces whose replies never came. */
export const RECALL_EXCHANGE: Exchange = { name: 'clew.recall', type: 'fanout' }

const QUESTION_BYTES = 4 * 1024
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
  readonly #declared = new Map<string, Promise<boolean>>()

  constructor(transport: Transport, tell: Tell) {
    this.#transport = transport
    this.#tell = tell
  }

  post(key: string, piece: Uint8Array): Promise<boolean> {
    if (piece.length > PIECE_BYTES || Buffer.byteLength(key) > 255) return NOT_SENT
    return this.#publish(INBOX_EXCHANGE, key, piece)
  }

  ask(question: Uint8Array): Promise<boolean> {
    if (question.length > QUESTION_BYTES) return NOT_SENT
    return this.#publish(RECALL_EXCHANGE, '', question)
  }

  async #publish(exchange: Exchange, key: string, piece: Uint8Array): Promise<boolean> {
    if (
      !this.#transport.up ||
      this.#posts.size >= POSTS_IN_FLIGHT ||
      this.#bytesInFlight + piece.length > BYTES_IN_FLIGHT
    ) {
      return false
    }
    // Counted before the first await, or a burst of posts would overtake the bound.
    const id = `piece-${this.#sent++}`
    this.#bytesInFlight += piece.length
    // A copy: the sender may use its buffer again while ours waits.
    const message = pieceMessage(id, exchange.name, key, Buffer.from(piece))
    const arrived = new Promise<boolean>((resolve) => {
      const post = new Post(resolve)
      this.#posts.set(id, post)
      void this.#send(exchange, message, post)
    })
    try {
      return await arrived
    } finally {
      this.#posts.delete(id)
      this.#bytesInFlight -= piece.length
    }
  }

  async #send(exchange: Exchange, message: Message, post: Post): Promise<void> {
    // Publishing to an exchange that does not exist would cost the whole channel.
    let declared = this.#declared.get(exchange.name)
    if (declared === undefined) {
      declared = this.#transport.declareExchange(exchange).then(
        () => true,
        (error: unknown) => {
          this.#declared.delete(exchange.name)
          this.#tell({ kind: 'mailbox_unavailable', message: undeclared(exchange, error), error })
          return false
        },
      )
      this.#declared.set(exchange.name, declared)
    }
    if (await declared) {
      this.#transport.publish(message, { mandatory: true, confirm: true }, post)
    } else {
      post.settle(false)
    }
  }

  /** A returned message, if it was a post. */
  returned(message: Message): boolean {
    const { exchange } = message
    if (exchange !== INBOX_EXCHANGE.name && exchange !== RECALL_EXCHANGE.name) return false
    this.#posts.get(message.correlationId)?.settle(false)
    return true
  }

  open(key: string, take: (piece: Uint8Array) => void): Promise<AsyncDisposable> {
    return this.#consume(INBOX_EXCHANGE, key, (message) => {
      if (message.body.length <= PIECE_BYTES) take(message.body)
      else this.#tell({ kind: 'piece_too_large', message: 'a piece of a trace was dropped' })
    })
  }

  listen(take: (question: Uint8Array) => void): Promise<AsyncDisposable> {
    return this.#consume(RECALL_EXCHANGE, newHalfId(), ({ body }) => {
      if (body.length <= QUESTION_BYTES) take(body)
    })
  }

  async #consume(
    exchange: Exchange,
    key: string,
    take: (message: Message) => void,
  ): Promise<AsyncDisposable> {
    const consumption = await this.#transport.consume(
      {
        name: `${exchange.name}-${key}`,
        durable: false,
        exclusive: true,
        autoDelete: true,
        exchange,
        bindingKey: exchange.type === 'fanout' ? '' : key,
        // Nobody waits for what was asked while the process was too busy to listen.
        ...(exchange.type === 'fanout' && { arguments: { 'x-max-length': 1_000 } }),
      },
      {
        prefetch: 0,
        acknowledge: 'never',
        take: ({ message }) => take(message),
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

const NOT_SENT = Promise.resolve(false)

function undeclared({ name }: Exchange, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return `exchange ${name} could not be declared, a piece of a trace was dropped: ${reason}`
}

function pieceMessage(id: string, exchange: string, key: string, body: Buffer): Message {
  return {
    exchange,
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
