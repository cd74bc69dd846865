import { type Arrival, ConfigError, type QueueDeclaration } from '../../call/index.ts'
import { declareMethod, refuseBare, refuseOldDecorators } from '../declare-method.ts'
import type { Travels } from '../wire-types.ts'
import {
  checkParameters,
  type Handling,
  handlingOf,
  MessageEntrypoint,
  type MessageOptions,
} from './message-entrypoint.ts'

/** How a method takes messages from a queue. */
export type ConsumeOptions = MessageOptions

type Method<This, Payload> = (this: This, payload: Payload) => unknown

/**
 * Makes a method take messages from a queue: Nameko's `@consume`. The message's body is its
 * parameter. A text names a durable queue that is bound to nothing.
 * @throws ConfigError when the queue or an option cannot be right
 */
export function consume(
  queue: QueueDeclaration | string,
  options?: ConsumeOptions,
): <This, Payload>(
  method: Method<This, Payload>,
  context: ClassMethodDecoratorContext<This, Method<This, Payload>> & Travels<[Payload]>,
) => void
export function consume(queue: QueueDeclaration | string, options: ConsumeOptions = {}): unknown {
  refuseBare(queue, options, "@consume('letters')")
  return (method: Method<never, never>, context: ClassMethodDecoratorContext) => {
    refuseOldDecorators('consume', context)
    const where = `@consume on ${String(context.name)}`
    const declaration = typeof queue === 'string' ? { name: queue } : queue
    if (typeof declaration?.name !== 'string' || declaration.name === '') {
      throw new ConfigError(`${where}: the queue has no name; give it one.`)
    }
    checkParameters('consume', method, context)
    const handling = handlingOf(where, options)
    const make = () => new QueueConsumer(declaration, handling)
    declareMethod({ kind: 'consume', make }, method, context, options)
  }
}

class QueueConsumer extends MessageEntrypoint {
  readonly #declaration: QueueDeclaration

  constructor(declaration: QueueDeclaration, handling: Handling) {
    super(handling)
    this.#declaration = declaration
  }

  protected override queue(): QueueDeclaration {
    return this.#declaration
  }

  protected override shownAs(_arrival: Arrival): string {
    return `on ${this.#declaration.name}`
  }
}
