import type { ExchangeDeclaration, Problem, QueueDeclaration } from '../call/index.ts'
import type { Message } from './message.ts'

/**
 * What a broker must be able to do: declare, publish, consume. Everything about calls and replies is
 * above this line, in `connection.ts`, and everything about sockets below it.
 */
export interface Transport {
  /** For people, without a password: `amqp://localhost:5672/`. */
  readonly address: string
  /** False while the connection is lost. */
  readonly up: boolean
  /**
   * Declares an exchange now and again after every reconnection.
   * @throws Error when the broker refuses or the connection is lost; `refusalOf` tells which
   */
  declareExchange(exchange: Exchange): Promise<void>
  /** Asks whether an exchange is there. @throws Error as `declareExchange` */
  findExchange(name: string): Promise<void>
  /** Declares a queue without consuming it, this once. @throws Error as `declareExchange` */
  declareQueue(queue: Queue): Promise<void>
  /** How much lies in a queue, and who takes from it. @throws Error as `declareQueue`: `NOT_FOUND` */
  findQueue(name: string): Promise<QueueLength>
  /**
   * Sends a message now, or when the connection is back. Never throws.
   * With `mandatory`, `TransportEvents.returned` tells when no queue took it.
   */
  publish(message: Message, options: PublishOptions, receipt: Receipt): void
  /**
   * Declares the queue with its exchange and binding, and consumes it until stopped; again after
   * every reconnection.
   * @throws Error when the broker refuses, for instance because the queue exists otherwise
   */
  consume(queue: Queue, options: ConsumeOptions): Promise<Consumption>
  /** Closes at once. Unacknowledged deliveries go back to their queues. Idempotent. */
  close(): Promise<void>
}

export interface QueueLength {
  /** Those that wait; without those that were delivered and are not acknowledged. */
  readonly messages: number
  readonly consumers: number
}

export interface PublishOptions {
  readonly mandatory: boolean
  /** Ask the broker to say when it has taken the message. Without it `Receipt.confirmed` never comes. */
  readonly confirm: boolean
}

/** Who waits to hear what became of a published message. Nothing here may throw. */
export interface Receipt {
  /** True as long as the message should be sent again when the connection is lost before it was confirmed. */
  readonly wanted: boolean
  /** The broker has taken the message, or has returned it before. */
  confirmed(): void
  /** The message will not be sent (again). */
  failed(reason: Failure, detail: string): void
}

/**
 * `oversize`: never sent, it is larger than the broker takes. `refused`: the broker, or what waits to
 * be sent to it, has no room. `no_exchange`: there is no such exchange. `lost`: gone with the
 * connection and not wanted any more.
 */
export type Failure = 'oversize' | 'refused' | 'no_exchange' | 'lost'

/** A receipt for those who do not ask. */
export const NO_RECEIPT: Receipt = { wanted: false, confirmed() {}, failed() {} }

export type Exchange = ExchangeDeclaration
export type Queue = QueueDeclaration

export interface ConsumeOptions {
  /** Unacknowledged messages at a time; 0 for no bound. */
  readonly prefetch: number
  /** `each`: when the taker says so. `never`: deliveries count as acknowledged when they are sent. */
  readonly acknowledge: 'each' | 'never'
  /** Must not throw. */
  readonly take: (delivery: Delivery) => void
  /** The queue is consumed again after an interruption; `survived` is false when it had vanished. */
  readonly reopened?: (survived: boolean) => void
}

export interface Delivery {
  readonly message: Message
  /** Done with. Ignored when the connection was lost in between: the message comes again. */
  acknowledge(): void
  /** Gives the message back to the queue. */
  release(): void
}

export interface Consumption {
  /** The queue's name at the broker: an exclusive one gets another after a reconnection. */
  readonly queue: string
  /** No deliveries any more; those taken may still be acknowledged. */
  cancel(): Promise<void>
  /** Ends it altogether: what is unacknowledged goes back to the queue. */
  close(): Promise<void>
}

/** What a transport tells by itself. Nothing here may throw. */
export interface TransportEvents {
  /** A mandatory message that no queue took. Comes before its confirmation. */
  readonly returned: (message: Message) => void
  /** The connection is lost; the transport tries to get it back. */
  readonly down: (reason: string) => void
  readonly restored: () => void
  /** The broker is short of memory or disk and takes nothing; `undefined` when it does again. */
  readonly blocked: (reason: string | undefined) => void
  /** A message without a receipt was for an exchange that is not there. */
  readonly noExchange?: (name: string) => void
  readonly problem: (problem: Problem) => void
}

/** Why a broker refuses a declaration, in RabbitMQ's words; undefined when it did not answer. */
export type Refusal = 'PRECONDITION_FAILED' | 'RESOURCE_LOCKED' | 'NOT_FOUND' | 'OTHER'

/** Which refusal an error of a transport is. */
export function refusalOf(error: unknown): Refusal | undefined {
  const text = error instanceof Error ? error.message : String(error)
  const [word] = /PRECONDITION_FAILED|RESOURCE_LOCKED|NOT_FOUND/.exec(text) ?? []
  if (word !== undefined) return word as Refusal
  return /ACCESS_REFUSED|NOT_ALLOWED|COMMAND_INVALID|SYNTAX_ERROR|NOT_IMPLEMENTED/.test(text)
    ? 'OTHER'
    : undefined
}
