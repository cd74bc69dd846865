import { type Arrival, ConfigError, newCallId, type QueueDeclaration } from '../../call/index.ts'
import type { EventOptions } from './event-options.ts'
import { eventQueue, exchangeSettings } from './event-queue.ts'
import { type Handling, MessageEntrypoint } from './message-entrypoint.ts'

/** What a handler was declared with. */
export interface EventDeclaration {
  readonly source: string
  readonly type: string
  readonly options: EventOptions
  readonly handling: Handling
}

/** Fires a method for each event of a type. */
export class EventHandler extends MessageEntrypoint {
  readonly #declaration: EventDeclaration

  constructor(declaration: EventDeclaration) {
    super(declaration.handling)
    this.#declaration = declaration
  }

  protected override queue(): QueueDeclaration {
    const { source, type, options } = this.#declaration
    const { handlerType = 'service-pool', reliableDelivery = true } = options
    const subscriber = {
      source,
      type,
      handlerType,
      reliable: reliableDelivery,
      service: this.host.service,
      method: this.method.name,
      identifier: handlerType === 'broadcast' ? this.#identifier() : '',
    }
    return eventQueue(subscriber, exchangeSettings(this.host.config))
  }

  #identifier(): string {
    const { broadcastIdentifier } = this.#declaration.options
    if (broadcastIdentifier === undefined) return newCallId().replaceAll('-', '')
    const identifier: unknown =
      typeof broadcastIdentifier === 'function'
        ? broadcastIdentifier(this.host.config)
        : broadcastIdentifier
    if (typeof identifier === 'string' && identifier !== '') return identifier
    throw new ConfigError(
      `@event on ${this.method.property}: the broadcastIdentifier is ${JSON.stringify(identifier)}; it must be a text that tells this replica from others.`,
    )
  }

  /** What was dispatched, not what was subscribed to: one handler may take `order.*`. */
  protected override shownAs({ routingKey }: Arrival): string {
    return `on ${routingKey}`
  }
}
