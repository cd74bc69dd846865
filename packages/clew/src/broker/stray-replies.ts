import type { CallIdentity, Stray, StrayListener } from '../call/index.ts'
import type { PendingCall } from './pending-call.ts'

const REMEMBERED_CALLS = 1024

/** Only what a stray reply needs: the arguments may be large. */
interface Remembered extends CallIdentity {
  readonly strays: StrayListener
  replied: boolean
}

/** Remembers the last settled calls, so that replies nobody waits for still find out whose they are. */
export class StrayReplies {
  // Without an index: every call is remembered, and hardly any is looked for.
  readonly #ring: Remembered[] = []
  #next = 0

  remember(pending: PendingCall, replied: boolean): void {
    const { service, method, id, strays } = pending.call
    if (strays === undefined) return
    this.#ring[this.#next] = { service, method, callId: id, strays, replied }
    this.#next = (this.#next + 1) % REMEMBERED_CALLS
  }

  /** Hands a stray reply on; false when nobody knows the call any more. */
  take(id: string, decode: (identity: CallIdentity) => Stray['reply']): boolean {
    const call = this.#ring.find(({ callId }) => callId === id)
    if (call === undefined) return false
    const kind = call.replied ? 'duplicate' : 'late'
    call.replied = true
    call.strays.stray({ kind, reply: decode(call) })
    return true
  }
}
