import { type Problem, RpcError } from '../call/index.ts'
import { GuardedClient } from './frame-guard.ts'
import type { LoginMethod } from './login.ts'
import { explain, type RabbitAddress, type TlsOptions } from './rabbit-address.ts'

const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 5000
const CLOSE_GRACE_MS = 1000

export interface LinkOptions {
  readonly address: RabbitAddress
  readonly tls: TlsOptions | undefined
  readonly loginMethod: LoginMethod
  readonly connectTimeoutMs: number
  /** Prepares every new connection: channels, declarations. A failure closes it; another is tried. */
  readonly prepare: (client: GuardedClient) => Promise<void>
  /** The prepared connection counts from now on. */
  readonly ready: (client: GuardedClient) => void
  readonly down: (reason: string) => void
  readonly problem: (problem: Problem) => void
}

/** One connection to RabbitMQ that comes back when it is lost. */
export class RabbitLink {
  readonly #options: LinkOptions
  #client: GuardedClient | undefined
  #closed = false
  #retryTimer: NodeJS.Timeout | undefined
  #attempts = 0
  #lastProblem = ''

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The connection, while there is one. */
  get client(): GuardedClient | undefined {
    return this.#client
  }

  /** @throws RpcError `disconnected`, saying why and what to do */
  async open(): Promise<void> {
    try {
      await this.#connect()
    } catch (error) {
      this.#closed = true
      throw error
    }
  }

  async #connect(): Promise<void> {
    const client = await this.#handshake()
    try {
      await this.#options.prepare(client)
    } catch (error) {
      client.abandon('its preparation failed')
      const reason = error instanceof Error ? error.message : String(error)
      throw disconnected(explain(this.#options.address, reason, undefined))
    }
    if (this.#closed || client.closed) {
      client.abandon('closed meanwhile')
      throw disconnected(explain(this.#options.address, 'the connection closed at once', undefined))
    }
    this.#client = client
    client.onLost = (reason) => this.#lost(reason)
    this.#options.ready(client)
  }

  async #handshake(): Promise<GuardedClient> {
    const { address, tls, loginMethod, connectTimeoutMs } = this.#options
    const client = new GuardedClient(address.url, tls, loginMethod)
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        client.onLost = (reason) => reject(new Error(reason))
        timer = setTimeout(
          () => reject(new Error(`no answer within ${connectTimeoutMs} ms`)),
          connectTimeoutMs,
        )
        client.connect().then(() => resolve(), reject)
      })
    } catch (error) {
      client.onLost = () => {}
      client.abandon('the handshake failed')
      // The library's errors hold the client; only their text goes on.
      const reason = error instanceof Error ? error.message : String(error)
      const { socketError } = client
      const code = socketError?.code
      throw disconnected(explain(address, reason || socketError?.message || 'unknown', code))
    } finally {
      clearTimeout(timer)
    }
    client.onLost = () => {}
    return client
  }

  #lost(reason: string): void {
    this.#client = undefined
    if (this.#closed) return
    this.#options.down(reason)
    this.#retry(reason)
  }

  // Full jitter: after an outage the clients come back spread over time, not all at once.
  #retry(reason: string): void {
    const refused = reason.includes('refuses') || reason.includes('no vhost')
    const ceiling = refused
      ? LONGEST_DELAY_MS
      : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts, 10))
    this.#attempts++
    this.#retryTimer = setTimeout(() => void this.#reconnect(), Math.random() * ceiling)
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#connect()
    } catch (error) {
      if (this.#closed) return
      const { message } = error as RpcError
      if (message !== this.#lastProblem) {
        this.#lastProblem = message
        this.#options.problem({ kind: 'disconnected', message, error })
      }
      this.#retry(message)
      return
    }
    this.#attempts = 0
    this.#lastProblem = ''
  }

  /** Says goodbye, but does not wait long for an answer. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#retryTimer)
    const client = this.#client
    if (client === undefined) return
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS)
    })
    const over = new Promise<void>((resolve) => {
      client.onLost = () => resolve()
    })
    client.detachAll()
    const goodbye = client.close().catch(() => {})
    await Promise.race([over, patience, goodbye])
    clearTimeout(timer)
    client.abandon('closed')
    this.#client = undefined
  }
}

function disconnected(message: string): RpcError {
  return new RpcError('disconnected', message)
}
