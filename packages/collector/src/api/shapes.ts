import type { Layer, Status, TraceSource } from 'clew/trace'

/** A method of a service. */
export interface Place {
  readonly service: string
  readonly method: string
}

/** What was asked about, as it was understood. Times are milliseconds since 1970. */
export interface Asking {
  readonly filter: string
  readonly fromMs: number
  readonly toMs: number
}

/** A trace in a list. */
export interface FoundTrace extends Place {
  readonly id: string
  readonly startMs: number
  /** Of the whole request; null while its end is not known. */
  readonly totalMs: number | null
  /** Kind of request, `service.method`. */
  readonly type: string
  readonly host: string
  readonly status: Status
  readonly error: string | null
  readonly calls: number
  readonly missingCalls: number
  readonly services: number
  readonly depth: number
  /** Where its first failure began. */
  readonly failed: Place | null
  /** What took the largest share of what the answer waited for, from 0 to 1. */
  readonly bottleneck: (Place & { readonly share: number }) | null
  readonly complete: boolean
  /** For how many traces it stands. */
  readonly weight: number
  readonly source: TraceSource | null
}

export interface FoundPage {
  readonly asked: Asking
  readonly traces: readonly FoundTrace[]
  /** Asks for the next page; null when there is none. */
  readonly cursor: string | null
}

/** How long something took: milliseconds, each quantile within 1 %. All 0 where nothing was timed. */
export interface Times {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Counts are weighted by for how many each trace stands. */
export interface MethodStatistics extends Place {
  readonly calls: number
  readonly perSecond: number
  readonly failed: number
  /** Calls in which a failure began. */
  readonly origins: number
  readonly total: Times
  /** Time in the method itself. */
  readonly self: Times
  /** Share of all that answers waited for, from 0 to 1. */
  readonly criticalShare: number
  /** Mean number of calls that its process was handling when one came. */
  readonly inFlight: number | null
}

export interface StatisticsAnswer {
  readonly asked: Asking
  readonly traces: number
  readonly methods: readonly MethodStatistics[]
}

export interface BreakdownPartAnswer {
  readonly service: string
  readonly layer: Layer
  readonly share: number
  readonly times: Times
}

/** Where the time of one kind of request goes (the paper's Figure 6). */
export interface RequestAnswer extends Place {
  readonly type: string
  readonly requests: number
  readonly failed: number
  readonly total: Times
  /** The largest share first. */
  readonly parts: readonly BreakdownPartAnswer[]
}

export interface BreakdownAnswer {
  readonly asked: Asking
  readonly requests: readonly RequestAnswer[]
}

export interface MapServiceAnswer {
  readonly service: string
  readonly calls: number
  readonly perSecond: number
  readonly failed: number
  /** Calls in which a failure began. */
  readonly origins: number
  /** Share of all that answers waited for, from 0 to 1. */
  readonly criticalShare: number
  /** Mean number of calls that a process of it was handling when one came. */
  readonly inFlight: number | null
  readonly total: Times
  readonly methods: readonly string[]
}

/** Who calls whom; an empty caller is the outside. */
export interface MapLinkAnswer {
  readonly from: string
  readonly to: string
  readonly edge: string
  readonly calls: number
  readonly failed: number
  readonly total: Times
  readonly methods: readonly {
    readonly from: string
    readonly to: string
    readonly calls: number
  }[]
}

export interface MapAnswer {
  readonly asked: Asking
  readonly services: readonly MapServiceAnswer[]
  readonly links: readonly MapLinkAnswer[]
}

export interface TimelineAnswer {
  readonly asked: Asking
  readonly bucketMs: number
  readonly buckets: readonly {
    readonly fromMs: number
    readonly requests: number
    readonly failed: number
    readonly total: Times
  }[]
}

export interface NamesAnswer {
  readonly asked: Asking
  readonly names: readonly string[]
}

export type NamedField = 'service' | 'method' | 'host' | 'type'

export interface RemovedAnswer {
  readonly removed: number
}
