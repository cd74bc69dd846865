import type { Layer, SketchJson } from 'clew/trace'

/** Counts are weighted: each trace counts for as many as it stands for. */
export interface CallStatisticsRow {
  readonly service: string
  readonly method: string
  readonly calls: number
  readonly failed: number
  /** Calls in which a failure began. */
  readonly origins: number
  /** Of the calls' totals, and where a caller is not known, their handling; milliseconds. */
  readonly total: SketchJson
  /** Of the time within the methods themselves; milliseconds. */
  readonly self: SketchJson
  /** Sum of the calls' own critical time, milliseconds. */
  readonly criticalMs: number
  /** Mean number of calls that the process was handling when one came; undefined where none told. */
  readonly inFlight: number | undefined
}

/** One kind of request. */
export interface RequestRow {
  readonly service: string
  readonly method: string
  readonly requests: number
  readonly failed: number
  readonly total: SketchJson
}

export interface PartRow {
  readonly requestService: string
  readonly requestMethod: string
  readonly service: string
  readonly layer: Layer
  /** Of the requests in which it took any time; milliseconds. */
  readonly times: SketchJson
}

export interface LinkRow {
  /** Empty for what came from outside. */
  readonly callerService: string
  readonly callerMethod: string
  readonly service: string
  readonly method: string
  readonly edge: string
  readonly calls: number
  readonly failed: number
  readonly total: SketchJson
}

export interface TimeBucket {
  readonly fromMs: number
  readonly requests: number
  readonly failed: number
  readonly total: SketchJson
}
