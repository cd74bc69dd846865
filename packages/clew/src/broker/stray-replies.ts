import type { Call, CallIdentity, Stray } from '../call/index.ts'
import type { PendingCall } from './pending-call.ts'
import { identityOf } from './wire.ts'

const REMEMBERED_CALLS = 1024

interface Remembered {
  readonly identity: CallIdentity
  readonly onStray: NonNullable<Call['onStray']>
  replied: boolean
}

/** Remembers the last settled calls, so that replies nobody waits for still find out whose they are. */
export class StrayReplies {
  readonly #byId = new Map<string, Remembered>()
  // A ring beside the map: who falls out is known without asking the map for its oldest key.
  readonly #ring: string[] = []
  #next = 0

  remember(pending: PendingCall, replied: boolean): void {
    const { call } = pending
    if (call.onStray === undefined) return
    const oldest = this.#ring[this.#next]
    if (oldest !== undefined) this.#byId.delete(oldest)
    this.#ring[this.#next] = call.id
    this.#next = (this.#next + 1) % REMEMBERED_CALLS
    // Only what a stray reply needs: the arguments may be large.
    this.#byId.set(call.id, { identity: identityOf(call), onStray: call.onStray, replied })
  }

  /** Hands a stray reply on; false when nobody knows the call any more. */
  take(id: string, decode: (identity: CallIdentity) => Stray['reply']): boolean {
    const call = this.#byId.get(id)
    if (call === undefined) return false
    const kind = call.replied ? 'duplicate' : 'late'
    call.replied = true
    call.onStray({ kind, reply: decode(call.identity) })
    return true
  }
}
