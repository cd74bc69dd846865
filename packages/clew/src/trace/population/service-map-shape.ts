/** What a place of a map is. `outside`: whoever sends what nobody here sent; `event`: a published event. */
export type MapPlaceKind = 'service' | 'db' | 'cache' | 'event' | 'outside'

/** What leads from a place to another: a call, a message nobody waits for, or an operation one layer down. */
export type MapLinkKind = 'call' | 'event' | 'down'

/** What was counted of calls. Times are milliseconds; undefined where no call told them. */
export interface MapFigures {
  readonly calls: number
  /** Calls that failed, their callers having stopped waiting included. */
  readonly failed: number
  /** How many failed with which error class (or status, where none is told), most first. */
  readonly errors: readonly { readonly error: string; readonly calls: number }[]
  /** Calls that had not ended. */
  readonly pending: number
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  /** Median of network, broker and queue, both ways. */
  readonly waitMs: number | undefined
  /** Median between a request's arrival and its method's beginning: waiting for a free worker. */
  readonly queueMs: number | undefined
}

/** What was counted of calls that one version of a service answered. */
export interface MapVersion extends MapFigures {
  readonly version: string
}

export interface MapMethod extends MapFigures {
  readonly method: string
  /** What fires it, as its name and its callers tell. */
  readonly kind: 'rpc' | 'http' | 'timer' | 'event' | 'operation'
  /** Requests that came from outside. */
  readonly requests: number
  /** A trace in which it occurs; of several the least id. */
  readonly example: string
}

export interface MapPlace extends MapFigures {
  readonly id: string
  readonly kind: MapPlaceKind
  readonly name: string
  /** By name. */
  readonly methods: readonly MapMethod[]
  /** Hosts and process ids, `host` or `host:pid`. */
  readonly instances: readonly string[]
  readonly versions: readonly string[]
  /** Of the first 20 versions; empty where there is but one. */
  readonly byVersion: readonly MapVersion[]
  /** False for a service that was called but kept no record of it. */
  readonly profiled: boolean
  /**
   * Share of the time that answers waited for, from 0 to 1; over all places they add up to 1. Time on
   * the way to a call and back is its caller's where the caller's record has a name of its own, else
   * the call's, as `criticalCredits` counts it; unlike there, a call of which only the caller kept a
   * record, as of databases, is the callee's, as `breakdown` counts it.
   */
  readonly criticalShare: number
  /** Pieces of work within its processes that have a record of their own but are no calls. */
  readonly localWork: number
  /** How often it called itself. */
  readonly selfCalls: number
}

/** What one method (or the outside, with an empty name) asks of another. */
export interface MapMethodLink extends MapFigures {
  readonly from: string
  readonly to: string
}

export interface MapLink extends MapFigures {
  /** Ids of places. */
  readonly from: string
  readonly to: string
  readonly kind: MapLinkKind
  readonly methods: readonly MapMethodLink[]
}

/** A system as its traces show it. */
export interface SystemMap {
  readonly traces: number
  readonly calls: number
  /** Calls known to have happened of which there is no record. */
  readonly missingCalls: number
  /** Between the first call's beginning and the last one's end; milliseconds since 1970. */
  readonly firstMs: number | undefined
  readonly lastMs: number | undefined
  /** By kind and name. */
  readonly places: readonly MapPlace[]
  readonly links: readonly MapLink[]
  /** Services that call each other in a circle, as ids; each circle once. */
  readonly cycles: readonly (readonly string[])[]
  /** Calls of places, methods and links beyond the bounds of a map: counted, not told apart. */
  readonly leftOut: number
}
