import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Boundary, ConfigError, type Headers as Context } from '../call/index.ts'
import { contextOf } from '../http/http-entrypoint.ts'
import { HttpServer } from '../http/index.ts'
import { Extension, type ExtensionHost } from '../service/index.ts'
import { ClientSocket, type SocketOwner } from './client-socket.ts'
import { errorFrame, eventFrame, parseRequest, type Request } from './frames.ts'
import { type Limits, limitsIn } from './limits.ts'
import { INVALID_JSON, METHOD_NOT_FOUND, OVERLOADED, STOPPING } from './refusals.ts'
import { Acceptor, headerOf, type Wire } from './wire.ts'

/** Answers the requests of one name. */
export interface Responder {
  readonly service: string
  readonly name: string
  readonly boundary: Boundary | undefined
  /** The frame that answers. Never rejects. */
  respond(socket: ClientSocket, request: Request): Promise<string>
}

/** Nameko's; it has no other. */
const PATH = '/ws'

/** Pages of one browser may try many times a second; each of them is told once. */
const ORIGINS_TOLD = 100

/** The sockets of all services of a `run`, and who is let in. */
export class SocketServer extends Extension implements SocketOwner {
  readonly #sockets = new Map<string, ClientSocket>()
  readonly #responders = new Map<string, Responder>()
  readonly #closed: ((socketId: string) => void)[] = []
  readonly #originsTold = new Set<string>()
  #Http: (new () => HttpServer) | undefined
  #http: HttpServer | undefined
  #settled: { readonly limits: Limits; readonly acceptor: Acceptor } | undefined
  #pings: NodeJS.Timeout | undefined
  #draining = false
  #stopping = false
  #dropped = 0

  /**
   * The sockets of the service's process; ask in `setup`.
   * @throws ConfigError when another web server was named before
   */
  static of(host: ExtensionHost, Http?: new () => HttpServer): SocketServer {
    const server = host.shared(SocketServer)
    if (Http !== undefined && server.#Http !== undefined && server.#Http !== Http) {
      throw new ConfigError(
        `Sockets share one web server, but ${server.#Http.name} and ${Http.name} are named; name one of them everywhere.`,
      )
    }
    server.#Http ??= Http
    return server
  }

  get limits(): Limits {
    return this.#ready.limits
  }

  get size(): number {
    return this.#sockets.size
  }

  /** Sockets closed because nobody read them. */
  get droppedSockets(): number {
    return this.#dropped
  }

  get maxSubscriptions(): number {
    return this.limits.maxSubscriptions
  }

  get #ready() {
    if (this.#settled === undefined) {
      const limits = limitsIn(this.host.config)
      this.#settled = { limits, acceptor: new Acceptor(limits.maxFrameBytes) }
    }
    return this.#settled
  }

  /** @throws ConfigError when another method answers to the name: a frame names no service */
  register(responder: Responder): void {
    const other = this.#responders.get(responder.name)
    if (other !== undefined) {
      throw new ConfigError(
        `Both ${other.service} and ${responder.service} answer WebSocket requests named ${responder.name}; give one another @websocket({ name }).`,
      )
    }
    this.#responders.set(responder.name, responder)
  }

  onClosed(listener: (socketId: string) => void): void {
    this.#closed.push(listener)
  }

  has(socketId: string): boolean {
    return this.#sockets.has(socketId)
  }

  send(socketId: string, frame: string): boolean {
    return this.#sockets.get(socketId)?.send(frame) ?? false
  }

  /** Takes no more sockets, and no more connections for any. */
  async drain(): Promise<void> {
    this.#draining = true
    await this.#http?.drain()
  }

  override setup(): void {
    // What is wrong with the settings is told before anything starts.
    void this.#ready
    // Now all who name a web server have named it.
    this.#http = this.#Http === undefined ? HttpServer.of(this.host) : this.host.shared(this.#Http)
    this.#http.onUpgrade(PATH, (...upgrade) => this.upgrade(...upgrade))
  }

  override start(): void {
    const probe = () => {
      for (const socket of this.#sockets.values()) socket.probe()
    }
    this.#pings = setInterval(probe, this.limits.pingIntervalMs).unref()
  }

  override async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#pings)
    await Promise.all(Array.from(this.#sockets.values(), (socket) => socket.finish()))
  }

  override kill(): void {
    this.#stopping = true
    clearInterval(this.#pings)
    for (const socket of this.#sockets.values()) socket.cut()
  }

  /** Lets a client in, or says by HTTP why not. */
  upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    const { limits, acceptor } = this.#ready
    const { origin, host } = request.headers
    if (!limits.origins(origin, host)) {
      this.#tellOrigin(origin ?? '')
      refuse(connection, 403, 'Forbidden', 'This page may not open sockets here.\n')
      return
    }
    if (this.#draining || this.#stopping || this.#sockets.size >= limits.maxSockets) {
      refuse(connection, 503, 'Service Unavailable', 'No more sockets; try again later.\n')
      return
    }
    let context: Context
    try {
      context = contextOf(this.#http!.contextFromHeaders(headersOf(request)))
    } catch (error) {
      const message = 'no context data could be made of the headers of an upgrade'
      this.host.log({ level: 'error', message, service: this.host.service, error })
      refuse(connection, 500, 'Internal Server Error', 'The socket could not be opened.\n')
      return
    }
    acceptor.accept(request, connection, head, (wire) => this.#open(wire, request, context))
  }

  async answer(socket: ClientSocket, text: string): Promise<string> {
    const request = parseRequest(text)
    if (request === undefined) return errorFrame(INVALID_JSON, null)
    const { method, correlationId } = request
    const responder = typeof method === 'string' ? this.#responders.get(method) : undefined
    if (responder === undefined) return errorFrame(METHOD_NOT_FOUND, correlationId)
    if (this.#stopping) return errorFrame(STOPPING, correlationId)
    return responder.respond(socket, request)
  }

  refuse(text: string): string {
    return errorFrame(OVERLOADED, parseRequest(text)?.correlationId)
  }

  dropped(socket: ClientSocket): void {
    this.#dropped++
    this.host.log({
      level: 'warn',
      message: `socket ${socket.id} was closed: its client left more than ${this.limits.maxWaitingBytes} bytes unread (websocket.maxWaitingBytes); ${this.#dropped} since the start`,
    })
  }

  closed(socket: ClientSocket): void {
    if (!this.#sockets.delete(socket.id)) return
    for (const listener of this.#closed) listener(socket.id)
  }

  #open(wire: Wire, request: IncomingMessage, context: Context): void {
    const socket = new ClientSocket(wire, this, {
      header: (name) => headerOf(request, name),
      context,
    })
    this.#sockets.set(socket.id, socket)
    socket.listen()
    socket.send(eventFrame('connected', { socket_id: socket.id }))
    // Judged now: grants are short-lived, and a socket may wait long before it asks.
    for (const { service, boundary } of this.#responders.values()) {
      if (boundary !== undefined) void socket.admission(service, boundary)
    }
  }

  #tellOrigin(origin: string): void {
    if (this.#originsTold.has(origin) || this.#originsTold.size >= ORIGINS_TOLD) return
    this.#originsTold.add(origin)
    this.host.log({
      level: 'warn',
      message: `a page of ${JSON.stringify(origin.slice(0, 200))} tried to open a socket and was refused; list it in websocket.origins if it may`,
    })
  }
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  return headers
}

function refuse(connection: Duplex, status: number, reason: string, text: string): void {
  // Who goes away meanwhile needs no answer.
  connection.on('error', () => {})
  connection.once('finish', () => connection.destroy())
  connection.end(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  )
}
