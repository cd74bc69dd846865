// For tests only: services with sockets on a free port, and clients that keep what they are told.
import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'
import type { LogEvent } from '../call/index.ts'
import { type RunOptions, run } from '../container/index.ts'
import { HttpServer } from '../http/index.ts'
import type { ServiceClass } from '../service/index.ts'

/** Runs services with sockets on a free port of this machine. */
export async function serve(services: ServiceClass | readonly ServiceClass[], options: RunOptions) {
  const { config, ...rest } = options
  const log: LogEvent[] = []
  const running = await run(services, {
    signals: false,
    log: (event) => log.push(event),
    config: { ...config, http: { host: '127.0.0.1', port: 0 } },
    ...rest,
  })
  const { url } = running.shared(HttpServer)
  return {
    running,
    log,
    url,
    socketUrl: `${url.replace('http', 'ws')}/ws`,
    [Symbol.asyncDispose]: () => running.stop(),
  }
}

/** How a socket ended. */
export interface Ending {
  readonly code: number
  readonly reason: string
}

/** A real client. */
export class Client {
  readonly socket: WebSocket
  readonly frames: string[] = []
  readonly closed: Promise<Ending>
  readonly #wakers = new Set<() => void>()
  #ended = false

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (content) => {
      this.frames.push(String(content))
      this.#wake()
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#ended = true
        this.#wake()
        resolve({ code, reason: String(reason) })
      })
    })
  }

  /** Connects, and takes the `connected` event. */
  static async open(
    url: string,
    options: ClientOptions = {},
    protocols: string[] = [],
  ): Promise<{ client: Client; id: string }> {
    const client = new Client(new WebSocket(url, protocols, options))
    const first = (await client.next()) as { data: { socket_id: string } }
    return { client, id: first.data.socket_id }
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** The oldest frame not yet taken. @throws Error when the socket closes before */
  async nextText(): Promise<string> {
    while (this.frames.length === 0) {
      if (this.#ended) throw new Error('the socket closed before a frame came')
      await new Promise<void>((resolve) => this.#wakers.add(resolve))
    }
    return this.frames.shift()!
  }

  async next(): Promise<unknown> {
    return JSON.parse(await this.nextText())
  }

  async ask(frame: unknown): Promise<unknown> {
    this.send(frame)
    return this.next()
  }

  /** Everything that comes before the answer to a frame of its own that nothing overtakes. */
  async settled(): Promise<readonly string[]> {
    const mark = `mark ${Math.random()}`
    this.send({ method: 'no such method', correlation_id: mark })
    const came: string[] = []
    for (;;) {
      const text = await this.nextText()
      if (text.includes(mark)) return came
      came.push(text)
    }
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }

  #wake(): void {
    for (const wake of this.#wakers) wake()
    this.#wakers.clear()
  }
}

/** The status with which an upgrade is refused. @throws Error when it is not */
export async function refusal(url: string, options: ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options)
  socket.on('error', () => {})
  const accepted = once(socket, 'open').then(() => {
    throw new Error('the socket was let in')
  })
  const [, response] = await Promise.race([once(socket, 'unexpected-response'), accepted])
  socket.terminate()
  return (response as { statusCode: number }).statusCode
}
