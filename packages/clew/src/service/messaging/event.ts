import { ConfigError } from '../../call/index.ts'
import { declareMethod, refuseBare, refuseOldDecorators } from '../declare-method.ts'
import type { Travels } from '../wire-types.ts'
import { EventHandler } from './event-handler.ts'
import type { EventOptions } from './event-options.ts'
import { checkParameters, handlingOf } from './message-entrypoint.ts'

type Method<This, Payload> = (this: This, payload: Payload) => unknown
type MethodContext<This, Payload> = ClassMethodDecoratorContext<This, Method<This, Payload>> &
  Travels<[Payload]>

/**
 * Makes a method handle events of a service: Nameko's `@event_handler`. The payload is its parameter.
 * An error is logged, and the event is done with unless `requeueOnError` says otherwise.
 * @param service the service that dispatches them
 * @param type the event's type; `*` stands for one word between dots, `#` for any number of them
 * @throws ConfigError when the options contradict each other
 */
export function event(
  service: string,
  type: string,
  options?: EventOptions,
): <This, Payload>(method: Method<This, Payload>, context: MethodContext<This, Payload>) => void
export function event(service: string, type: string, options: EventOptions = {}): unknown {
  refuseBare(service, type, "@event('orders', 'order_created')")
  return (method: Method<never, never>, context: ClassMethodDecoratorContext) => {
    refuseOldDecorators('event', context)
    const where = `@event on ${String(context.name)}`
    checkSource(where, service, type)
    checkOptions(where, options)
    checkParameters('event', method, context)
    const handling = handlingOf(where, options)
    const make = () => new EventHandler({ source: service, type, options, handling })
    declareMethod({ kind: 'event', make }, method, context, options)
  }
}

/** The events of one service, typed by a map of their types to their payloads. */
export interface EventSource<Events> {
  /** `@event` for one of them; the method's parameter must take the payload. */
  on<Type extends keyof Events & string>(
    type: Type,
    options?: EventOptions,
  ): <This, Payload>(
    method: Method<This, Payload>,
    context: MethodContext<This, Payload> &
      ([Events[Type]] extends [Payload] ? unknown : { readonly payloadIs: Events[Type] }),
  ) => void
}

/** `@event` for a service whose events have types: `eventsOf<OrderEvents>('orders').on('order_created')`. */
export function eventsOf<Events>(service: string): EventSource<Events> {
  return { on: (type, options) => event(service, type, options) }
}

const HANDLER_TYPES: readonly unknown[] = ['service-pool', 'singleton', 'broadcast']

function checkSource(where: string, service: string, type: string): void {
  if (typeof service !== 'string' || !/^[^\s*#]{1,120}$/u.test(service)) {
    throw new ConfigError(
      `${where}: ${JSON.stringify(service)} is no service's name; name the one that dispatches the event.`,
    )
  }
  if (typeof type !== 'string' || type === '' || Buffer.byteLength(type) > 255) {
    throw new ConfigError(
      `${where}: the event type ${JSON.stringify(type)} cannot be bound; use 1 to 255 bytes.`,
    )
  }
}

function checkOptions(where: string, options: EventOptions): void {
  const { handlerType = 'service-pool', reliableDelivery = true, broadcastIdentifier } = options
  if (!HANDLER_TYPES.includes(handlerType)) {
    throw new ConfigError(
      `${where}: handlerType ${JSON.stringify(handlerType)} is none of ${HANDLER_TYPES.join(', ')}.`,
    )
  }
  if (handlerType !== 'broadcast') {
    if (broadcastIdentifier === undefined) return
    throw new ConfigError(
      `${where}: only a handler with handlerType 'broadcast' has a broadcastIdentifier; remove it.`,
    )
  }
  if (reliableDelivery && broadcastIdentifier === undefined) {
    throw new ConfigError(
      `${where}: a broadcast handler with reliable delivery needs a broadcastIdentifier that is the same after a restart, such as the host's name; without one nobody would ever empty the queues of old replicas. Give one, or set reliableDelivery to false.`,
    )
  }
}
