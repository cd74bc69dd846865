import { MemoryQueue, type QueueOwner } from './memory-queue.ts'
import type { Message } from './message.ts'
import type { Exchange, Queue } from './transport.ts'

/** Queues of an exchange by what they are bound with: a whole key, or `{prefix}.*`. */
interface Bindings {
  readonly exact: Map<string, Set<MemoryQueue>>
  readonly prefixes: Map<string, Set<MemoryQueue>>
}

/** Exchanges and queues of one broker in memory. */
export class MemoryBus implements QueueOwner {
  readonly #maxQueueLength: number
  readonly #exchanges = new Map<string, Bindings>()
  readonly #queues = new Map<string, MemoryQueue>()
  #work: (() => void)[] = []
  #draining: MemoryQueue[] = []
  #awake = false

  constructor(maxQueueLength: number) {
    this.#maxQueueLength = maxQueueLength
  }

  declareExchange({ name }: Exchange): void {
    if (!this.#exchanges.has(name)) {
      this.#exchanges.set(name, { exact: new Map(), prefixes: new Map() })
    }
  }

  /** @throws Error when the queue exists with other properties */
  declareQueue(declaration: Queue): MemoryQueue {
    this.declareExchange(declaration.exchange)
    let queue = this.#queues.get(declaration.name)
    if (queue === undefined) {
      queue = new MemoryQueue(declaration, this)
      this.#queues.set(declaration.name, queue)
    } else if (queue.declaration.durable !== declaration.durable || declaration.exclusive) {
      throw new Error(`queue ${declaration.name} exists already, declared otherwise`)
    }
    const { map, key } = this.#binding(declaration)
    const bound = map.get(key)
    if (bound === undefined) map.set(key, new Set([queue]))
    else bound.add(queue)
    return queue
  }

  #binding({ exchange, bindingKey }: Queue) {
    const { exact, prefixes } = this.#exchanges.get(exchange.name)!
    const isPattern = exchange.type === 'topic' && bindingKey.endsWith('.*')
    return isPattern
      ? { map: prefixes, key: bindingKey.slice(0, -2) }
      : { map: exact, key: bindingKey }
  }

  remove(queue: MemoryQueue): void {
    const { declaration } = queue
    if (this.#queues.get(declaration.name) !== queue) return
    this.#queues.delete(declaration.name)
    const { map, key } = this.#binding(declaration)
    const bound = map.get(key)
    bound?.delete(queue)
    if (bound?.size === 0) map.delete(key)
  }

  /** Routes a message: `returned` when no queue wants it, `full` when one has no room for it. */
  route(message: Message): 'taken' | 'returned' | 'full' {
    const bindings = this.#exchanges.get(message.exchange)
    if (bindings === undefined) return 'returned'
    const exact = bindings.exact.get(message.routingKey)
    const dot = message.routingKey.lastIndexOf('.')
    const prefixed = dot < 0 ? undefined : bindings.prefixes.get(message.routingKey.slice(0, dot))
    if (exact === undefined && prefixed === undefined) return 'returned'
    for (const queues of [exact, prefixed]) {
      if (queues === undefined) continue
      for (const queue of queues) if (queue.length >= this.#maxQueueLength) return 'full'
    }
    for (const queues of [exact, prefixed]) {
      if (queues === undefined) continue
      for (const queue of queues) queue.push(message)
    }
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
