import type {
  Attributes,
  CallName,
  Edge,
  ForeignContext,
  Pause,
  Status,
  TraceSource,
} from './entry.ts'

/** A place in the call tree: one call, both sides. All times are milliseconds. */
export interface CallNode {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly edge: Edge
  /** Where the method ran; undefined when no entry of the callee came. */
  readonly host: string | undefined
  readonly pid: number | undefined
  /** Where the caller ran. */
  readonly callerHost: string | undefined
  /** Stamps, milliseconds since 1970: request and finish on the caller's clock, the others on the callee's. */
  readonly requestMs: number | undefined
  readonly receiveMs: number | undefined
  readonly startMs: number | undefined
  readonly respondMs: number | undefined
  readonly finishMs: number | undefined
  /** finish - request, on the caller's clock; without the caller's entries, handle. */
  readonly totalMs: number | undefined
  /** respond - receive, on the callee's clock. */
  readonly handleMs: number | undefined
  /** handle minus the union of the times in which it waited for calls of its own. */
  readonly selfMs: number | undefined
  /** total - handle: both ways through network, broker and queue. */
  readonly networkMs: number | undefined
  /**
   * From request to receive and from respond to finish, by clocks as they are aligned; both add up to
   * `networkMs`. Undefined where that is, where an answer did not end the wait, and with raw clocks.
   */
  readonly requestLegMs: number | undefined
  readonly replyLegMs: number | undefined
  /** By how much each leg may be longer or shorter, at the other's cost: what is proved. 0 on one clock. */
  readonly legErrorMs: number | undefined
  /** As the caller saw it end; as the callee did, where nothing of the caller is known. */
  readonly status: Status
  /** As its caller saw it end; undefined without the caller's last entry. */
  readonly callerStatus: Status | undefined
  /** As the callee itself saw it end; undefined without its last entry. */
  readonly calleeStatus: Status | undefined
  /** Class name of the error, where the status is not ok. */
  readonly error: string | undefined
  readonly attempt: number
  readonly redelivered: boolean
  /** The reply came after the caller had stopped waiting. */
  readonly late: boolean
  readonly inFlight: number | undefined
  /** How long the callee had been at work when it was asked and had not answered; undefined where it did, or was not asked. */
  readonly runningMs: number | undefined
  /** Share of its time, from 0 to 1, that the callee's event loop was busy when the request came. */
  readonly busy: number | undefined
  /** Of the callee, as it says. */
  readonly version: string | undefined
  /** What the caller's record is named, in systems that name each side. */
  readonly from: CallName | undefined
  /** What other systems keep beside, of both sides; the callee's word counts where both have one. */
  readonly attributes: Attributes | undefined
  /** Of a root that came from outside: what the outsider called its own trace. */
  readonly foreign: ForeignContext | undefined
  /**
   * Which of request, receive, respond, finish were observed, as four digits: `1111` is whole, `1001` a
   * callee that keeps no entries, `1100` one that crashed or hangs.
   */
  readonly presence: string
  /** True for a place made up to hold others: a lost parent, a relay through Python, several roots. */
  readonly placeholder: boolean
  /** In order of request (by sequence number where known). */
  readonly calls: readonly CallNode[]
  /** Siblings that were merged below this call because they did not fit. */
  readonly folds: readonly FoldedCalls[]
  /** Calls known to have happened directly or deeper below this call that are not here. */
  readonly missingCalls: number
  /** Where the call lies in the picture: milliseconds from the root's beginning, on the root's clock as well as it can be told. */
  readonly offsetMs: number
  /** Where the callee's work begins in the picture; undefined without the callee's entries. */
  readonly handleOffsetMs: number | undefined
}

export interface FoldedCalls {
  readonly service: string
  readonly method: string
  readonly edge: Edge
  readonly count: number
  readonly calls: number
  readonly minMs: number
  readonly medianMs: number
  readonly maxMs: number
  readonly sumMs: number
  readonly offsetMs: number
}

/** Something odd that was found while the tree was built. The tree is the best that could be made of it. */
export interface TraceProblem {
  readonly kind:
    | 'no_entries'
    | 'orphan'
    | 'cycle'
    | 'several_roots'
    | 'duplicate'
    | 'interleaved'
    | 'negative_duration'
    | 'clocks'
    | 'limit'
    | 'unreadable'
  /** For people, with the call it is about. */
  readonly message: string
  readonly callId?: string
}

/** How a host's clock compares with that of the root's host. */
export interface HostClock {
  readonly host: string
  /** By which it is taken to be ahead, milliseconds. */
  readonly offsetMs: number
  /** How far from that the truth may be; undefined where it is not bounded on both sides. */
  readonly errorMs: number | undefined
  /** False where the clock is believed as it is. */
  readonly adjusted: boolean
}

export interface CallTree {
  readonly traceId: string
  readonly root: CallNode
  /** Calls in the tree, placeholders not counted. */
  readonly calls: number
  /** Calls known to be missing, and merged ones. */
  readonly missingCalls: number
  /** Every call has all entries it should have, nothing is missing, merged or pending. */
  readonly complete: boolean
  readonly startedMs: number
  readonly totalMs: number
  /**
   * Hosts whose clocks calls connect with the root's, its own left out, as they were when the trace
   * began; none with raw clocks.
   */
  readonly clocks: readonly HostClock[]
  /** What processes say of themselves. */
  readonly pauses: readonly Pause[]
  /** The system that kept the trace, where that was not Clew. */
  readonly source: TraceSource | undefined
  readonly problems: readonly TraceProblem[]
}
