import type { ExchangeDeclaration } from '../call/index.ts'
import { refusalOf, type Transport } from './transport.ts'

const RETRY_MS = 100
/** Attempts on a connection that is up, but does not answer. */
const ATTEMPTS = 20

/** Which exchanges are known to be there, so that each is declared once a connection. */
export class Exchanges {
  readonly #transport: Transport
  /** By name and properties; a promise while it is being found out. */
  readonly #known = new Map<string, Promise<void> | undefined>()
  #restored = Promise.withResolvers<void>()
  #closed = false

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Declares the exchange, or looks whether it is there. Undefined: that was done before.
   * Waits for a connection that is lost; rejects with what the broker refuses.
   */
  ready(exchange: ExchangeDeclaration, declare: boolean): Promise<void> | undefined {
    const { name, type, durable = true, autoDelete = false } = exchange
    const key = declare ? `${name} ${type} ${durable} ${autoDelete}` : name
    if (this.#known.has(key)) return this.#known.get(key)
    const found = this.#find(exchange, declare).then(
      () => {
        if (this.#known.has(key)) this.#known.set(key, undefined)
      },
      (error: unknown) => {
        this.#known.delete(key)
        throw error
      },
    )
    this.#known.set(key, found)
    return found
  }

  async #find(exchange: ExchangeDeclaration, declare: boolean): Promise<void> {
    const transport = this.#transport
    for (let attempt = 1; ; attempt++) {
      try {
        if (declare) await transport.declareExchange(exchange)
        else await transport.findExchange(exchange.name)
        return
      } catch (error) {
        if (refusalOf(error) !== undefined || this.#closed || attempt >= ATTEMPTS) throw error
      }
      if (transport.up) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      else await this.#restored.promise
    }
  }

  /** It is not there although it was: the next message to it looks again. */
  forget(name: string): void {
    for (const key of this.#known.keys()) {
      if (key === name || key.startsWith(`${name} `)) this.#known.delete(key)
    }
  }

  /** The connection is back. Exchanges were declared again with it, but for those only looked for. */
  restored(): void {
    for (const [key, finding] of this.#known) {
      if (finding === undefined && !key.includes(' ')) this.#known.delete(key)
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
