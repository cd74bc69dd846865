import { type Call, type Reply, RpcError, type RpcErrorCode, type Waiting } from '../call/index.ts'
import type { Failure, Receipt } from './transport.ts'
import { identityOf } from './wire.ts'

const LONGEST_TIMER_MS = 0x7fffffff

/** Who keeps the pending calls. */
export interface PendingOwner {
  /** What keeps replies from coming at the moment, for people; undefined when nothing does. */
  readonly outage: string | undefined
  settled(pending: PendingCall, replied: boolean): void
}

/** A call on its way: settles exactly once, by reply, deadline, signal or failure. */
export class PendingCall implements Receipt {
  readonly call: Call
  /** Its place among those of its connection, which is the connection's. */
  waiting: Waiting<PendingCall> | undefined
  /** The broker has taken the request: losing the connection no longer loses it. */
  taken = false
  readonly #owner: PendingOwner
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (error: RpcError) => void
  #timer: NodeJS.Timeout | undefined
  #onAbort: (() => void) | undefined
  #settled = false

  constructor(
    call: Call,
    owner: PendingOwner,
    resolve: (reply: Reply) => void,
    reject: (error: RpcError) => void,
  ) {
    this.call = call
    this.#owner = owner
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Starts the clock and listens to the signal. */
  watch(): void {
    const { timeoutMs, signal } = this.call
    if (timeoutMs <= 0) {
      this.timeOut()
      return
    }
    if (timeoutMs < LONGEST_TIMER_MS) this.#timer = setTimeout(timedOut, timeoutMs, this)
    if (signal === undefined) return
    if (signal.aborted) {
      this.cancel(signal)
      return
    }
    this.#onAbort = () => this.cancel(signal)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get wanted(): boolean {
    return !this.#settled
  }

  /** From the broker, as Receipt. */
  confirmed(): void {
    this.taken = true
  }

  failed(reason: Failure, detail: string): void {
    const name = this.#name()
    if (reason === 'oversize') this.fail('unserializable', `${name} was not called: ${detail}`)
    else if (reason === 'refused') this.fail('overloaded', `${name} was not called: ${detail}`)
    else if (reason === 'no_exchange') {
      this.fail('unknown_service', `${name} was not called: ${detail}`)
    } else this.fail('disconnected', `${name} may not have been called: ${detail}`)
  }

  reply(reply: Reply): void {
    if (!this.#settle(true)) return
    this.call.observer?.replied(reply)
    this.#resolve(reply)
  }

  fail(code: RpcErrorCode, message: string, cause?: unknown): void {
    if (!this.#settle(false)) return
    const error = new RpcError(code, message, identityOf(this.call), { cause })
    this.call.observer?.failed(error)
    this.#reject(error)
  }

  timeOut(): void {
    const { outage } = this.#owner
    const because = outage === undefined ? '' : `: ${outage}`
    this.fail('timeout', `${this.#name()} did not reply within ${this.call.timeoutMs} ms${because}`)
  }

  cancel(signal: AbortSignal): void {
    this.fail('cancelled', `${this.#name()} was cancelled by its caller`, signal.reason)
  }

  #name(): string {
    return `${this.call.service}.${this.call.method}`
  }

  #settle(replied: boolean): boolean {
    if (this.#settled) return false
    this.#settled = true
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) {
      this.call.signal?.removeEventListener('abort', this.#onAbort)
    }
    this.#owner.settled(this, replied)
    return true
  }
}

function timedOut(pending: PendingCall): void {
  pending.timeOut()
}
