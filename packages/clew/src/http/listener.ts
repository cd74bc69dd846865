import {
  createServer,
  type IncomingMessage,
  METHODS,
  type Server,
  type ServerResponse,
} from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { ConfigError } from '../call/index.ts'
import { announcesTooMuch, boundedBody, hasBody } from './body.ts'
import { BodyTooLarge, responseFromFailure } from './failure.ts'
import { page } from './pages.ts'
import { BodyFailed, send } from './send.ts'
import type { HttpSettings } from './settings.ts'

/** Somebody who connects all the time must not keep a server from its end. */
const LONGEST_TAKING_MS = 1000
/** The grace for idle connections begins anew with each request, but not for ever. */
const MOST_GRACES = 20

/** Takes a connection over, as WebSocket does: the path's handler owns the socket from then on. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface ListenerOptions {
  readonly settings: HttpSettings
  /** Answers a request. */
  readonly answer: (request: Request) => Promise<Response>
  /** What takes connections of this path over. */
  readonly upgrade: (path: string) => UpgradeHandler | undefined
  /** Told of what no client is told. */
  readonly failed: (message: string, error: unknown) => void
}

/**
 * The sockets: Node's server with every limit set, requests and responses made Web-standard, and an
 * end that breaks off no request.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  /** Responses that are being made or sent. */
  readonly #running = new Set<ServerResponse>()
  /** Open connections that were not upgraded, with how many responses each has running. */
  readonly #connections = new Map<Duplex, number>()
  #accepted = 0
  #asked = 0
  #draining: Promise<void> | undefined
  #changed: () => void = () => {}

  constructor(options: ListenerOptions) {
    this.#options = options
    const { settings } = options
    this.#server = createServer({
      maxHeaderSize: settings.maxHeaderBytes,
      headersTimeout: Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs),
      requestTimeout: settings.requestTimeoutMs,
      keepAliveTimeout: settings.idleTimeoutMs,
      connectionsCheckingInterval: checkingInterval(settings),
      noDelay: true,
      // Known to newer versions of Node; older ones bring every upgrade to the handler.
      shouldUpgradeCallback: ({ url }) => options.upgrade(pathOf(url)) !== undefined,
    })
    this.#server.maxConnections = settings.maxConnections
    this.#server.setTimeout(settings.stallTimeoutMs, (socket) => this.#stalled(socket))
    this.#server.on('connection', (socket) => this.#connected(socket))
    this.#server.on('request', (incoming, outgoing) => this.#requested(incoming, outgoing))
    this.#server.on('upgrade', (...upgrade) => this.#upgraded(...upgrade))
  }

  /** Where it listens. @throws Error before it does */
  get address(): { readonly host: string; readonly port: number } {
    const bound = this.#server.address() as { address: string; port: number } | null
    if (bound === null) throw new Error('the web server does not listen')
    return { host: bound.address, port: bound.port }
  }

  /** @throws ConfigError when the address cannot be had */
  async listen(): Promise<void> {
    const { host, port } = this.#options.settings
    const server = this.#server
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(error, host, port)))
      server.listen({ host, port }, resolve)
    })
    server.removeAllListeners('error')
    server.on('error', (error) => this.#options.failed('the web server has trouble', error))
  }

  /** Takes no more connections; resolves when every response was sent, and all connections are closed. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain()
    return this.#draining
  }

  async #drain(): Promise<void> {
    if (!this.#server.listening) return
    await this.#takeWaiting()
    // Node's own `close` would cut idle connections off, whose next request may be on its way.
    NetServer.prototype.close.call(this.#server)
    for (const outgoing of this.#running) lastOnItsConnection(outgoing)
    await this.#unused()
    await this.#quiet()
    this.close()
  }

  /**
   * Resolves when all connections are closed, or none was used for as long as the grace: a client that
   * still sends would next take one of those that are left, just when it is cut off. Each answer closes
   * its connection, so there are fewer of them each time.
   */
  async #unused(): Promise<void> {
    const { idleGraceMs } = this.#options.settings
    const latest = performance.now() + MOST_GRACES * idleGraceMs
    let before: number
    do {
      before = this.#asked
      const grace = Promise.withResolvers<void>()
      const timer = setTimeout(grace.resolve, idleGraceMs)
      await Promise.race([grace.promise, this.#until(() => this.#connections.size === 0)])
      clearTimeout(timer)
    } while (this.#asked !== before && this.#connections.size > 0 && performance.now() < latest)
  }

  /**
   * Resolves when no response is running and no request is waiting to be read. A busy process comes
   * to its timers before its sockets, and would cut off requests that arrived long ago.
   */
  async #quiet(): Promise<void> {
    do {
      await this.#until(() => this.#running.size === 0)
      await nextTurn()
    } while (this.#running.size > 0)
  }

  /**
   * Takes the connections that the system has made and Node has not: it takes one in each turn, and
   * the end of listening resets the others, with requests in them.
   */
  async #takeWaiting(): Promise<void> {
    const until = performance.now() + LONGEST_TAKING_MS
    let before: number
    do {
      before = this.#accepted
      await nextTurn()
    } while (this.#accepted !== before && performance.now() < until)
  }

  /** Cuts everything off. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const before = this.#changed
      this.#changed = () => {
        before()
        resolve()
      }
      await promise
    }
  }

  #told(): void {
    const changed = this.#changed
    this.#changed = () => {}
    changed()
  }

  #connected(socket: Socket): void {
    this.#accepted++
    this.#connections.set(socket, 0)
    socket.once('close', () => this.#gone(socket))
  }

  #gone(socket: Duplex): void {
    if (this.#connections.delete(socket)) this.#told()
  }

  /** No byte moved for long: the client does not read its response, or the connection is idle. */
  #stalled(socket: Socket): void {
    if (socket.writableLength > 0 || !this.#connections.get(socket)) socket.destroy()
  }

  #requested(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming
    this.#asked++
    this.#running.add(outgoing)
    this.#connections.set(socket, (this.#connections.get(socket) ?? 0) + 1)
    if (this.#draining !== undefined) lastOnItsConnection(outgoing)
    outgoing.once('close', () => {
      this.#running.delete(outgoing)
      const running = this.#connections.get(socket)
      if (running !== undefined) this.#connections.set(socket, running - 1)
      this.#told()
    })
    void this.#answer(incoming, outgoing).catch((error) => {
      this.#options.failed('a request could not be answered', error)
      outgoing.destroy()
    })
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const response = await this.#respond(incoming, outgoing)
    const withBody = incoming.method !== 'HEAD'
    try {
      await send(response, outgoing, withBody)
    } catch (error) {
      const { cause, unsent } =
        error instanceof BodyFailed ? error : { cause: error, unsent: false }
      this.#options.failed('the body of a response broke off', cause)
      if (!unsent) outgoing.destroy()
      else await send(responseFromFailure(brokenOff(cause)), outgoing, withBody)
    }
  }

  async #respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response> {
    const { maxBodyBytes } = this.#options.settings
    if (announcesTooMuch(incoming, maxBodyBytes)) {
      lastOnItsConnection(outgoing)
      return responseFromFailure(brokenOff(new BodyTooLarge(maxBodyBytes)))
    }
    const gone = new AbortController()
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort(new Error('the client went away'))
    })
    const request = requestOf(incoming, gone.signal, maxBodyBytes)
    if (request === undefined) return page(400)
    const response = await this.#options.answer(request)
    // What is left of a body that nobody wanted would have to be read before the next request.
    if (!incoming.complete) lastOnItsConnection(outgoing)
    return response
  }

  #upgraded(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const handler = this.#options.upgrade(pathOf(request.url))
    // What is upgraded is meant to last, so a server that stops takes none.
    if (handler === undefined || this.#draining !== undefined) {
      const status = handler === undefined ? '404 Not Found' : '503 Service Unavailable'
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.#gone(socket)
    try {
      handler(request, socket, head)
    } catch (error) {
      this.#options.failed('an upgrade failed', error)
      socket.destroy()
    }
  }
}

/** Resolves after sockets were looked at: the first immediate may be of a turn that had done so. */
async function nextTurn(): Promise<void> {
  await setImmediate()
  await setImmediate()
}

function brokenOff(error: unknown) {
  return { error: error as Error, expected: false, errorTexts: 'expected' } as const
}

function lastOnItsConnection(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.setHeader('connection', 'close')
}

function pathOf(url: string | undefined): string {
  return url?.split('?', 1)[0] ?? '/'
}

/** A host and nothing else: no path, no user. */
const HOST = /^[^\s/?#@\\]+$/u

/** The request as the Web has it; undefined when it names no URL. */
function requestOf(
  incoming: IncomingMessage,
  signal: AbortSignal,
  maxBodyBytes: number,
): Request | undefined {
  const { headers: given, method = 'GET', url: target = '/' } = incoming
  const host = given.host ?? 'localhost'
  const origin = `http://${host}`
  const address = target.startsWith('/') ? `${origin}${target}` : target
  const url = URL.parse(address)
  if (url?.protocol !== 'http:' || !HOST.test(host) || !URL.canParse(origin)) return undefined
  // Whose password that would be nobody knows; and of two hosts a proxy may have judged the other one.
  if (url.username !== '' || url.password !== '' || hostsIn(incoming) > 1) return undefined
  const headers = new Headers()
  const { rawHeaders } = incoming
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  const body = hasBody(incoming) ? boundedBody(incoming, maxBodyBytes) : null
  const known = FORBIDDEN.has(method) ? 'GET' : method
  const request = new Request(url, { method: known, headers, signal, body, duplex: 'half' })
  // Fetch's Request refuses these, but a server has to say that it does not answer them.
  if (known !== method) Object.defineProperty(request, 'method', { value: method })
  return request
}

/** RFC 9112, 3.2: more than one is an error. */
function hostsIn({ headersDistinct }: IncomingMessage): number {
  return headersDistinct.host?.length ?? 0
}

const FORBIDDEN: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT'])

/** Methods that routes may name. */
export const ROUTABLE_METHODS: ReadonlySet<string> = new Set(
  METHODS.filter((method) => !FORBIDDEN.has(method)),
)

function checkingInterval({ headersTimeoutMs, requestTimeoutMs }: HttpSettings): number {
  return Math.max(10, Math.min(1000, Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs) / 4)))
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something listens there already; stop it, or choose another port',
    EACCES: 'this user may not; choose a port above 1023',
    EADDRNOTAVAIL: 'this machine has no such address; choose one of its own, or 0.0.0.0',
    ENOTFOUND: 'there is no host of this name; choose an address of this machine, or 0.0.0.0',
  }
  const reason = advice[error.code ?? ''] ?? error.message
  return new ConfigError(
    `The web server cannot listen on ${host}:${port}: ${reason} (WEB_SERVER_ADDRESS, or http.host and http.port in the configuration).`,
    { cause: error },
  )
}
