import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { FrameCounter, type Traffic, together } from './amqp-traffic.ts'

/** Nothing has passed for so long: what was under way has arrived. */
const QUIET_MS = 4

/** Stands between clients and a RabbitMQ and counts the frames that pass, in both directions. */
export class CountingProxy implements AsyncDisposable {
  readonly #upstream: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #counters: FrameCounter[] = []
  #passed = 0

  private constructor(upstream: URL) {
    this.#upstream = upstream
    this.#server = createServer((client) => this.#accept(client))
  }

  static async open(upstream: string): Promise<CountingProxy> {
    const proxy = new CountingProxy(new URL(upstream))
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    return proxy
  }

  /** The upstream's address by way of this proxy. */
  get url(): string {
    const url = new URL(this.#upstream)
    const address = this.#server.address()
    url.hostname = '127.0.0.1'
    url.port = String(typeof address === 'object' ? address?.port : '')
    return url.href
  }

  /** What has passed so far, both directions of all connections. */
  get traffic(): Traffic {
    const nothing: Traffic = { frames: 0, bytes: 0, methods: {} }
    return this.#counters.map(({ traffic }) => traffic).reduce(together, nothing)
  }

  /** Resolves when nothing has passed for a moment. */
  async quiet(): Promise<void> {
    for (let seen = -1; seen !== this.#passed; ) {
      seen = this.#passed
      await setTimeout(QUIET_MS)
    }
  }

  #accept(client: Socket): void {
    const { port, hostname } = this.#upstream
    const server = tcpConnect(Number(port) || 5672, hostname)
    this.#pass(client, server, true)
    this.#pass(server, client, false)
  }

  #pass(from: Socket, to: Socket, greeted: boolean): void {
    const counter = new FrameCounter(greeted)
    this.#counters.push(counter)
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      this.#passed++
      counter.take(chunk)
      to.write(chunk)
    })
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
