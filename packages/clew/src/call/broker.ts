import type { Call } from './call.ts'
import type { CollectQueue } from './collect-queue.ts'
import type { Consumer } from './consumer.ts'
import type { ErrorClasses } from './errors.ts'
import type { Handler } from './interceptor.ts'
import type { Mailbox } from './mailbox.ts'
import type {
  Arrival,
  Publication,
  QueueDeclaration,
  Settlement,
  Subscription,
} from './messaging.ts'
import type { Reply } from './reply.ts'
import type { WireOptions } from './serializer.ts'

/** How calls travel; what `rabbitmq()` and `memory()` return. Holds no connection until asked for one. */
export interface Broker {
  /** For people: `memory`, or the address without its password. */
  readonly name: string
  /**
   * Opens a connection.
   * @throws RpcError `disconnected` when the broker cannot be reached or refuses us; the message
   *   names the address and says what to do.
   */
  connect(options: ConnectOptions): Promise<Connection>
}

/** Nameko's durable, confirmed messages, or transient ones that a broker restart may lose. */
export type Delivery = 'nameko' | 'fast'

export interface ConnectOptions extends WireOptions {
  /** Who connects: a service's name, or undefined for callers outside services. Names the reply queue. */
  readonly owner?: string | undefined
  /** @default 'nameko' */
  readonly delivery?: Delivery | undefined
  /** Local classes for errors on the wire. @default none */
  readonly errors?: ErrorClasses | undefined
  /**
   * Ask callees for attachments: the reply key becomes one that says so.
   * @default false
   */
  readonly attachments?: boolean | undefined
  /**
   * Open the reply queue with the connection. Otherwise the first call opens it, and takes longer.
   * @default false
   */
  readonly repliesAtOnce?: boolean | undefined
  /** Told of what went wrong without failing a call (a damaged message, a lost connection). @default silence */
  readonly onProblem?: ((problem: Problem) => void) | undefined
}

/** Something that went wrong beside the calls: it never fails one, it is counted and told. */
export interface Problem {
  /** Machine-readable kind, such as `malformed_message`, `disconnected`, `reply_unroutable`. */
  readonly kind: string
  /** What, why and what happens now, for people. */
  readonly message: string
  readonly error?: unknown
}

/** An open way to the broker: sends calls, serves them, carries pieces of traces. */
export interface Connection extends AsyncDisposable {
  /**
   * Sends a call and settles with its reply, exactly once.
   * `call.observer` is told first. Replies to the same call that still arrive are told to it for as long
   * as the call is among the last 1,024 that ended without a reply, or the last 128 with one.
   * @throws RpcError `unknown_service`, `timeout`, `cancelled`, `disconnected`, `overloaded`,
   *   `unserializable` (arguments that JSON cannot carry)
   */
  request(call: Call): Promise<Reply>
  /**
   * Consumes a service's calls until stopped. The handler must not reject; a request is
   * acknowledged after its reply was handed to the broker.
   */
  serve(service: string, handler: Handler, options: ServeOptions): Promise<Consumer>
  /**
   * Sends a message that expects no reply; resolves when the broker has it, or at once without
   * `confirm`.
   * With `confirm` a connection that is lost is waited for, and the message sent again if need be:
   * it may then arrive twice. Without, nothing is waited for.
   * @throws RpcError `disconnected`, `overloaded`, `timeout`, `cancelled`, `unserializable`,
   *   `unknown_service` (there is no such exchange, or it was mandatory and no queue took it);
   *   ConfigError when its exchange or a queue exists with other properties
   */
  publish(publication: Publication): Promise<void>
  /**
   * Declares a queue with its binding, without consuming it: nothing that is published from now on
   * misses it.
   * @throws ConfigError when the queue exists with other properties; RpcError `disconnected`
   */
  declare(queue: QueueDeclaration): Promise<void>
  /**
   * Declares a queue and consumes it until stopped. `take` must not reject; a message is acknowledged
   * when it is settled, so one that a crash leaves unsettled comes again.
   * @throws ConfigError when the queue exists with other properties
   */
  consume(
    subscription: Subscription,
    take: (arrival: Arrival) => Promise<Settlement>,
  ): Promise<Consumer>
  readonly mailbox: Mailbox
  readonly collectQueue: CollectQueue
  /**
   * Fails what is pending with `disconnected` and closes. Idempotent.
   * @param last runs when no call is pending any more and none is taken, while the mailbox and the
   *   collect queue still work
   */
  close(last?: () => Promise<void>): Promise<void>
}

export interface ServeOptions {
  /** How many unanswered requests the broker may have handed to us at a time. */
  readonly prefetch: number
}
