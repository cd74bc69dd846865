import type { Problem } from '../call/index.ts'
import type { Channel, GuardedClient } from './frame-guard.ts'
import { type Exchange, type Queue, type QueueLength, refusalOf } from './transport.ts'

/** Exchanges declared again with a new connection; others are when a message finds them missing. */
const REMEMBERED = 1000

/** Exchanges and queues that are declared beside consuming, on one connection that comes and goes. */
export class RabbitDeclarations {
  readonly #problem: (problem: Problem) => void
  readonly #exchanges = new Map<string, Exchange>()
  #client: GuardedClient | undefined
  /** Kept open from one declaration to the next; a refusal closes it. */
  #channel: Promise<Channel> | undefined
  /** One after the other: a refusal fails whatever else the channel is asked. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(problem: (problem: Problem) => void) {
    this.#problem = problem
  }

  /** Declares the exchanges again on a new connection. */
  async prepare(client: GuardedClient): Promise<void> {
    for (const exchange of this.#exchanges.values()) {
      try {
        await this.#on(client, (channel) => declareExchange(channel, exchange))
      } catch (error) {
        if (refusalOf(error) === undefined) throw error
        // Somebody has made another one of it meanwhile: that must not keep the connection away.
        this.#exchanges.delete(exchange.name)
        const message = `exchange ${exchange.name} could not be declared again: ${textOf(error)}`
        this.#problem({ kind: 'exchange_lost', message })
      }
    }
  }

  ready(client: GuardedClient): void {
    this.#client = client
  }

  lost(): void {
    this.#client = undefined
    this.#channel = undefined
  }

  async declareExchange(exchange: Exchange): Promise<void> {
    await this.#on(this.#client, (channel) => declareExchange(channel, exchange))
    this.#exchanges.set(exchange.name, exchange)
    const [oldest] = this.#exchanges.keys()
    if (this.#exchanges.size > REMEMBERED) this.#exchanges.delete(oldest!)
  }

  async findExchange(name: string): Promise<void> {
    // The type of a passive declaration does not count.
    const passive = { passive: true }
    await this.#on(this.#client, (channel) => channel.exchangeDeclare(name, 'topic', passive))
  }

  async declareQueue(queue: Queue): Promise<void> {
    await this.#on(this.#client, (channel) => declareQueue(channel, queue, queue.name))
  }

  async findQueue(name: string): Promise<QueueLength> {
    let found: QueueLength | undefined
    await this.#on(this.#client, async (channel) => {
      const { messageCount, consumerCount } = await channel.queueDeclare(name, { passive: true })
      found = { messages: messageCount, consumers: consumerCount }
    })
    return found!
  }

  #on(
    client: GuardedClient | undefined,
    declare: (channel: Channel) => Promise<void>,
  ): Promise<void> {
    if (client === undefined) return Promise.reject(new Error('the connection is lost'))
    const declared = this.#turn.then(async () => {
      if (client.closed) throw new Error('the connection is lost')
      try {
        this.#channel ??= this.#open(client)
        await client.answer(declare(await this.#channel))
      } catch (error) {
        // The library's errors hold the client, and with it the password.
        throw new Error(textOf(error))
      }
    })
    this.#turn = declared.catch(() => {})
    return declared
  }

  #open(client: GuardedClient): Promise<Channel> {
    const opened = client.answer(client.channel()).then((channel) => {
      channel.onerror = forget
      return channel
    })
    const forget = () => {
      if (this.#channel === opened) this.#channel = undefined
    }
    opened.catch(forget)
    return opened
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export async function declareExchange(channel: Channel, exchange: Exchange): Promise<void> {
  const { name, type, durable = true, autoDelete = false } = exchange
  await channel.exchangeDeclare(name, type, { durable, autoDelete })
}

/** Declares a queue under a name, with its exchange and its binding. */
export async function declareQueue(channel: Channel, queue: Queue, name: string): Promise<void> {
  const { durable = true, exclusive = false, autoDelete = false } = queue
  const { exchange, bindingKey = '', bindingArguments = {} } = queue
  if (exchange !== undefined && queue.declareExchange !== false) {
    await declareExchange(channel, exchange)
  }
  await channel.queueDeclare(name, { durable, exclusive, autoDelete }, { ...queue.arguments })
  if (exchange !== undefined) {
    await channel.queueBind(name, exchange.name, bindingKey, { ...bindingArguments })
  }
}
