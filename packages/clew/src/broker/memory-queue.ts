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
  /** Takes a message that died here, for where dead letters go. */
  route(message: Message): unknown
}

const LONGEST_TIMER_MS = 0x7fffffff

/**
 * A queue in memory, with RabbitMQ's manners: in order, round robin, redelivery, expiry, dead
 * letters. Of the arguments it obeys `x-message-ttl`, `x-expires`, `x-max-length`, `x-overflow`,
 * `x-dead-letter-exchange` and `x-dead-letter-routing-key`.
 */
export class MemoryQueue {
  readonly declaration: Queue
  /** Set by the bus while a drain is on its way. */
  scheduled = false
  readonly #owner: QueueOwner
  readonly #maxLength: number
  /** Beyond this the oldest make room. */
  readonly #keptLength: number
  readonly #ttlMs: number
  // Messages before `#head` are gone; the array is cut when most of it is.
  #waiting: (Waiting | undefined)[] = []
  #head = 0
  readonly #consumers: MemoryConsumer[] = []
  #turn = 0
  #disuse: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  /** Whose expiry is awaited. */
  #expiring: Waiting | undefined

  constructor(declaration: Queue, owner: QueueOwner, maxLength: number) {
    this.declaration = declaration
    this.#owner = owner
    const kept = this.#argument('x-max-length')
    const rejects = String(declaration.arguments?.['x-overflow']).startsWith('reject-publish')
    this.#maxLength = rejects ? Math.min(maxLength, kept) : maxLength
    this.#keptLength = rejects ? maxLength : kept
    this.#ttlMs = this.#argument('x-message-ttl')
    this.used()
  }

  #argument(name: string): number {
    const value = this.declaration.arguments?.[name]
    return typeof value === 'number' ? value : Number.POSITIVE_INFINITY
  }

  get length(): number {
    return this.#waiting.length - this.#head
  }

  get consumers(): number {
    return this.#consumers.length
  }

  get isFull(): boolean {
    return this.length >= this.#maxLength
  }

  push(message: Message): void {
    const ttlMs =
      message.expiration === '' ? this.#ttlMs : Math.min(this.#ttlMs, Number(message.expiration))
    this.#waiting.push({ message, expiresAt: performance.now() + ttlMs })
    if (this.length > this.#keptLength) this.#bury(this.#shift().message)
    this.#owner.schedule(this)
  }

  /** Puts unacknowledged messages back where they came from. */
  putBack(waiting: readonly Waiting[]): void {
    const again: (Waiting | undefined)[] = waiting.map(({ message, expiresAt }) => ({
      message: { ...message, redelivered: true },
      expiresAt,
    }))
    this.#waiting = again.concat(this.#waiting.slice(this.#head))
    this.#head = 0
    this.#owner.schedule(this)
  }

  consume(options: ConsumeOptions): MemoryConsumer {
    clearTimeout(this.#disuse)
    const consumer = new MemoryConsumer(this, options)
    this.#consumers.push(consumer)
    this.#owner.schedule(this)
    return consumer
  }

  /** Delivers what can be delivered now. */
  drain(): void {
    while (this.#head < this.#waiting.length) {
      const waiting = this.#waiting[this.#head]!
      const expired = waiting.expiresAt <= performance.now()
      const consumer = expired ? undefined : this.#nextConsumer()
      if (!expired && consumer === undefined) break
      this.#shift()
      if (consumer === undefined) this.#bury(waiting.message)
      else consumer.deliver(waiting)
    }
    this.#awaitExpiry()
  }

  /** Takes out the first; there must be one. */
  #shift(): Waiting {
    const first = this.#waiting[this.#head]!
    this.#waiting[this.#head++] = undefined
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return first
  }

  // As at RabbitMQ, a message expires when it has come to the head of its queue.
  #awaitExpiry(): void {
    const first = this.#waiting[this.#head]
    if (first === this.#expiring) return
    clearTimeout(this.#expiry)
    this.#expiring = first
    if (first === undefined || first.expiresAt === Number.POSITIVE_INFINITY) return
    const waitMs = Math.min(LONGEST_TIMER_MS, Math.max(0, first.expiresAt - performance.now()))
    this.#expiry = setTimeout(() => {
      this.#expiring = undefined
      this.drain()
    }, Math.ceil(waitMs)).unref()
  }

  #bury(message: Message): void {
    const exchange = this.declaration.arguments?.['x-dead-letter-exchange']
    if (typeof exchange !== 'string') return
    const key = this.declaration.arguments?.['x-dead-letter-routing-key']
    const routingKey = typeof key === 'string' ? key : message.routingKey
    this.#owner.route({ ...message, exchange, routingKey, expiration: '', redelivered: false })
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
    if (this.declaration.autoDelete) this.#owner.remove(this)
    else this.used()
  }

  /** Declared or left by its last consumer: from now on nobody uses it. */
  used(): void {
    clearTimeout(this.#disuse)
    const expiresMs = this.#argument('x-expires')
    if (this.#consumers.length > 0 || expiresMs > LONGEST_TIMER_MS) return
    this.#disuse = setTimeout(() => this.#owner.remove(this), expiresMs).unref()
  }

  /** The bus knows it no more; what waited is gone with it. */
  removed(): void {
    clearTimeout(this.#disuse)
    clearTimeout(this.#expiry)
    this.#waiting = []
    this.#head = 0
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

  get queue(): string {
    return this.#queue.declaration.name
  }

  get hasRoom(): boolean {
    const { prefetch } = this.#options
    return !this.#cancelled && (prefetch === 0 || this.#unacknowledged.size < prefetch)
  }

  deliver(waiting: Waiting): void {
    const delivery = new MemoryDelivery(waiting, this)
    if (this.#options.acknowledge !== 'never') this.#unacknowledged.add(delivery)
    this.#options.take(delivery)
  }

  settle(delivery: MemoryDelivery, release: boolean): void {
    if (!this.#unacknowledged.delete(delivery)) return
    if (release) this.#queue.putBack([delivery.waiting])
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
    const again = Array.from(this.#unacknowledged, ({ waiting }) => waiting)
    this.#unacknowledged.clear()
    if (again.length > 0) this.#queue.putBack(again)
  }
}

class MemoryDelivery implements Delivery {
  readonly waiting: Waiting
  readonly #consumer: MemoryConsumer

  constructor(waiting: Waiting, consumer: MemoryConsumer) {
    this.waiting = waiting
    this.#consumer = consumer
  }

  get message(): Message {
    return this.waiting.message
  }

  acknowledge(): void {
    this.#consumer.settle(this, false)
  }

  release(): void {
    this.#consumer.settle(this, true)
  }
}
