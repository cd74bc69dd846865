import { type CallIdentity, ConfigError, RpcError, type RpcErrorCode } from '../call/index.ts'
import type { Message } from './message.ts'
import { type Failure, type Receipt, refusalOf } from './transport.ts'

const LONGEST_TIMER_MS = 0x7fffffff

/** What waits with a message, and for how long. */
export interface Sending {
  readonly message: Message
  /** What it is called in errors. */
  readonly title: string
  readonly subject: CallIdentity
  readonly mandatory: boolean
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Who keeps the pending publications. */
export interface PublicationOwner {
  /** What keeps messages from going at the moment, for people; undefined when nothing does. */
  readonly outage: string | undefined
  settled(pending: PendingPublication): void
  /** True when the exchange is looked for again, and the message sent once more. */
  again(pending: PendingPublication): boolean
}

/** A message on its way to the broker: settles exactly once. */
export class PendingPublication implements Receipt {
  readonly sending: Sending
  readonly #owner: PublicationOwner
  readonly #resolve: () => void
  readonly #reject: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #onAbort: (() => void) | undefined
  #settled = false

  constructor(
    sending: Sending,
    owner: PublicationOwner,
    resolve: () => void,
    reject: (error: Error) => void,
  ) {
    this.sending = sending
    this.#owner = owner
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Starts the clock and listens to the signal. */
  watch(): void {
    const { timeoutMs, signal } = this.sending
    if (!(timeoutMs > 0)) {
      this.#timeOut()
      return
    }
    if (timeoutMs <= LONGEST_TIMER_MS) this.#timer = setTimeout(() => this.#timeOut(), timeoutMs)
    if (signal === undefined) return
    this.#onAbort = () => this.fail('cancelled', 'its sender gave up', signal.reason)
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get wanted(): boolean {
    return !this.#settled
  }

  confirmed(): void {
    if (this.#settle()) this.#resolve()
  }

  failed(reason: Failure, detail: string): void {
    if (reason === 'oversize') this.fail('unserializable', detail)
    else if (reason === 'refused') this.fail('overloaded', detail)
    else if (reason === 'lost') this.fail('disconnected', detail)
    else if (this.#settled || !this.#owner.again(this)) this.noExchange()
  }

  noExchange(): void {
    const { exchange } = this.sending.message
    const remedy = 'declare it, or start what declares it'
    this.fail('unknown_service', `there is no exchange \`${exchange}\`: ${remedy}`)
  }

  /** No queue took it. */
  returned(): void {
    this.fail('unknown_service', 'no queue takes what is published there')
  }

  /** Its exchange or a queue is refused. */
  undeclared(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    const refusal = refusalOf(error)
    if (refusal === 'NOT_FOUND') this.noExchange()
    else if (refusal === undefined) this.fail('disconnected', reason, error)
    else {
      const why =
        refusal === 'PRECONDITION_FAILED'
          ? 'its exchange or queue exists with other properties. Declare it as it is, or delete it'
          : 'its exchange or queue cannot be declared'
      const text = `${this.sending.title} was not published: ${why} (${reason})`
      if (this.#settle()) this.#reject(new ConfigError(text, { cause: error }))
    }
  }

  fail(code: RpcErrorCode, reason: string, cause?: unknown): void {
    if (!this.#settle()) return
    const doubt = code === 'disconnected' || code === 'timeout' || code === 'cancelled'
    const text = `${this.sending.title} ${doubt ? 'may not have been' : 'was not'} published: ${reason}`
    this.#reject(new RpcError(code, text, this.sending.subject, { cause }))
  }

  #timeOut(): void {
    const { outage } = this.#owner
    const because = outage === undefined ? '' : `: ${outage}`
    this.fail(
      'timeout',
      `the broker did not confirm it within ${this.sending.timeoutMs} ms${because}`,
    )
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) {
      this.sending.signal?.removeEventListener('abort', this.#onAbort)
    }
    this.#owner.settled(this)
    return true
  }
}
