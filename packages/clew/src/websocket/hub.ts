import { RpcError } from '../call/index.ts'
import type { HttpServer } from '../http/index.ts'
import { Dependency, inject } from '../service/index.ts'
import { eventFrame } from './frames.ts'
import { SocketServer } from './socket-server.ts'

/** Pushes events to sockets: what `hub()` injects. Channels belong to the service that names them. */
export interface WebsocketHub {
  /** Open sockets of this process. */
  readonly sockets: number
  /** Sockets closed because their clients read too slowly, since the start. */
  readonly dropped: number
  /**
   * From now on the socket gets what is broadcast on the channel.
   * @param channel 1,000 characters at the most: clients often choose it, and it is kept
   * @throws ConnectionNotFound when no such socket is open in this process; RpcError `overloaded`
   *   beyond `maxSubscriptions`; TypeError for what is no such text
   */
  subscribe(socketId: string, channel: string): void
  /** Nothing happens where it was not subscribed. */
  unsubscribe(socketId: string, channel: string): void
  /** Channels of a socket, sorted; none where no such socket is open. */
  getSubscriptions(socketId: string): string[]
  /**
   * Sends an event to all sockets subscribed to the channel.
   * @throws UnserializableError when JSON cannot carry `data`
   */
  broadcast(channel: string, event: string, data: unknown): void
  /**
   * Sends an event to one socket.
   * @returns false when no such socket is open in this process
   * @throws UnserializableError when JSON cannot carry `data`
   */
  unicast(socketId: string, event: string, data: unknown): boolean
}

/** No socket of this id is open in this process. */
export class ConnectionNotFound extends Error {
  static readonly wirePath = 'nameko.exceptions.ConnectionNotFound'
  readonly socketId: string
  constructor(socketId: string) {
    super(socketId)
    this.name = 'ConnectionNotFound'
    this.socketId = socketId
  }
}

/** How a service's hub is declared. */
export interface HubOptions {
  /** The web server whose port the sockets share: one for all of a `run`. @default that of `http.server`, else HttpServer */
  readonly server?: new () => HttpServer
}

/** Declares a field that holds the service's hub: Nameko's WebSocketHubProvider. */
export function hub(options: HubOptions = {}): WebsocketHub {
  return inject(new HubProvider(options))
}

class HubProvider extends Dependency<WebsocketHub> {
  readonly #options: HubOptions
  #hub: Hub | undefined

  constructor(options: HubOptions) {
    super()
    this.#options = options
  }

  override setup(): void {
    const server = SocketServer.of(this.host, this.#options.server)
    this.#hub = new Hub(server, this.host.service)
    server.onClosed(this.#hub.forget)
  }

  override get(): WebsocketHub {
    return this.#hub!
  }
}

/** What a hub needs of the sockets. */
export interface Sockets {
  readonly size: number
  readonly droppedSockets: number
  readonly maxSubscriptions: number
  has(socketId: string): boolean
  /** @returns false when no such socket is open */
  send(socketId: string, frame: string): boolean
}

const LONGEST_CHANNEL = 1000

/** Subscriptions of one service, in this process's memory. */
export class Hub implements WebsocketHub {
  readonly #sockets: Sockets
  readonly #service: string
  readonly #channels = new Map<string, Set<string>>()
  readonly #subscriptions = new Map<string, Set<string>>()

  constructor(sockets: Sockets, service: string) {
    this.#sockets = sockets
    this.#service = service
  }

  get sockets(): number {
    return this.#sockets.size
  }

  get dropped(): number {
    return this.#sockets.droppedSockets
  }

  subscribe(socketId: string, channel: string): void {
    if (!this.#sockets.has(socketId)) throw new ConnectionNotFound(socketId)
    if (typeof channel !== 'string' || channel.length > LONGEST_CHANNEL) {
      throw new TypeError(`a channel is a text of at most ${LONGEST_CHANNEL} characters.`)
    }
    const channels = setIn(this.#subscriptions, socketId)
    const { maxSubscriptions } = this.#sockets
    if (channels.size >= maxSubscriptions && !channels.has(channel)) {
      throw new RpcError(
        'overloaded',
        `a socket may have ${maxSubscriptions} subscriptions; unsubscribe from some, or raise websocket.maxSubscriptions.`,
        { service: this.#service },
      )
    }
    channels.add(channel)
    setIn(this.#channels, channel).add(socketId)
  }

  unsubscribe(socketId: string, channel: string): void {
    removeIn(this.#subscriptions, socketId, channel)
    removeIn(this.#channels, channel, socketId)
  }

  getSubscriptions(socketId: string): string[] {
    // By code points, as Python sorts: the same list from either.
    return [...(this.#subscriptions.get(socketId) ?? [])].sort(byCodePoints)
  }

  broadcast(channel: string, event: string, data: unknown): void {
    const frame = eventFrame(event, data)
    // A socket found to be too slow is closed by this, and leaves the set.
    for (const socketId of [...(this.#channels.get(channel) ?? [])]) {
      this.#sockets.send(socketId, frame)
    }
  }

  unicast(socketId: string, event: string, data: unknown): boolean {
    return this.#sockets.send(socketId, eventFrame(event, data))
  }

  /** The socket has closed. */
  readonly forget = (socketId: string): void => {
    for (const channel of this.#subscriptions.get(socketId) ?? []) {
      removeIn(this.#channels, channel, socketId)
    }
    this.#subscriptions.delete(socketId)
  }
}

function setIn(sets: Map<string, Set<string>>, key: string): Set<string> {
  let set = sets.get(key)
  if (set === undefined) {
    set = new Set()
    sets.set(key, set)
  }
  return set
}

/** Names come from clients: what is empty must not stay behind. */
function removeIn(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}

function byCodePoints(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}
