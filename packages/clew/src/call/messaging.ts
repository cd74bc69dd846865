import type { Headers, HeaderValue } from './headers.ts'

/** An exchange as AMQP declares it. */
export interface ExchangeDeclaration {
  readonly name: string
  readonly type: 'topic' | 'direct' | 'fanout' | 'headers'
  /** @default true */
  readonly durable?: boolean
  /** @default false */
  readonly autoDelete?: boolean
}

/** A queue as AMQP declares it, with its binding where it has one. */
export interface QueueDeclaration {
  readonly name: string
  /** @default true */
  readonly durable?: boolean
  /** @default false */
  readonly exclusive?: boolean
  /** @default false */
  readonly autoDelete?: boolean
  /** `x-…` arguments. @default none */
  readonly arguments?: Readonly<Record<string, HeaderValue>>
  /** What it is bound to; undefined: the default exchange only. */
  readonly exchange?: ExchangeDeclaration | undefined
  /** Declare the exchange first; otherwise it must exist. @default true */
  readonly declareExchange?: boolean
  /** @default '' */
  readonly bindingKey?: string | undefined
  /** Arguments of the binding, for exchanges of type `headers`. @default none */
  readonly bindingArguments?: Readonly<Record<string, HeaderValue>>
}

/** How a message is published; Nameko's publisher options. */
export interface PublishingOptions {
  /** Survives a restart of the broker. @default true with delivery `nameko`, false with `fast` */
  readonly persistent?: boolean
  /** Wait until the broker has the message. @default true with delivery `nameko`, false with `fast` */
  readonly confirm?: boolean
  /** Fail with `unknown_service` when no queue takes it; implies `confirm`. @default false */
  readonly mandatory?: boolean
  /** 0 to 255. @default 0 */
  readonly priority?: number
  /** Milliseconds the message may wait in a queue. @default for ever */
  readonly expirationMs?: number
  /** Name of the serializer. @default that of the connection */
  readonly serializer?: string
  /** As kombu's: the body is compressed and header `compression` says how. @default none */
  readonly compression?: 'gzip' | undefined
  /** Sent as they are. @default none */
  readonly headers?: Headers
}

/** A message that expects no reply. */
export interface Publication extends PublishingOptions {
  /** Undefined: the default exchange, whose routing keys are names of queues. */
  readonly exchange: ExchangeDeclaration | undefined
  /** Declare the exchange first, once a connection. @default true */
  readonly declare?: boolean
  /** Declared and bound first, once a connection, so that the message finds them. @default none */
  readonly queues?: readonly QueueDeclaration[]
  readonly routingKey: string
  readonly payload: unknown
  /** Nameko's context data, sent as `nameko.{key}`. */
  readonly context: Headers
  /** @default none */
  readonly correlationId?: string | undefined
  /** Milliseconds to wait for the broker's confirmation. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** What a consumer takes messages from, and what becomes of those that fail. */
export interface Subscription {
  readonly queue: QueueDeclaration
  /** Messages that the broker may hand over before they are settled. */
  readonly prefetch: number
  /** For messages settled as `retry`. @default 1 s, doubling to 60 s, for ever */
  readonly retry?: RetryPolicy | undefined
}

/**
 * When a failed message comes back. It waits in a queue of its own at the broker
 * (`clew.retry-{queue}-{milliseconds}`), from which whoever consumes its queue brings it back, each
 * step confirmed by the broker: neither a process that ends nor a broker that is killed loses it, and
 * nobody is kept busy. Where nobody is left who would, the broker does it ten minutes later.
 *
 * It comes back as it was, but for `expirationMs`, which ends with the first try. After the last
 * attempt it goes to the queue `dead-{queue}`, with the reason. What waits for a queue that goes with
 * its consumers (exclusive, `autoDelete`) goes with them too.
 */
export interface RetryPolicy {
  /** Milliseconds before the second attempt; doubled for each further one. @default 1000 */
  readonly backoffMs?: number
  /** The longest wait between attempts. @default 60000 */
  readonly maxBackoffMs?: number
  /** Attempts in all, the first included. @default Infinity */
  readonly maxAttempts?: number
}

/** A message that arrived. */
export interface Arrival {
  /** Where it was published to; a message that waited for another try keeps that. */
  readonly exchange: string
  readonly routingKey: string
  readonly payload: unknown
  /** Why the payload could not be read; then `payload` is undefined. */
  readonly unreadable: Error | undefined
  readonly context: Headers
  readonly headers: Headers
  /** Empty where the sender gave none. */
  readonly correlationId: string
  readonly redelivered: boolean
  /** 1 for the first time, counted up by every `retry`. */
  readonly attempt: number
}

/**
 * What becomes of a message: `done` with it; `retry` it later; `requeue` at once (Nameko's own, a hot
 * loop where the failure stays); `dead`: to `dead-{queue}`, for people to look at.
 */
export type Settlement =
  | 'done'
  | 'requeue'
  | { readonly settle: 'retry' | 'dead'; readonly reason: string }
