import {
  type Call,
  type Deadlines,
  type Expiring,
  type Place,
  type Reply,
  RpcError,
  type RpcErrorCode,
  type Waiting,
} from '../call/index.ts'
import type { Failure, Receipt } from './transport.ts'
import { identityOf } from './wire.ts'

/** Calls that wait less have a timer of their own: being late by a tick would count. */
const SHORT_MS = 1000

/** Who keeps the pending calls. */
export interface PendingOwner {
  /** What keeps replies from coming at the moment, for people; undefined when nothing does. */
  readonly outage: string | undefined
  settled(pending: PendingCall, replied: boolean): void
}

/** A call on its way: settles exactly once, by reply, deadline, signal or failure. */
export class PendingCall implements Receipt, Expiring {
  readonly call: Call
  /** Its place among those of its connection, which is the connection's. */
  waiting: Waiting<PendingCall> | undefined
  /** The broker has taken the request: losing the connection no longer loses it. */
  taken = false
  readonly #owner: PendingOwner
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (error: RpcError) => void
  #timer: NodeJS.Timeout | undefined
  #watched: Place<Expiring> | undefined
  deadline = Number.POSITIVE_INFINITY
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
  watch(deadlines: Deadlines): void {
    const { timeoutMs, signal } = this.call
    if (timeoutMs <= 0) {
      this.expire()
      return
    }
    if (timeoutMs < SHORT_MS) this.#timer = setTimeout(expired, timeoutMs, this)
    else if (timeoutMs < Number.POSITIVE_INFINITY) {
      this.deadline = performance.now() + timeoutMs
      this.#watched = deadlines.watch(this)
    }
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

  expire(): void {
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
    this.#watched?.leave()
    if (this.#onAbort !== undefined) {
      this.call.signal?.removeEventListener('abort', this.#onAbort)
    }
    this.#owner.settled(this, replied)
    return true
  }
}

function expired(pending: PendingCall): void {
  pending.expire()
}
