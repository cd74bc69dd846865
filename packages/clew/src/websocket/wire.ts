import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { GRANT_HEADER } from '../call/index.ts'

/** Told what happens on a connection. */
export interface WireListener {
  /** A whole message: text, or bytes that are UTF-8, which Nameko reads as well. */
  message(text: string): void
  /** Anything came, a pong included. */
  alive(): void
  /** Once, last. */
  closed(): void
}

/** One connection, as the protocol above it sees it. */
export interface Wire {
  /** Bytes given to `send` that the other side has not taken. */
  readonly unread: number
  listen(listener: WireListener): void
  send(text: string): void
  ping(): void
  /** Says goodbye; what was sent goes before. Cut off when no answer comes within the grace. */
  close(code: number, reason: string): void
  /** At once, without goodbye. */
  cut(): void
}

/** Milliseconds that the other side has to answer a close. */
const CLOSE_GRACE_MS = 2_000

const GRANT_PROTOCOL = `${GRANT_HEADER}.`

function isGrant(protocol: string): boolean {
  return protocol.startsWith(GRANT_PROTOCOL)
}

/**
 * A header of an upgrade request. Pages cannot set any, so their grant comes among the protocols they
 * offer: `new WebSocket(url, ['clew', 'clew-grant.' + token])`. Not in the address, which is logged.
 */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  if (value !== undefined) return typeof value === 'string' ? value : value[0]
  if (name !== GRANT_HEADER) return undefined
  const offered = request.headers['sec-websocket-protocol']?.split(',') ?? []
  return offered
    .map((one) => one.trim())
    .find(isGrant)
    ?.slice(GRANT_PROTOCOL.length)
}

/** Answers upgrade requests. */
export class Acceptor {
  readonly #server: WebSocketServer

  /** @param maxFrameBytes a larger message closes its connection with 1009 */
  constructor(maxFrameBytes: number) {
    const options = {
      noServer: true,
      clientTracking: false,
      // Compressed, a kilobyte may stand for a megabyte; and each socket would keep two windows.
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      // Not in the types yet.
      closeTimeout: CLOSE_GRACE_MS,
      // Browsers give up where they offered some and none is chosen. A grant is no protocol, and is
      // chosen only by who offers nothing else.
      handleProtocols: (offered: ReadonlySet<string>) =>
        [...offered].find((protocol) => !isGrant(protocol)) ?? [...offered][0] ?? false,
    }
    this.#server = new WebSocketServer(options)
  }

  /** Refuses what is no proper handshake by itself, with 400 or 426. */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (wire: Wire) => void,
  ): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      opened(new Connection(webSocket)),
    )
  }
}

const UTF8 = new TextDecoder('utf-8')

class Connection implements Wire {
  readonly #socket: WebSocket

  constructor(socket: WebSocket) {
    this.#socket = socket
    // Broken frames end in 'close' too, with the code that the protocol has for them.
    socket.on('error', () => {})
  }

  get unread(): number {
    return this.#socket.bufferedAmount
  }

  listen(listener: WireListener): void {
    const socket = this.#socket
    socket.on('message', (content) => {
      listener.alive()
      listener.message(UTF8.decode(content as Buffer))
    })
    socket.on('pong', () => listener.alive())
    socket.on('ping', () => listener.alive())
    socket.on('close', () => listener.closed())
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  ping(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  cut(): void {
    this.#socket.terminate()
  }
}
