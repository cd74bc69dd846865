import type { Broker } from '../call/index.ts'
import { openConnection } from './connection.ts'
import { MemoryBus, notFound } from './memory-bus.ts'
import type { MemoryConsumer, MemoryQueue } from './memory-queue.ts'
import type { Message } from './message.ts'
import type {
  ConsumeOptions,
  Consumption,
  Exchange,
  PublishOptions,
  Queue,
  QueueLength,
  Receipt,
  Transport,
  TransportEvents,
} from './transport.ts'

export interface MemoryOptions {
  /** Messages a queue holds; calls beyond it fail as `overloaded`. @default 100000 */
  readonly maxQueueLength?: number
  /** Calls of one connection that wait for their replies; more fail as `overloaded`. @default 65536 */
  readonly maxPendingCalls?: number
}

/**
 * A broker in this process, for tests and for services that share one. All connections made from one
 * `memory()` meet on it; every message goes through the same wire codec as on RabbitMQ.
 */
export function memory(options: MemoryOptions = {}): Broker {
  const { maxQueueLength = 100_000, maxPendingCalls = 65_536 } = options
  return memoryOn(new MemoryBus(maxQueueLength), maxPendingCalls)
}

/** The broker of a bus that is known, so that messages can reach it by other ways too. */
export function memoryOn(bus: MemoryBus, maxPendingCalls = 65_536): Broker {
  return {
    name: 'memory',
    connect: (connectOptions) =>
      openConnection(
        connectOptions,
        { maxPendingCalls },
        async (events) => new MemoryTransport(bus, events),
      ),
  }
}

/** A connection to a bus. It is never lost, only closed. */
export class MemoryTransport implements Transport {
  readonly address = 'memory'
  readonly #bus: MemoryBus
  readonly #events: TransportEvents
  readonly #consumers = new Set<MemoryConsumer>()
  readonly #exclusive = new Set<MemoryQueue>()
  #closed = false

  constructor(bus: MemoryBus, events: TransportEvents) {
    this.#bus = bus
    this.#events = events
  }

  get up(): boolean {
    return !this.#closed
  }

  async declareExchange(exchange: Exchange): Promise<void> {
    this.#bus.declareExchange(exchange)
  }

  async findExchange(name: string): Promise<void> {
    this.#bus.findExchange(name)
  }

  async declareQueue(queue: Queue): Promise<void> {
    this.#declare(queue).used()
  }

  async findQueue(name: string): Promise<QueueLength> {
    return this.#bus.findQueue(name)
  }

  publish(message: Message, { mandatory, confirm }: PublishOptions, receipt: Receipt): void {
    if (this.#closed) {
      receipt.failed('lost', 'the connection is closed')
      return
    }
    const outcome = this.#bus.route(message)
    if (outcome === 'taken' && !confirm) return
    this.#bus.later(() => {
      if (this.#closed) return
      if (outcome === 'full') {
        receipt.failed('refused', `a queue for ${message.routingKey} is full`)
        return
      }
      if (outcome === 'no_exchange') {
        receipt.failed('no_exchange', notFound(message.exchange))
        this.#events.noExchange?.(message.exchange)
        return
      }
      if (outcome === 'returned' && mandatory) this.#events.returned(message)
      if (confirm) receipt.confirmed()
    })
  }

  async consume(declaration: Queue, options: ConsumeOptions): Promise<Consumption> {
    if (this.#closed) throw new Error('the connection is closed')
    const queue = this.#declare(declaration)
    const consumer = queue.consume(options)
    this.#consumers.add(consumer)
    return {
      queue: declaration.name,
      cancel: () => consumer.cancel(),
      close: async () => {
        this.#consumers.delete(consumer)
        await consumer.close()
      },
    }
  }

  #declare(declaration: Queue): MemoryQueue {
    const queue = this.#bus.declareQueue(declaration, this)
    if (declaration.exclusive) this.#exclusive.add(queue)
    return queue
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const consumer of this.#consumers) await consumer.close()
    for (const queue of this.#exclusive) this.#bus.remove(queue)
  }
}
