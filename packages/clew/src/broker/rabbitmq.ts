import { hostname } from 'node:os'
import type { Broker, ConnectOptions } from '../call/index.ts'
import { openConnection } from './connection.ts'
import type { LoginMethod } from './login.ts'
import type { Message } from './message.ts'
import { type RabbitAddress, readAddress, type TlsOptions } from './rabbit-address.ts'
import { RabbitConsumers } from './rabbit-consumer.ts'
import { RabbitDeclarations } from './rabbit-declarations.ts'
import { RabbitLink } from './rabbit-link.ts'
import { RabbitPublisher } from './rabbit-publisher.ts'
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

export interface RabbitmqOptions {
  /** Keys and authorities for `amqps:`. @default Node's own authorities */
  readonly tls?: TlsOptions
  /** How user and password are told, or `EXTERNAL`: the certificate tells. @default 'PLAIN' */
  readonly loginMethod?: LoginMethod
  /** Seconds between signs of life; two silent intervals end a connection. @default 10 */
  readonly heartbeatSeconds?: number
  /** Milliseconds to wait for a connection to be established. @default 10000 */
  readonly connectTimeoutMs?: number
  /** Calls of one connection that wait for their replies; more fail as `overloaded`. @default 65536 */
  readonly maxPendingCalls?: number
  /** Bodies larger than this are refused here: the broker would close the channel. @default 134217728, RabbitMQ's own */
  readonly maxMessageBytes?: number
}

const DEFAULTS = {
  tls: undefined,
  loginMethod: 'PLAIN',
  heartbeatSeconds: 10,
  connectTimeoutMs: 10_000,
  maxPendingCalls: 65_536,
  maxMessageBytes: 128 * 1024 * 1024,
} as const

/**
 * RabbitMQ at an address such as `amqp://user:password@host:5672/vhost`.
 * Every connection is two: one to publish, one to consume, because a broker short of memory stops
 * reading from those who publish. Both come back by themselves when they are lost.
 * @throws ConfigError when the address cannot be read
 */
export function rabbitmq(address: string, options: RabbitmqOptions = {}): Broker {
  const { heartbeatSeconds, maxPendingCalls } = { ...DEFAULTS, ...options }
  const { shown } = readAddress(address, heartbeatSeconds, 'clew')
  return {
    name: shown,
    connect: (connectOptions) =>
      openConnection(connectOptions, { maxPendingCalls }, (events) => {
        const named = readAddress(address, heartbeatSeconds, connectionName(connectOptions))
        return openTransport(named, options, events)
      }),
  }
}

// What operators see in RabbitMQ's list of connections.
function connectionName({ owner }: ConnectOptions): string {
  return `clew ${owner ?? 'client'} ${hostname()}:${process.pid}`
}

type Settings = Required<Omit<RabbitmqOptions, 'tls'>> & { readonly tls: TlsOptions | undefined }

/** The two connections behind one of the broker's; also for tests that send bare messages. */
export async function openTransport(
  address: RabbitAddress,
  options: RabbitmqOptions,
  events: TransportEvents,
): Promise<Transport> {
  const transport = new RabbitTransport(address, { ...DEFAULTS, ...options }, events)
  await transport.open()
  return transport
}

class RabbitTransport implements Transport {
  readonly address: string
  readonly #events: TransportEvents
  readonly #publisher: RabbitPublisher
  readonly #consumers: RabbitConsumers
  readonly #declarations: RabbitDeclarations
  readonly #publishing: RabbitLink
  readonly #consuming: RabbitLink
  #closed = false

  constructor(address: RabbitAddress, settings: Settings, events: TransportEvents) {
    this.address = address.shown
    this.#events = events
    this.#publisher = new RabbitPublisher(events, settings.maxMessageBytes)
    this.#declarations = new RabbitDeclarations(events.problem)
    this.#consumers = new RabbitConsumers(this.#declarations, events.problem)
    const { tls, loginMethod, connectTimeoutMs } = settings
    const shared = { address, tls, loginMethod, connectTimeoutMs, problem: events.problem }
    this.#publishing = new RabbitLink({
      ...shared,
      prepare: (client) => this.#publisher.prepare(client),
      ready: (client) => {
        this.#publisher.ready(client)
        this.#ready()
      },
      down: (reason) => {
        this.#publisher.lost(reason)
        events.down(reason)
      },
    })
    this.#consuming = new RabbitLink({
      ...shared,
      prepare: (client) => this.#consumers.prepare(client),
      ready: (client) => {
        this.#consumers.ready(client)
        this.#ready()
      },
      down: (reason) => {
        this.#consumers.lost()
        events.down(reason)
      },
    })
  }

  get up(): boolean {
    return this.#publishing.client !== undefined && this.#consuming.client !== undefined
  }

  async open(): Promise<void> {
    const outcomes = await Promise.allSettled([this.#publishing.open(), this.#consuming.open()])
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      await this.close()
      throw outcome.reason
    }
  }

  #ready(): void {
    if (this.up) this.#events.restored()
  }

  declareExchange(exchange: Exchange): Promise<void> {
    return this.#declarations.declareExchange(exchange)
  }

  findExchange(name: string): Promise<void> {
    return this.#declarations.findExchange(name)
  }

  findQueue(name: string): Promise<QueueLength> {
    return this.#declarations.findQueue(name)
  }

  declareQueue(queue: Queue): Promise<void> {
    return this.#declarations.declareQueue(queue)
  }

  publish(message: Message, options: PublishOptions, receipt: Receipt): void {
    if (this.#closed) receipt.failed('lost', 'the connection is closed')
    else this.#publisher.publish(message, options, receipt)
  }

  consume(queue: Queue, options: ConsumeOptions): Promise<Consumption> {
    return this.#consumers.consume(queue, options)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#publisher.close()
    this.#consumers.close()
    await Promise.all([this.#publishing.close(), this.#consuming.close()])
  }
}
