import { randomUUID } from 'node:crypto'
import type { Admission, Boundary, Headers } from '../call/index.ts'
import type { Limits } from './limits.ts'
import type { Wire, WireListener } from './wire.ts'

/** Whom a socket asks. */
export interface SocketOwner {
  readonly limits: Limits
  /** The frame that answers a request's. Never rejects. */
  answer(socket: ClientSocket, text: string): Promise<string>
  /** The frame for a request that is not even begun. */
  refuse(text: string): string
  /** Told once, when the socket was closed because it reads too slowly. */
  dropped(socket: ClientSocket): void
  /** Told once, last. */
  closed(socket: ClientSocket): void
}

/** Who opened a socket, to be judged by each service that it may ask. */
export interface Knocking {
  header(name: string): string | undefined
  /** Nameko's context data, for the workers of all its requests. */
  readonly context: Headers
}

/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 and its registry. */
const GOING_AWAY = 1001
const TRY_AGAIN_LATER = 1013

/** One client. Its requests are worked on one at a time, in order, as Nameko does. */
export class ClientSocket implements WireListener {
  readonly id: string = randomUUID()
  readonly #wire: Wire
  readonly #owner: SocketOwner
  readonly #knocking: Knocking
  readonly #admissions = new Map<string, Promise<Admission | undefined>>()
  readonly #gone = new AbortController()
  readonly #closed = Promise.withResolvers<void>()
  readonly #waiting: string[] = []
  #waitingBytes = 0
  #working: Promise<void> | undefined
  #heard = true
  /** Nothing is read or sent any more. */
  #ended = false

  constructor(wire: Wire, owner: SocketOwner, knocking: Knocking) {
    this.#wire = wire
    this.#owner = owner
    this.#knocking = knocking
  }

  get context(): Headers {
    return this.#knocking.context
  }

  /** Aborts when the client went away. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  listen(): void {
    this.#wire.listen(this)
  }

  /** What a service may believe and show: judged once, however many requests follow. */
  admission(service: string, boundary: Boundary): Promise<Admission | undefined> {
    let admission = this.#admissions.get(service)
    if (admission === undefined) {
      const { header } = this.#knocking
      admission = boundary.admit({ service, header }).catch(() => undefined)
      this.#admissions.set(service, admission)
    }
    return admission
  }

  /** @returns false when the socket is closed, or was closed just now because nobody reads it */
  send(frame: string): boolean {
    if (this.#ended) return false
    if (this.#wire.unread > this.#owner.limits.maxWaitingBytes) {
      this.#end()
      this.#owner.dropped(this)
      this.#wire.close(TRY_AGAIN_LATER, 'too slow: too many bytes wait to be read')
      return false
    }
    this.#wire.send(frame)
    return true
  }

  message(text: string): void {
    if (this.#ended) return
    const { maxWaitingRequests, maxWaitingBytes } = this.#owner.limits
    const bytes = Buffer.byteLength(text)
    const isWaiting = this.#working !== undefined
    if (
      isWaiting &&
      (this.#waiting.length >= maxWaitingRequests || this.#waitingBytes + bytes > maxWaitingBytes)
    ) {
      this.send(this.#owner.refuse(text))
      return
    }
    this.#waiting.push(text)
    this.#waitingBytes += bytes
    this.#working ??= this.#work()
  }

  alive(): void {
    this.#heard = true
  }

  /** Asks for a sign of life; a socket that gave none since it was last asked is cut off. */
  probe(): void {
    if (!this.#heard) {
      this.cut()
      return
    }
    this.#heard = false
    this.#wire.ping()
  }

  closed(): void {
    this.#end()
    this.#gone.abort()
    this.#closed.resolve()
    this.#owner.closed(this)
  }

  /** Takes no more, lets what was taken be answered, then says that the server goes away. */
  async finish(): Promise<void> {
    while (this.#working !== undefined) await this.#working
    this.#end()
    this.#wire.close(GOING_AWAY, 'the service stops')
    await this.#closed.promise
  }

  /** At once. */
  cut(): void {
    this.#end()
    this.#wire.cut()
  }

  #end(): void {
    this.#ended = true
    this.#waiting.length = 0
    this.#waitingBytes = 0
  }

  async #work(): Promise<void> {
    // What answers at once does so behind the frame that asks, however many come together.
    await undefined
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      this.#waitingBytes -= Buffer.byteLength(text)
      this.send(await this.#owner.answer(this, text))
    }
    this.#working = undefined
  }
}
