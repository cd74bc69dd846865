import type { Message } from './message.ts'
import type { ConsumeOptions, Consumption, Delivery, Queue } from './transport.ts'

interface Waiting {
  readonly message: Message
  /** On the monotonic clock. */
  readonly expiresAt: number
}

/** What a queue needs of the bus it belongs to. */
export interface QueueOwner {
  /** Calls `queue.drain()` soon, in a turn of its own. */
  schedule(queue: MemoryQueue): void
  remove(queue: MemoryQueue): void
}

/** A queue in memory, with RabbitMQ's manners: in order, round robin, redelivery, expiry. */
export class MemoryQueue {
  readonly declaration: Queue
  /** Set by the bus while a drain is on its way. */
  scheduled = false
  readonly #owner: QueueOwner
  // Messages before `#head` are gone; the array is cut when most of it is.
  #waiting: (Waiting | undefined)[] = []
  #head = 0
  readonly #consumers: MemoryConsumer[] = []
  #turn = 0
  #expiry: NodeJS.Timeout | undefined

  constructor(declaration: Queue, owner: QueueOwner) {
    this.declaration = declaration
    this.#owner = owner
  }

  get length(): number {
    return this.#waiting.length - this.#head
  }

  push(message: Message): void {
    const expiresAt =
      message.expiration === ''
        ? Number.POSITIVE_INFINITY
        : performance.now() + Number(message.expiration)
    this.#waiting.push({ message, expiresAt })
    this.#owner.schedule(this)
  }

  /** Puts unacknowledged messages back where they came from. */
  putBack(messages: readonly Message[]): void {
    const again = messages.map((message) => ({
      message: { ...message, redelivered: true },
      expiresAt: Number.POSITIVE_INFINITY,
    }))
    this.#waiting = again.concat(this.#waiting.slice(this.#head) as Waiting[])
    this.#head = 0
    this.#owner.schedule(this)
  }

  consume(options: ConsumeOptions): MemoryConsumer {
    clearTimeout(this.#expiry)
    const consumer = new MemoryConsumer(this, options)
    this.#consumers.push(consumer)
    this.#owner.schedule(this)
    return consumer
  }

  /** Delivers what can be delivered now. */
  drain(): void {
    while (this.#head < this.#waiting.length) {
      const consumer = this.#nextConsumer()
      if (consumer === undefined) return
      const waiting = this.#waiting[this.#head]!
      this.#waiting[this.#head++] = undefined
      if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#head)
        this.#head = 0
      }
      if (waiting.expiresAt > performance.now()) consumer.deliver(waiting.message)
    }
  }

  #nextConsumer(): MemoryConsumer | undefined {
    for (let tried = 0; tried < this.#consumers.length; tried++) {
      this.#turn = (this.#turn + 1) % this.#consumers.length
      const consumer = this.#consumers[this.#turn]!
      if (consumer.hasRoom) return consumer
    }
    return undefined
  }

  schedule(): void {
    if (this.length > 0) this.#owner.schedule(this)
  }

  left(consumer: MemoryConsumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index < 0) return
    this.#consumers.splice(index, 1)
    if (this.#consumers.length > 0) return
    const { autoDelete, expiresMs } = this.declaration
    if (autoDelete) this.#owner.remove(this)
    else if (expiresMs !== undefined) {
      this.#expiry = setTimeout(() => this.#owner.remove(this), expiresMs).unref()
    }
  }
}

/** One consumer of a queue in memory. */
export class MemoryConsumer implements Consumption {
  readonly #queue: MemoryQueue
  readonly #options: ConsumeOptions
  readonly #unacknowledged = new Set<MemoryDelivery>()
  #cancelled = false
  #closed = false

  constructor(queue: MemoryQueue, options: ConsumeOptions) {
    this.#queue = queue
    this.#options = options
  }

  get hasRoom(): boolean {
    const { prefetch } = this.#options
    return !this.#cancelled && (prefetch === 0 || this.#unacknowledged.size < prefetch)
  }

  deliver(message: Message): void {
    const delivery = new MemoryDelivery(message, this)
    if (this.#options.acknowledge !== 'never') this.#unacknowledged.add(delivery)
    this.#options.take(delivery)
  }

  settle(delivery: MemoryDelivery, release: boolean): void {
    if (!this.#unacknowledged.delete(delivery)) return
    if (release) this.#queue.putBack([delivery.message])
    else this.#queue.schedule()
  }

  async cancel(): Promise<void> {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#queue.left(this)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.cancel()
    const messages = Array.from(this.#unacknowledged, ({ message }) => message)
    this.#unacknowledged.clear()
    if (messages.length > 0) this.#queue.putBack(messages)
  }
}

class MemoryDelivery implements Delivery {
  readonly message: Message
  readonly #consumer: MemoryConsumer

  constructor(message: Message, consumer: MemoryConsumer) {
    this.message = message
    this.#consumer = consumer
  }

  acknowledge(): void {
    this.#consumer.settle(this, false)
  }

  release(): void {
    this.#consumer.settle(this, true)
  }
}
