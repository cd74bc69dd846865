import type { Place } from '../call/index.ts'
import type { CallRecord } from '../trace/records.ts'

/** Where a call's record and block go when it has ended: the log of the worker that made it, or a trace of its own. */
export interface Home {
  readonly traceId: string
  /** What its stamps are reckoned with. */
  readonly anchorMs: number
  /** Of W3C's context, as it is handed on. */
  readonly flags: string
  readonly state: string | undefined
  /** Calls made so far: the sequence number of the next. */
  readonly calls: number
  /** A call leaves. Its record says more when it has ended; it leaves its place then, if it got one. */
  begin(record: CallRecord): Place<CallRecord> | undefined
  /** A call has ended, or brings what came too late for it. */
  end(record: CallRecord, block: Uint8Array | undefined): void
}
