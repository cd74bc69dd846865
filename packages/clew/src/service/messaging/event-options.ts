import type { HandlerType } from './event-queue.ts'
import type { MessageOptions } from './message-entrypoint.ts'

/** How a method handles events; Nameko's options of `event_handler`. */
export interface EventOptions extends MessageOptions {
  /** @default 'service-pool' */
  readonly handlerType?: HandlerType
  /**
   * Events wait while no replica is there to take them. Otherwise the queue goes with its last
   * consumer, and they are lost.
   * @default true
   */
  readonly reliableDelivery?: boolean
  /**
   * What tells the replicas of a `broadcast` handler apart, such as the host's name: each one's queue
   * is named after it. Reliable delivery needs one that is the same after a restart. A function is
   * asked when the service starts, with its configuration.
   * @default a new one at each start
   */
  readonly broadcastIdentifier?: string | ((config: Readonly<Record<string, unknown>>) => string)
}
