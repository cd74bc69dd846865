import { ConfigError, type ExchangeDeclaration, type QueueDeclaration } from '../../call/index.ts'

/**
 * Who takes an event. `service-pool`: one replica of each service that listens. `singleton`: one
 * listener in all, whatever its service. `broadcast`: every replica.
 */
export type HandlerType = 'service-pool' | 'singleton' | 'broadcast'

/** Nameko's settings of the exchanges that carry events, by its names in the configuration. */
export interface ExchangeSettings {
  /** Nameko's `AUTO_DELETE_EVENT_EXCHANGES`. @default false */
  readonly autoDelete?: boolean | undefined
  /** Nameko's `DECLARE_EVENT_EXCHANGES`. @default true */
  readonly declare?: boolean | undefined
}

/** What a service's configuration says about exchanges of events. */
export function exchangeSettings(config: Readonly<Record<string, unknown>>): ExchangeSettings {
  return {
    autoDelete: flag(config, 'AUTO_DELETE_EVENT_EXCHANGES'),
    declare: flag(config, 'DECLARE_EVENT_EXCHANGES'),
  }
}

function flag(config: Readonly<Record<string, unknown>>, key: string): boolean | undefined {
  const value = config[key]
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined
  throw new ConfigError(`${key} in the configuration must be true or false; got ${String(value)}.`)
}

/** The exchange that carries a service's events. */
export function eventExchange(service: string, settings: ExchangeSettings): ExchangeDeclaration {
  return {
    name: `${service}.events`,
    type: 'topic',
    durable: true,
    autoDelete: settings.autoDelete ?? false,
  }
}

/** A handler, as its queue is named after it. */
export interface EventSubscriber {
  readonly source: string
  readonly type: string
  readonly handlerType: HandlerType
  readonly reliable: boolean
  /** The handling service and its method. */
  readonly service: string
  readonly method: string
  /** Tells replicas apart; for `broadcast` only. */
  readonly identifier: string
}

/**
 * The queue of a handler, name, flags and arguments exactly as Nameko declares it: replicas in both
 * languages share it, and the broker refuses a second declaration that differs.
 */
export function eventQueue(
  subscriber: EventSubscriber,
  settings: ExchangeSettings,
): QueueDeclaration {
  const { source, type, handlerType, reliable } = subscriber
  return {
    name: queueName(subscriber),
    durable: true,
    exclusive: handlerType === 'broadcast' && !reliable,
    autoDelete: !reliable,
    exchange: eventExchange(source, settings),
    declareExchange: settings.declare ?? true,
    bindingKey: type,
  }
}

function queueName(subscriber: EventSubscriber): string {
  const { source, type, handlerType, service, method, identifier } = subscriber
  const stem = `evt-${source}-${type}`
  if (handlerType === 'singleton') return stem
  const pool = `${stem}--${service}.${method}`
  return handlerType === 'service-pool' ? pool : `${pool}-${identifier}`
}
