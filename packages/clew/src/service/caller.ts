import type {
  ExchangeDeclaration,
  Headers,
  Interceptor,
  PublishingOptions,
  QueueDeclaration,
} from '../call/index.ts'

/** What one call may ask for beyond its arguments. */
export interface CallOptions {
  /**
   * Milliseconds to wait for the reply. A worker's calls never wait longer than its own caller does.
   * @default 30000, or what `connect` and `run` were told; `Infinity` waits for ever
   */
  readonly timeoutMs?: number
  /** Gives up waiting when it aborts; the callee is not told. */
  readonly signal?: AbortSignal
  /** Python's keyword arguments. @default none */
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Nameko context data for this call and everything below it, over what the worker hands on. */
  readonly context?: Headers
  /** Which try this is, when a caller repeats a call; shown in the trace. @default 1 */
  readonly attempt?: number
  /** Goes around this call alone, outside those of `use`. `traced` is made of it. */
  readonly interceptor?: Interceptor
}

/** Something in whose name calls are made: a worker, or a client outside services. */
export interface Caller {
  /**
   * Makes a call and resolves with its result.
   * @throws RemoteError, RpcError, or the local class an error is mapped to
   */
  invoke(
    service: string,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown>
  /**
   * Publishes a message that nobody replies to, with the caller's context and as part of its trace,
   * where it is a call of `shown`. Resolves when the broker has it.
   * @throws RpcError as `Connection.publish`
   */
  publish(message: OutgoingMessage, shown: ShownAs): Promise<void>
}

/** What a caller publishes. */
export interface OutgoingMessage extends PublishingOptions {
  /** Undefined: the default exchange, whose routing keys are names of queues. */
  readonly exchange: ExchangeDeclaration | undefined
  /** Declare the exchange first. @default true */
  readonly declare?: boolean
  /** Declared and bound first. @default none */
  readonly queues?: readonly QueueDeclaration[]
  readonly routingKey: string
  readonly payload: unknown
  /** Nameko context data over the caller's own. @default none */
  readonly context?: Headers
  /** Milliseconds to wait for the broker. @default 30000, or what `connect` and `run` were told */
  readonly timeoutMs?: number
}

/** How a trace names something: `orders.events`, `order_created`. */
export interface ShownAs {
  readonly service: string
  readonly method: string
}
