import type { Problem } from '../call/index.ts'
import { Acknowledgements, Unsettled } from './acknowledgements.ts'
import { BASIC_CANCEL, BASIC_DELIVER, writeAcknowledge, writeRequeue } from './amqp-frames.ts'
import { ContentAssembler, type Envelope } from './content-assembler.ts'
import type { BeforeWriting, Channel, ChannelReader, GuardedClient } from './frame-guard.ts'
import { EXCHANGE, type FrameReader, ROUTING_KEY } from './frame-reader.ts'
import type { Message } from './message.ts'
import { declareQueue, type RabbitDeclarations } from './rabbit-declarations.ts'
import type { ConsumeOptions, Consumption, Delivery, Queue } from './transport.ts'

const RETRY_MS = 1000

/** All consumers of one connection; they come back with it. */
export class RabbitConsumers {
  readonly #problem: (problem: Problem) => void
  readonly #consumers = new Set<RabbitConsumer>()
  readonly #declarations: RabbitDeclarations
  #client: GuardedClient | undefined
  #awaited = Promise.withResolvers<GuardedClient>()

  constructor(declarations: RabbitDeclarations, problem: (problem: Problem) => void) {
    this.#declarations = declarations
    this.#problem = problem
    this.#awaited.promise.catch(() => {})
  }

  async prepare(client: GuardedClient): Promise<void> {
    await this.#declarations.prepare(client)
    await Promise.all(Array.from(this.#consumers, (consumer) => consumer.restore(client)))
  }

  ready(client: GuardedClient): void {
    this.#client = client
    this.#declarations.ready(client)
    this.#awaited.resolve(client)
  }

  /** The connection is lost; told more than once at times. */
  lost(): void {
    this.#declarations.lost()
    if (this.#client === undefined) return
    this.#client = undefined
    this.#awaited = Promise.withResolvers()
    this.#awaited.promise.catch(() => {})
  }

  /** Nothing waits for a connection any more. */
  close(): void {
    const closed = new Error('the connection is closed')
    this.#declarations.lost()
    this.#client = undefined
    this.#awaited.reject(closed)
    // It may have been resolved with a client that is gone: who asks from now on must not get that.
    this.#awaited = Promise.withResolvers()
    this.#awaited.promise.catch(() => {})
    this.#awaited.reject(closed)
  }

  async consume(queue: Queue, options: ConsumeOptions): Promise<Consumption> {
    const consumer = new RabbitConsumer(queue, options, this.#problem)
    await this.#open(consumer)
    return {
      get queue() {
        return consumer.name
      },
      cancel: () => consumer.cancel(),
      close: () => {
        this.#consumers.delete(consumer)
        return consumer.close()
      },
    }
  }

  // A connection lost on the way is waited for; what the broker refuses is not tried again.
  async #open(consumer: RabbitConsumer): Promise<void> {
    for (;;) {
      const client = this.#client ?? (await this.#awaited.promise)
      try {
        await consumer.open(client)
        this.#consumers.add(consumer)
        return
      } catch (error) {
        // The library's errors hold the client, and with it the password.
        if (!client.closed) throw new Error(error instanceof Error ? error.message : String(error))
      }
      if (this.#client === client) this.lost()
    }
  }
}

/** One queue's consumer, on a channel of its own: prefetch and errors stay with it. */
class RabbitConsumer {
  readonly #queue: Queue
  readonly #options: ConsumeOptions
  readonly #problem: (problem: Problem) => void
  #reader: DeliveryReader | undefined
  #openings = 0
  #cancelled = false
  /** The queue's name at the broker. */
  name: string

  constructor(queue: Queue, options: ConsumeOptions, problem: (problem: Problem) => void) {
    this.#queue = queue
    this.name = queue.name
    this.#options = options
    this.#problem = problem
  }

  async open(client: GuardedClient): Promise<void> {
    const channel = await client.answer(client.channel())
    let openedReader: DeliveryReader | undefined
    channel.onerror = (reason) => {
      if (openedReader !== undefined && this.#reader === openedReader) this.#broken(client, reason)
    }
    const name = await client.answer(this.#declare(channel))
    const { prefetch, acknowledge } = this.#options
    if (prefetch > 0) await client.answer(channel.prefetch(prefetch))
    const reader = new DeliveryReader(client, channel, this.#options, {
      unreadable: () => this.#unreadable(),
      cancelled: () => this.#broken(client, `its queue ${name} was deleted`),
    })
    // Told to stop meanwhile, it would take messages only to give them back, again and again.
    if (this.#cancelled) return reader.close()
    client.attach(channel, reader)
    const consuming = channel.basicConsume(name, { noAck: acknowledge === 'never' }, () => {})
    const consumer = await client.answer(consuming)
    reader.tag = consumer.tag
    openedReader = reader
    this.#reader = reader
    if (this.#cancelled) await this.close()
  }

  async #declare(channel: Channel): Promise<string> {
    const { name, exclusive, exchange } = this.#queue
    // The broker may not know yet that the connection which owned an exclusive queue is gone: a
    // second name spares waiting for that. Without an exchange the name is the address, and stays.
    const again = exclusive && exchange !== undefined && this.#openings > 0
    this.name = again ? `${name}.${this.#openings}` : name
    this.#openings++
    await declareQueue(channel, this.#queue, this.name)
    return this.name
  }

  /** Consumes again. What the broker refuses is tried again later, without holding up the others. */
  async restore(client: GuardedClient): Promise<void> {
    this.#reader = undefined
    try {
      if (this.#cancelled) return
      const survived = !this.#queue.exclusive && (await exists(client, this.#queue.name))
      await this.open(client)
      this.#options.reopened?.(survived)
    } catch (error) {
      if (client.closed) throw error
      const reason = error instanceof Error ? error.message : String(error)
      const message = `queue ${this.#queue.name} cannot be consumed: ${reason}`
      this.#problem({ kind: 'consumer_lost', message })
      setTimeout(() => {
        if (!client.closed && this.#reader === undefined) void this.#restoreAlone(client)
      }, RETRY_MS)
    }
  }

  // The connection's end is told to its link; there is nothing to add here.
  async #restoreAlone(client: GuardedClient): Promise<void> {
    await this.restore(client).catch(() => {})
  }

  // The queue was deleted, or the channel closed, below a connection that lives on.
  #broken(client: GuardedClient, reason: string): void {
    const reader = this.#reader
    this.#reader = undefined
    if (this.#cancelled || client.closed) return
    void reader?.close()
    this.#problem({ kind: 'consumer_lost', message: `${reason}; consuming again` })
    void this.#restoreAlone(client)
  }

  #unreadable(): void {
    const message = `a message in ${this.#queue.name} could not be read and was dropped`
    this.#problem({ kind: 'malformed_message', message })
  }

  async cancel(): Promise<void> {
    this.#cancelled = true
    await this.#reader?.cancel()
  }

  async close(): Promise<void> {
    this.#cancelled = true
    await this.#reader?.close()
    this.#reader = undefined
  }
}

async function exists(client: GuardedClient, queue: string): Promise<boolean> {
  const channel = await client.answer(client.channel())
  channel.onerror = () => {}
  try {
    await client.answer(channel.queueDeclare(queue, { passive: true }))
  } catch {
    return false
  }
  await client.answer(channel.close())
  return true
}

interface ReaderEvents {
  readonly unreadable: () => void
  readonly cancelled: () => void
}

/** Reads the deliveries of one channel and acknowledges them there. */
class DeliveryReader implements ChannelReader, BeforeWriting {
  readonly #client: GuardedClient
  readonly #channel: Channel
  readonly #options: ConsumeOptions
  readonly #events: ReaderEvents
  readonly #assembler: ContentAssembler
  tag = ''
  readonly #acknowledgements = new Acknowledgements()

  constructor(
    client: GuardedClient,
    channel: Channel,
    options: ConsumeOptions,
    events: ReaderEvents,
  ) {
    this.#client = client
    this.#channel = channel
    this.#options = options
    this.#events = events
    this.#assembler = new ContentAssembler((message, envelope) => this.#take(message, envelope))
  }

  method(method: number, reader: FrameReader): void {
    if (method === BASIC_CANCEL) {
      this.#events.cancelled()
    } else if (method === BASIC_DELIVER) {
      reader.skipShort()
      const tag = reader.tag()
      const redelivered = (reader.octet() & 1) === 1
      const exchange = reader.usual(EXCHANGE)
      this.#assembler.begin({ exchange, routingKey: reader.usual(ROUTING_KEY), redelivered, tag })
    }
  }

  header(reader: FrameReader): void {
    this.#assembler.header(reader)
  }

  body(bytes: Buffer, start: number, end: number): void {
    this.#assembler.body(bytes, start, end)
  }

  #take(message: Message | undefined, { tag }: Envelope): void {
    const delivery = new RabbitDelivery(message ?? UNREADABLE, tag, this)
    if (this.#options.acknowledge !== 'never') this.#acknowledgements.add(delivery)
    if (message !== undefined) {
      this.#options.take(delivery)
      return
    }
    delivery.acknowledge()
    this.#events.unreadable()
  }

  acknowledge(delivery: Unsettled): void {
    if (this.#acknowledgements.settle(delivery)) this.#client.beforeWriting(this)
  }

  /** Behind the replies of this turn, and all at once. */
  beforeWriting(): void {
    this.#acknowledgements.tell((tag, multiple) => {
      if (this.#writable) writeAcknowledge(this.#client, this.#channel.id, tag, multiple)
    })
  }

  requeue(delivery: Unsettled): void {
    if (this.#acknowledgements.forget(delivery) && this.#writable) {
      writeRequeue(this.#client, this.#channel.id, delivery.tag)
    }
  }

  // An acknowledgement on a closed channel would cost the connection; the message comes again anyway.
  get #writable(): boolean {
    return !this.#channel.closed && !this.#client.closed
  }

  async cancel(): Promise<void> {
    if (this.#channel.closed) return
    await this.#client.answer(this.#channel.basicCancel(this.tag)).catch(() => {})
  }

  async close(): Promise<void> {
    this.#client.detach(this.#channel)
    if (this.#channel.closed) return
    await this.#client.answer(this.#channel.close()).catch(() => {})
  }
}

/** In the place of a message that nobody gets to see. */
const UNREADABLE: Message = {
  ...{ exchange: '', routingKey: '', contentType: '', contentEncoding: '', headers: undefined },
  ...{ deliveryMode: 0, priority: -1, correlationId: '', replyTo: '', expiration: '' },
  ...{ redelivered: false, body: Buffer.alloc(0) },
}

class RabbitDelivery extends Unsettled implements Delivery {
  readonly message: Message
  readonly #reader: DeliveryReader

  constructor(message: Message, tag: number, reader: DeliveryReader) {
    super(tag)
    this.message = message
    this.#reader = reader
  }

  acknowledge(): void {
    this.#reader.acknowledge(this)
  }

  release(): void {
    this.#reader.requeue(this)
  }
}
