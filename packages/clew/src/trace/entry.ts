/** The paper's four moments of a call, and the optional start of its method. */
export type EntryKind = 'rpc-request' | 'rpc-receive' | 'rpc-start' | 'rpc-respond' | 'rpc-finish'

/**
 * What kind of arrow leads from caller to callee (X-Trace's edges, and Nameko's events). `local` is a
 * piece of work within one process that another system keeps a record of by itself.
 */
export type Edge = 'call' | 'event' | 'down' | 'next' | 'local'

/**
 * How one side saw a call end. `ok` and `error`: its method answered or threw. `rejected`: answered
 * without running (unknown service or method, wrong arguments). `timeout`, `cancelled`: the caller
 * stopped waiting. `lost`: the connection went. `pending`: not ended when the worker responded.
 */
export type Status = 'ok' | 'error' | 'rejected' | 'timeout' | 'cancelled' | 'lost' | 'pending'

/** W3C trace context of somebody outside, of which nothing is believed but that they said so. */
export interface ForeignContext {
  /** 32 hex digits. */
  readonly trace: string
  /** 16 hex digits: the outsider's own call. */
  readonly parent: string
}

/** By which a call, or one side of it, is known. */
export interface CallName {
  readonly service: string
  readonly method: string
}

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** One record of one moment of one call, written by the process where it happened. */
export interface Entry {
  readonly kind: EntryKind
  /** Milliseconds since 1970 on the clock of `host`, microseconds as decimals. */
  readonly timeMs: number
  /** Host name of the process that wrote the entry. */
  readonly host: string
  /** Tells processes of one host apart (the process id); absent where the writer did not say. */
  readonly pid?: number
  readonly service: string
  readonly method: string
  /** Call id: 16 hex digits; other formats' ids are kept as they are. */
  readonly id: string
  /** Trace id, 32 hex digits; absent in the paper's plain lists. */
  readonly trace?: string
  /** Call id of the caller's own call; null for a root; absent where unknown. */
  readonly parent?: string | null
  /** On request or receive. @default 'call' */
  readonly edge?: Edge
  /** On request: position among the calls its worker made, from 0. */
  readonly seq?: number
  /** On request, and on receive where a message is tried again: 1 for the first try. @default 1 */
  readonly attempt?: number
  /** On receive: true when the broker had delivered the request before. */
  readonly redelivered?: boolean
  /** On receive: calls this process was handling for the service, this one included. */
  readonly inFlight?: number
  /**
   * On receive: the worker had not answered when somebody asked for what its process knew, so many
   * milliseconds after it had begun.
   */
  readonly runningMs?: number
  /** On receive: share of its time, from 0 to 1, that the process's event loop was busy of late. */
  readonly busy?: number
  /** On receive: version of the service, as its process says. */
  readonly version?: string
  /** On request: what the caller's record of the call is named, in systems that name each side. */
  readonly from?: CallName
  /**
   * What other systems keep beside (tags, labels), bounded by whoever read it; and values of arguments
   * (`args.…`, on receive) and results (`result…`, on respond) that a service was told to let out.
   */
  readonly attributes?: Attributes
  /** On a root's receive: what the outsider who asked called its own trace. */
  readonly foreign?: ForeignContext
  /** On respond and finish. @default 'ok' */
  readonly status?: Status
  /** On respond and finish: the error's class name. */
  readonly error?: string
  /** On respond: how many calls the worker made. */
  readonly calls?: number
  /** On respond: the reply came after its caller had stopped waiting. */
  readonly late?: boolean
}

/** Sibling calls of one method, merged because their entries would not fit. Times are totals in milliseconds. */
export interface Fold {
  /** Call id of the worker's own call. */
  readonly parent: string
  readonly trace?: string
  readonly host: string
  readonly service: string
  readonly method: string
  /** What led to them. @default 'call' */
  readonly edge?: Edge
  /** Merged siblings. */
  readonly count: number
  /** Calls merged away in all: the siblings and everything below them. */
  readonly calls: number
  readonly minMs: number
  readonly medianMs: number
  readonly maxMs: number
  readonly sumMs: number
  /** When the first of them was requested. */
  readonly timeMs: number
}

/** Calls known to have happened whose entries did not arrive. */
export interface Missing {
  /** Call id below which they are missing. */
  readonly parent: string
  readonly trace?: string
  readonly calls: number
  /** `lost`: a piece never came; `unreadable`: damaged or of a newer version; `cut`: did not fit and nobody took it. */
  readonly reason: 'lost' | 'unreadable' | 'cut'
}

/** A call made by a peer that keeps no entries, known only from the id stack that Nameko hands on. */
export interface Relay {
  /** Call id of the profiled call below the relays. */
  readonly below: string
  readonly trace?: string
  /**
   * From the caller's side down, the calls between the nearest profiled ancestor and `below`. The
   * first may be the callee of the ancestor's own call, of the same service and method.
   */
  readonly path: readonly {
    readonly service: string
    readonly method: string
    /** The relay's own id, as its framework calls it: equal ids are one relay. */
    readonly id?: string
  }[]
}

/** A time in which a process did nothing for anybody, as it found afterwards. */
export interface Pause {
  /** `gc`: the collector ran. `event-loop`: something kept the loop from going on. */
  readonly kind: 'gc' | 'event-loop'
  readonly trace?: string
  readonly host: string
  readonly pid?: number
  /** Milliseconds since 1970 on the clock of `host`. */
  readonly timeMs: number
  readonly ms: number
}

/** Other systems whose traces are read. */
export type TraceSource = 'otlp' | 'jaeger' | 'zipkin'

/** All that came home of one root call. */
export interface Trace {
  /** 32 hex digits; empty where the source had none. */
  readonly id: string
  /** In bracket order where the source had it; readers must not rely on order across pieces. */
  readonly entries: readonly Entry[]
  readonly folds: readonly Fold[]
  readonly missing: readonly Missing[]
  readonly relays: readonly Relay[]
  /** What processes say of themselves. */
  readonly pauses?: readonly Pause[]
  /**
   * The system that kept it, where that was not Clew. Such systems keep one side of a call or both, as
   * it happens: there one side is all that there should be.
   */
  readonly source?: TraceSource
  /**
   * For how many traces it stands: 1 / the probability with which it was kept.
   * @default 1
   */
  readonly weight?: number
  /** True when every announced piece had come when the trace was handed over. */
  readonly complete: boolean
}
