import type { CallIdentity, CallObserver, Stray } from '../call/index.ts'
import type { PendingCall } from './pending-call.ts'

/**
 * A call that ended without a reply may well get one later. One that has its reply gets another only when
 * its callee dies between reply and acknowledgement: fewer of those are kept, since all of them outlive
 * what collects young objects.
 */
const UNANSWERED_CALLS = 1024
const ANSWERED_CALLS = 128

/** Only what a stray reply needs: the arguments may be large. */
interface Remembered extends CallIdentity {
  readonly observer: CallObserver
}

/** Remembers the last calls that ended, so that replies nobody waits for still find out whose they are. */
export class StrayReplies {
  readonly #unanswered = new Last(UNANSWERED_CALLS)
  readonly #answered = new Last(ANSWERED_CALLS)

  remember({ call }: PendingCall, replied: boolean): void {
    const { service, method, id, observer } = call
    if (observer === undefined) return
    const ended = replied ? this.#answered : this.#unanswered
    ended.add({ service, method, callId: id, observer })
  }

  /** Hands a stray reply on; false when nobody knows the call any more. */
  take(id: string, decode: (identity: CallIdentity) => Stray['reply']): boolean {
    const late = this.#unanswered.take(id)
    // From now on it is one that has its reply.
    if (late !== undefined) this.#answered.add(late)
    const call = late ?? this.#answered.find(id)
    if (call === undefined) return false
    const kind = late === undefined ? 'duplicate' : 'late'
    call.observer.stray({ kind, reply: decode(call) })
    return true
  }
}

/** The last that were added. Without an index: every call is, and hardly any is looked for. */
class Last {
  readonly #most: number
  readonly #ring: (Remembered | undefined)[] = []
  #next = 0

  constructor(most: number) {
    this.#most = most
  }

  add(call: Remembered): void {
    this.#ring[this.#next] = call
    this.#next = (this.#next + 1) % this.#most
  }

  find(id: string): Remembered | undefined {
    return this.#ring.find((call) => call?.callId === id)
  }

  take(id: string): Remembered | undefined {
    const at = this.#ring.findIndex((call) => call?.callId === id)
    if (at < 0) return undefined
    const call = this.#ring[at]
    this.#ring[at] = undefined
    return call
  }
}
