import {
  ConfigError,
  type ExchangeDeclaration,
  type Headers,
  type PublishingOptions,
  type QueueDeclaration,
} from '../../call/index.ts'
import { Dependency, inject } from '../dependency.ts'
import type { WireForm } from '../wire-types.ts'
import type { WorkerContext } from '../worker-context.ts'

/** How one message is published. */
export interface PublishOptions extends PublishingOptions {
  /** Without an exchange, the name of a queue. @default '' */
  readonly routingKey?: string
  /** Nameko context data over the worker's own. @default none */
  readonly context?: Headers
  /** Milliseconds to wait for the broker. @default 30000, or what `run` was told */
  readonly timeoutMs?: number
}

/** Where a publisher publishes to, and how where a message does not say otherwise. */
export interface PublisherOptions extends PublishOptions {
  /** @default the default exchange, whose routing keys are names of queues */
  readonly exchange?: ExchangeDeclaration
  /** Declare the exchange first; otherwise it must exist. @default true */
  readonly declare?: boolean
  /** Declared and bound first, so that messages find them: Nameko's `declare`. @default none */
  readonly queues?: readonly QueueDeclaration[]
}

/**
 * Publishes a message with the worker's context. Resolves when the broker has it.
 * @throws RpcError `disconnected`, `overloaded`, `timeout`, `unserializable`; `unknown_service` with
 *   `mandatory`, when no queue takes it; ConfigError with neither an exchange nor a routing key
 */
export type Publish<Payload = unknown> = (
  payload: WireForm<Payload>,
  options?: PublishOptions,
) => Promise<void>

/** The dependency behind `publisher()`, for dependencies that `use` it. */
export class Publisher<Payload = unknown> extends Dependency<Publish<Payload>> {
  readonly #options: PublisherOptions

  constructor(options: PublisherOptions = {}) {
    super()
    this.#options = options
  }

  override get({ caller, service }: WorkerContext): Publish<Payload> {
    const { exchange, ...defaults } = this.#options
    return async (payload, options) => {
      const message = { routingKey: '', ...defaults, ...options, exchange, payload }
      // The default exchange drops it without a word: no queue has an empty name.
      if (message.routingKey === '' && (exchange?.name ?? '') === '') throw nowhere(service)
      return caller.publish(message, {
        service: exchange?.name ?? 'default exchange',
        method: message.routingKey || 'publish',
      })
    }
  }
}

function nowhere(service: string): ConfigError {
  return new ConfigError(
    `A publisher of ${service} has no exchange and no queue: give publisher({ exchange }), or a routingKey that names a queue.`,
  )
}

/** Declares a field that publishes messages to an exchange: Nameko's `Publisher`. */
export function publisher<Payload = unknown>(options: PublisherOptions = {}): Publish<Payload> {
  return inject(new Publisher<Payload>(options))
}
