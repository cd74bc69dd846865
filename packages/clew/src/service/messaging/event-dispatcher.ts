import { ConfigError, type Headers, type PublishingOptions } from '../../call/index.ts'
import type { Caller } from '../caller.ts'
import { Dependency, inject } from '../dependency.ts'
import type { WireForm } from '../wire-types.ts'
import type { WorkerContext } from '../worker-context.ts'
import { type ExchangeSettings, eventExchange, exchangeSettings } from './event-queue.ts'

/** How events are published. */
export interface DispatchOptions extends PublishingOptions, ExchangeSettings {
  /** Nameko context data over the caller's own. @default none */
  readonly context?: Headers
  /** Milliseconds to wait for the broker. @default 30000, or what `connect` and `run` were told */
  readonly timeoutMs?: number
}

/** Payloads by the types of the events. */
export type AnyEvents = Readonly<Record<string, unknown>>

/**
 * Dispatches an event of the worker's service, with the worker's context. Resolves when the broker
 * has it. Nobody may be listening: then it is gone, as in Nameko. Without a payload it is `null`.
 * @throws RpcError `disconnected`, `overloaded`, `timeout`, `unserializable`
 */
export type Dispatch<Events = AnyEvents> = <Type extends keyof Events & string>(
  type: Type,
  ...payload: undefined extends Events[Type]
    ? [payload?: WireForm<Events[Type]>]
    : [payload: WireForm<Events[Type]>]
) => Promise<void>

/** Dispatches an event in a service's name. @throws ConfigError for a service or a type that is no text */
export async function dispatchEvent(
  caller: Caller,
  service: string,
  event: { readonly type: string; readonly payload: unknown },
  { autoDelete, declare = true, ...publishing }: DispatchOptions,
): Promise<void> {
  // `undefined.events` would be declared, and nobody would hear of it.
  for (const [what, name] of Object.entries({ service, 'event type': event.type })) {
    if (typeof name === 'string' && name !== '') continue
    throw new ConfigError(
      `An event is dispatched with a service and an event type, such as dispatch('orders', 'order_created', …); the ${what} is ${JSON.stringify(name)}.`,
    )
  }
  const exchange = eventExchange(service, { autoDelete })
  await caller.publish(
    {
      ...publishing,
      exchange,
      declare,
      routingKey: event.type,
      payload: event.payload,
    },
    { service: exchange.name, method: event.type },
  )
}

/** The dependency behind `eventDispatcher()`, for dependencies that `use` it. */
export class EventDispatcher<Events = AnyEvents> extends Dependency<Dispatch<Events>> {
  readonly #given: DispatchOptions
  #options: DispatchOptions = {}

  constructor(options: DispatchOptions = {}) {
    super()
    this.#given = options
  }

  override setup(): void {
    const { autoDelete, declare } = exchangeSettings(this.host.config)
    this.#options = { autoDelete, declare, ...this.#given }
  }

  override get({ caller, service }: WorkerContext): Dispatch<Events> {
    return (type, ...[payload]) => dispatchEvent(caller, service, { type, payload }, this.#options)
  }
}

/**
 * Declares a field that dispatches events of its service: Nameko's `EventDispatcher`. A map of types
 * to payloads says which: `eventDispatcher<{ order_created: Order }>()`.
 */
export function eventDispatcher<Events = AnyEvents>(
  options: DispatchOptions = {},
): Dispatch<Events> {
  return inject(new EventDispatcher<Events>(options))
}
