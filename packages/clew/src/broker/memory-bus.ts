import { MemoryExchange } from './memory-exchange.ts'
import { MemoryQueue, type QueueOwner } from './memory-queue.ts'
import type { Message } from './message.ts'
import type { Exchange, Queue, QueueLength } from './transport.ts'

const PREDECLARED = ['topic', 'direct', 'fanout', 'headers'] as const

/** Exchanges and queues of one broker in memory. */
export class MemoryBus implements QueueOwner {
  readonly #maxQueueLength: number
  readonly #exchanges = new Map<string, MemoryExchange>()
  readonly #queues = new Map<string, MemoryQueue>()
  /** Of exclusive queues. */
  readonly #owners = new WeakMap<MemoryQueue, object>()
  #work: (() => void)[] = []
  #draining: MemoryQueue[] = []
  #awake = false

  constructor(maxQueueLength: number) {
    this.#maxQueueLength = maxQueueLength
    for (const type of PREDECLARED) this.declareExchange({ name: `amq.${type}`, type })
  }

  /** @throws Error when the exchange exists with other properties */
  declareExchange(declaration: Exchange): void {
    const { name } = declaration
    if (name === '') throw new Error('ACCESS_REFUSED - the default exchange is not declared')
    const known = this.#exchanges.get(name)
    if (known === undefined) {
      this.#exchanges.set(name, new MemoryExchange(declaration))
      return
    }
    refuseOther(`exchange ${name}`, known.declaration, declaration, {
      type: '',
      durable: true,
      autoDelete: false,
    })
  }

  /** @throws Error when there is no such exchange */
  findExchange(name: string): void {
    if (name !== '' && !this.#exchanges.has(name)) throw new Error(notFound(name))
  }

  /** @throws Error when there is no such queue */
  findQueue(name: string): QueueLength {
    const queue = this.#queues.get(name)
    if (queue === undefined) throw new Error(`NOT_FOUND - no queue ${name}`)
    return { messages: queue.length, consumers: queue.consumers }
  }

  /**
   * @param owner the connection that asks
   * @throws Error when the queue exists with other properties, or is another connection's own
   */
  declareQueue(declaration: Queue, owner: object): MemoryQueue {
    const { name, exchange } = declaration
    if (exchange !== undefined) {
      if (declaration.declareExchange === false) this.findExchange(exchange.name)
      else this.declareExchange(exchange)
    }
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new MemoryQueue(declaration, this, this.#maxQueueLength)
      this.#queues.set(name, queue)
      if (declaration.exclusive) this.#owners.set(queue, owner)
    } else if (queue.declaration.exclusive && this.#owners.get(queue) !== owner) {
      throw new Error(`RESOURCE_LOCKED - queue ${name} is exclusive to another connection`)
    } else {
      const properties = { durable: true, exclusive: false, autoDelete: false, arguments: {} }
      refuseOther(`queue ${name}`, queue.declaration, declaration, properties)
    }
    if (exchange !== undefined) this.#exchanges.get(exchange.name)?.bind(queue, declaration)
    return queue
  }

  remove(queue: MemoryQueue): void {
    const { name } = queue.declaration
    if (this.#queues.get(name) !== queue) return
    this.#queues.delete(name)
    queue.removed()
    for (const exchange of this.#exchanges.values()) {
      if (!exchange.isBound) continue
      exchange.unbind(queue)
      const { autoDelete, name: exchangeName } = exchange.declaration
      if (autoDelete && !exchange.isBound) this.#exchanges.delete(exchangeName)
    }
  }

  /** Routes a message: `returned` when no queue wants it, `full` when one has no room for it. */
  route(message: Message): 'taken' | 'returned' | 'full' | 'no_exchange' {
    if (message.exchange === '') {
      const queue = this.#queues.get(message.routingKey)
      if (queue === undefined) return 'returned'
      if (queue.isFull) return 'full'
      queue.push(message)
      return 'taken'
    }
    const exchange = this.#exchanges.get(message.exchange)
    if (exchange === undefined) return 'no_exchange'
    const queues = exchange.route(message)
    if (queues === undefined) return 'returned'
    for (const queue of queues) if (queue.isFull) return 'full'
    for (const queue of queues) queue.push(message)
    return 'taken'
  }

  schedule(queue: MemoryQueue): void {
    if (queue.scheduled) return
    queue.scheduled = true
    this.#draining.push(queue)
    this.#wake()
  }

  /** Runs in the next turn, before any delivery of it. */
  later(work: () => void): void {
    this.#work.push(work)
    this.#wake()
  }

  // A turn of the event loop between publish and delivery, as with a socket: timers and I/O get
  // their share however many messages there are.
  #wake(): void {
    if (this.#awake) return
    this.#awake = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    this.#awake = false
    const work = this.#work
    this.#work = []
    const draining = this.#draining
    this.#draining = []
    for (const run of work) run()
    for (const queue of draining) {
      queue.scheduled = false
      queue.drain()
    }
  }
}

export function notFound(exchange: string): string {
  return `NOT_FOUND - no exchange '${exchange}'`
}

// In RabbitMQ's words, so that those above tell refusals apart in one way.
function refuseOther(
  what: string,
  known: object,
  declared: object,
  defaults: Readonly<Record<string, unknown>>,
): void {
  for (const [property, byDefault] of Object.entries(defaults)) {
    const is = (known as Record<string, unknown>)[property] ?? byDefault
    const wanted = (declared as Record<string, unknown>)[property] ?? byDefault
    if (canonical(is) === canonical(wanted)) continue
    const text = `inequivalent arg '${property}' for ${what}: received ${canonical(wanted)} but current is ${canonical(is)}`
    throw new Error(`PRECONDITION_FAILED - ${text}`)
  }
}

function canonical(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : String(value)
}
