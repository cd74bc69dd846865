import {
  type Arrival,
  ConfigError,
  type Settlement,
  type Subscription,
  toError,
} from '../call/index.ts'
import type { Wire } from './body.ts'
import { DrainingConsumer } from './draining-consumer.ts'
import { decodeArrival } from './publication-wire.ts'
import type { Publications } from './publications.ts'
import { Retries } from './retries.ts'
import type { Delivery, Transport } from './transport.ts'
import type { Tell } from './wire-headers.ts'

/** What cannot be put aside is held so long before its queue gets it back: nothing turns in a hot loop. */
const HELD_MS = 1000

export interface MessageServerOptions {
  readonly transport: Transport
  readonly publications: Publications
  readonly subscription: Subscription
  readonly take: (arrival: Arrival) => Promise<Settlement>
  readonly tell: Tell
  readonly wire: Wire
}

/** Consumes one queue's messages and settles each as its taker says. */
export class MessageServer extends DrainingConsumer {
  readonly #options: MessageServerOptions
  readonly #retries: Retries

  constructor(options: MessageServerOptions) {
    super()
    this.#options = options
    const { transport, publications, subscription } = options
    checkSubscription(subscription)
    this.#retries = new Retries({
      transport,
      publications,
      queue: subscription.queue,
      queueName: () => this.queue,
      policy: subscription.retry,
      tell: options.tell,
    })
  }

  async start(): Promise<void> {
    const { transport, subscription } = this.#options
    await this.open(transport, subscription.queue, subscription.prefetch)
    if (subscription.retry !== undefined) await this.#retries.openAll()
  }

  override async stop(): Promise<void> {
    await super.stop()
    await this.#retries.close()
  }

  protected override take(delivery: Delivery): void {
    void this.#handle(delivery).finally(() => this.ended())
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { take, tell, wire } = this.#options
    const arrival = decodeArrival(delivery.message, tell, wire)
    let settlement: Settlement
    try {
      settlement = await take(arrival)
    } catch (error) {
      // Takers do not reject; if one does, the message must not be lost with it.
      settlement = { settle: 'retry', reason: toError(error).message }
    }
    if (settlement === 'done') delivery.acknowledge()
    else if (settlement === 'requeue') delivery.release()
    else await this.#putAside(delivery, arrival, settlement)
  }

  async #putAside(
    delivery: Delivery,
    { exchange, routingKey, attempt }: Arrival,
    { settle, reason }: Exclude<Settlement, string>,
  ): Promise<void> {
    const { queue } = this
    const { message } = delivery
    const tried = { message, exchange, routingKey, attempt, reason }
    try {
      if (settle === 'retry') await this.#retries.retry(queue, tried)
      else await this.#retries.bury(queue, tried)
      delivery.acknowledge()
    } catch (error) {
      const text = `a message in ${queue} could not be put aside and goes back to it: ${toError(error).message}`
      this.#options.tell({ kind: 'retry_failed', message: text, error })
      let timer: NodeJS.Timeout | undefined
      const held = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, HELD_MS)
      })
      await Promise.race([held, this.stopped])
      clearTimeout(timer)
      delivery.release()
    }
  }
}

function checkSubscription({ queue, prefetch }: Subscription): void {
  if (!(Number.isInteger(prefetch) && prefetch >= 0 && prefetch <= 65_535)) {
    throw new ConfigError(`prefetch must be a whole number from 0 to 65535; got ${prefetch}`)
  }
  if (queue.name === '') {
    throw new ConfigError(
      'a queue needs a name: one that the broker chose would change with the connection',
    )
  }
  for (const record of [queue.arguments, queue.bindingArguments]) {
    for (const [name, value] of Object.entries(record ?? {})) {
      if (typeof value !== 'number' || (Number.isInteger(value) && Math.abs(value) <= 0x7fffffff)) {
        continue
      }
      throw new ConfigError(
        `argument ${name} of queue ${queue.name} must be a whole number of 32 bits; got ${value}`,
      )
    }
  }
}
