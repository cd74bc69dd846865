import type { Edge, Layer, Status, TraceSource } from 'clew/trace'

/** One call of a trace, as it is searched and counted. Times are whole microseconds. */
export interface CallSummary {
  readonly service: string
  readonly method: string
  /** Of the call above; empty for a root. */
  readonly callerService: string
  readonly callerMethod: string
  readonly edge: Edge
  /** Of the callee; empty where it keeps no entries. */
  readonly host: string
  readonly version: string
  /** Of the caller's wait, without the caller's entries of the work; undefined while pending. */
  readonly totalUs: number | undefined
  readonly selfUs: number | undefined
  /** What the answer waited for in it by itself: its share of the critical path. */
  readonly criticalUs: number
  readonly status: Status
  readonly error: string
  /** 0 where it is not told. */
  readonly inFlight: number
  /** A failure began in it, as the verdict tells. */
  readonly origin: boolean
  readonly straggler: boolean
  /** What other systems keep beside, as texts; at most 128, each name and value at most 256 characters. */
  readonly attributes: Readonly<Record<string, string>>
}

/** Critical time of one request by service and layer, as `Breakdown` counts it. */
export interface PartSummary {
  readonly service: string
  readonly layer: Layer
  readonly us: number
}

/** What is shown of a trace in a list. */
export interface TraceRow {
  /** 32 hex digits. */
  readonly traceId: string
  /** When it began, microseconds since 1970. */
  readonly startUs: number
  /** Of the whole request; undefined where its end is not known. */
  readonly totalUs: number | undefined
  /** The root's: which kind of request it is. */
  readonly service: string
  readonly method: string
  readonly host: string
  readonly status: Status
  readonly error: string
  /** Calls recorded, and calls known to be missing. */
  readonly calls: number
  readonly missingCalls: number
  readonly services: number
  readonly depth: number
  /** Where its first failure began; empty where nothing failed. */
  readonly failedService: string
  readonly failedMethod: string
  /** What took the largest share of the critical path, and which share, from 0 to 1. */
  readonly bottleneckService: string
  readonly bottleneckMethod: string
  readonly bottleneckShare: number
  readonly complete: boolean
  /** For how many traces it stands. */
  readonly weight: number
  readonly source: TraceSource | undefined
}

/** What was made of all packets of a trace that had come. */
export interface TraceSummary {
  readonly tenant: string
  readonly row: TraceRow
  /** How many packets it counts. A later summary of the trace has more. */
  readonly packets: number
  readonly calls: readonly CallSummary[]
  readonly parts: readonly PartSummary[]
  /** False where it is certain that there is no earlier summary of the trace. */
  readonly replaces: boolean
}
