import type { Publication, QueueDeclaration } from '../call/index.ts'
import { refusalOf, type Transport } from './transport.ts'

const RETRY_MS = 100
/** Attempts on a connection that is up, but does not answer. */
const ATTEMPTS = 20
/** Exchanges remembered, and steps of each; programs that make up names for ever must not fill the memory. */
const REMEMBERED = 1000

/** What must be there before a message is published. */
export type Wanted = Pick<Publication, 'exchange' | 'declare' | 'queues'>

/** Which exchanges and queues are known to be there: each is declared once a connection. */
export class Topology {
  readonly #transport: Transport
  /** By name of the exchange and what was done; a promise while it is being done. */
  readonly #known = new Map<string, Map<string, Promise<void> | undefined>>()
  #restored = Promise.withResolvers<void>()
  #closed = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Declares what is wanted, or looks whether it is there. Undefined: that was done before.
   * Waits for a connection that is lost; rejects with what the broker refuses.
   */
  ready({ exchange, declare = true, queues }: Wanted): Promise<void> | undefined {
    const transport = this.#transport
    const steps: Promise<void>[] = []
    const name = exchange?.name ?? ''
    if (exchange !== undefined) {
      const { type, durable = true, autoDelete = false } = exchange
      const step = declare
        ? this.#once(name, `${type} ${durable} ${autoDelete}`, () =>
            transport.declareExchange(exchange),
          )
        : this.#once(name, 'found', () => transport.findExchange(name))
      if (step !== undefined) steps.push(step)
    }
    for (const queue of queues ?? []) {
      // What it is bound to may only come to be by the step before.
      const declared = this.#once(name, keyOf(queue), async () => {
        await steps[0]
        await transport.declareQueue(queue)
      })
      if (declared !== undefined) steps.push(declared)
    }
    return steps.length === 0 ? undefined : Promise.all(steps).then(() => {})
  }

  #once(exchange: string, step: string, act: () => Promise<void>): Promise<void> | undefined {
    let known = this.#known.get(exchange)
    if (known === undefined) {
      known = new Map()
      this.#known.set(exchange, known)
      const [oldest] = this.#known.keys()
      if (this.#known.size > REMEMBERED) this.#known.delete(oldest!)
    }
    const steps = known
    if (steps.has(step)) return steps.get(step)
    const acting = this.#insist(act).then(
      () => {
        if (steps.get(step) === acting) steps.set(step, undefined)
      },
      (error: unknown) => {
        if (steps.get(step) === acting) steps.delete(step)
        throw error
      },
    )
    steps.set(step, acting)
    const [oldest] = steps.keys()
    if (steps.size > REMEMBERED) steps.delete(oldest!)
    return acting
  }

  async #insist(act: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await act()
        return
      } catch (error) {
        if (refusalOf(error) !== undefined || this.#closed || attempt >= ATTEMPTS) throw error
      }
      if (this.#transport.up) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      else await this.#restored.promise
    }
  }

  /** An exchange is not there although it was: the next message to it looks again. */
  forget(exchange: string): void {
    this.#known.delete(exchange)
  }

  /** The connection is back. What goes with a broker's restart is looked for again. */
  restored(): void {
    for (const steps of this.#known.values()) {
      for (const [step, acting] of steps) if (acting === undefined) steps.delete(step)
    }
    this.#wake()
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  #wake(): void {
    this.#restored.resolve()
    this.#restored = Promise.withResolvers()
  }
}

function keyOf(queue: QueueDeclaration): string {
  return JSON.stringify(queue)
}
