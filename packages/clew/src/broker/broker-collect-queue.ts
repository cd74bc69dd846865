import {
  type CollectBacklog,
  type CollectOptions,
  type CollectQueue,
  ConfigError,
  type Consumer,
  type Handed,
  type HandOptions,
  RpcError,
  toError,
} from '../call/index.ts'
import { DrainingConsumer } from './draining-consumer.ts'
import type { Message } from './message.ts'
import { unconsumed } from './queue-errors.ts'
import {
  type Delivery,
  type Failure,
  type Queue,
  type QueueLength,
  type Receipt,
  refusalOf,
  type Transport,
} from './transport.ts'
import type { Tell } from './wire-headers.ts'

/** Where senders and collectors meet, where they do not say otherwise. */
const USUAL_NAME = 'clew.collect'

/** Names of queues that one connection remembers to have declared. */
const REMEMBERED = 100

/**
 * Replicated, on disk, at most 1 GiB: when it is full the broker refuses what comes, and the sender counts
 * it. A policy of the broker's can make it smaller. Senders and collectors declare it alike.
 */
const collectQueue = (name: string): Queue => ({
  name,
  arguments: {
    'x-queue-type': 'quorum',
    'x-max-length-bytes': 1024 * 1024 * 1024,
    'x-overflow': 'reject-publish',
    'x-delivery-limit': 50,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': `dead-${name}`,
  },
})

/** Where batches go that no collector could take. The oldest make room. */
const deadQueue = (name: string): Queue => ({
  name: `dead-${name}`,
  arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': 64 * 1024 * 1024 },
})

/** Batches and bytes of one connection that the broker has not confirmed; more are `full`. */
const MOST_UNCONFIRMED = 16
const MOST_UNCONFIRMED_BYTES = 32 * 1024 * 1024

/** What could not be taken is held so long before the queue gets it back: nothing turns in a hot loop. */
const HELD_MS = 1000

/** The collect queue over any transport. */
export class BrokerCollectQueue implements CollectQueue {
  readonly #transport: Transport
  readonly #tell: Tell
  readonly #handing = new Map<string, Handing>()
  #unconfirmedBytes = 0
  #handed = 0
  /** By name of the queue. */
  readonly #declared = new Map<string, Promise<void>>()
  #toldRefused = false
  #blocked = false

  constructor(transport: Transport, tell: Tell) {
    this.#transport = transport
    this.#tell = tell
  }

  async hand(batch: Uint8Array, { timeoutMs, queue = USUAL_NAME }: HandOptions): Promise<Handed> {
    if (!this.#transport.up || this.#blocked) return 'unavailable'
    if (
      this.#handing.size >= MOST_UNCONFIRMED ||
      this.#unconfirmedBytes + batch.length > MOST_UNCONFIRMED_BYTES
    ) {
      return 'full'
    }
    const id = `batch-${this.#handed++}`
    this.#unconfirmedBytes += batch.length
    let timer: NodeJS.Timeout | undefined
    const outcome = new Promise<Handed>((resolve) => {
      const handing = new Handing(resolve)
      this.#handing.set(id, handing)
      timer = setTimeout(() => resolve('unavailable'), timeoutMs).unref()
      void this.#send(messageOf(id, queue, batch), handing)
    })
    try {
      return await outcome
    } finally {
      clearTimeout(timer)
      this.#handing.delete(id)
      this.#unconfirmedBytes -= batch.length
    }
  }

  async #send(message: Message, handing: Handing): Promise<void> {
    try {
      await this.#ready(message.routingKey)
    } catch {
      handing.settle('unavailable')
      return
    }
    this.#transport.publish(message, { mandatory: true, confirm: true }, handing)
  }

  /** Declares a queue once a connection. Rejects when the broker did not answer. */
  #ready(name: string): Promise<void> {
    const known = this.#declared.get(name)
    if (known !== undefined) return known
    if (this.#declared.size >= REMEMBERED) this.#declared.clear()
    const declaring = this.#declare(name)
    this.#declared.set(name, declaring)
    declaring.catch(() => this.#declared.delete(name))
    return declaring
  }

  async #declare(name: string): Promise<void> {
    try {
      await this.#transport.declareQueue(deadQueue(name))
      await this.#transport.declareQueue(collectQueue(name))
    } catch (error) {
      if (refusalOf(error) === undefined) throw error
      // What we may not declare, or not like this, may be there all the same.
      if (this.#toldRefused) return
      this.#toldRefused = true
      const message = `queue ${name} could not be declared; batches go to it as it is: ${toError(error).message}`
      this.#tell({ kind: 'collect_queue', message, error })
    }
  }

  /** A returned message, if it was a batch: there is no such queue any more. */
  returned({ exchange, routingKey, correlationId }: Message): boolean {
    const handing = exchange === '' ? this.#handing.get(correlationId) : undefined
    if (handing === undefined) return false
    this.#declared.delete(routingKey)
    handing.settle('unavailable')
    return true
  }

  /** The connection is back: queues are looked for again. */
  restored(): void {
    this.#declared.clear()
  }

  /** The broker takes nothing. What was sent lies before it: more would only add up. */
  blocked(blocked: boolean): void {
    this.#blocked = blocked
  }

  async consume(
    take: (batch: Uint8Array, redelivered: boolean) => Promise<void>,
    { prefetch, queue = USUAL_NAME }: CollectOptions,
  ): Promise<Consumer> {
    if (!(Number.isInteger(prefetch) && prefetch >= 1 && prefetch <= 65_535)) {
      throw new ConfigError(`prefetch must be a whole number from 1 to 65535; got ${prefetch}`)
    }
    const consumer = new BatchConsumer(take)
    try {
      await this.#transport.declareQueue(deadQueue(queue))
      await consumer.open(this.#transport, collectQueue(queue), prefetch)
    } catch (error) {
      throw unconsumed(queue, error)
    }
    return consumer
  }

  async backlog(queue = USUAL_NAME): Promise<CollectBacklog | undefined> {
    const waiting = await this.#lengthOf(queue)
    if (waiting === undefined) return undefined
    const dead = await this.#lengthOf(deadQueue(queue).name)
    return {
      ...{ batches: waiting.messages, collectors: waiting.consumers },
      dead: dead?.messages ?? 0,
    }
  }

  async #lengthOf(name: string): Promise<QueueLength | undefined> {
    try {
      return await this.#transport.findQueue(name)
    } catch (error) {
      if (refusalOf(error) === 'NOT_FOUND') return undefined
      throw new RpcError('disconnected', `queue ${name} was not found: ${toError(error).message}`)
    }
  }
}

class BatchConsumer extends DrainingConsumer {
  readonly #take: (batch: Uint8Array, redelivered: boolean) => Promise<void>

  constructor(take: (batch: Uint8Array, redelivered: boolean) => Promise<void>) {
    super()
    this.#take = take
  }

  protected override take(delivery: Delivery): void {
    void this.#handle(delivery).finally(() => this.ended())
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { body, redelivered } = delivery.message
    try {
      await this.#take(body, redelivered)
      delivery.acknowledge()
    } catch {
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

/** A batch on its way to the broker. Its sender sends it again, so the transport need not. */
class Handing implements Receipt {
  readonly wanted = false
  readonly settle: (handed: Handed) => void

  constructor(settle: (handed: Handed) => void) {
    this.settle = settle
  }

  confirmed(): void {
    this.settle('taken')
  }

  failed(failure: Failure): void {
    if (failure === 'oversize') this.settle('too_large')
    else this.settle(failure === 'refused' ? 'full' : 'unavailable')
  }
}

function messageOf(id: string, queue: string, batch: Uint8Array): Message {
  return {
    exchange: '',
    routingKey: queue,
    contentType: 'application/vnd.clew.batch',
    contentEncoding: '',
    headers: undefined,
    deliveryMode: 2,
    priority: -1,
    correlationId: id,
    replyTo: '',
    expiration: '',
    redelivered: false,
    body: Buffer.from(batch.buffer, batch.byteOffset, batch.length),
  }
}
