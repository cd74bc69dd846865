import type { Attributes, Edge, ForeignContext, Status } from '../trace/index.ts'

/** Where a record was made. Some formats tell it behind the records, so it is filled in later. */
export interface Place {
  service: string
  host: string
  pid: number | undefined
  version: string | undefined
}

export type SideKind = 'client' | 'server' | 'producer' | 'consumer' | 'internal'

/** How one side says that it ended. */
export interface Outcome {
  readonly status: Status
  /** The error's class, or what comes next to it. */
  readonly error: string | undefined
  /** It says that it did not wait any longer. */
  readonly gaveUp: boolean
}

/** What Clew says of its own calls in tags. Whoever writes them may be anybody: what is no such value is not there. */
export interface OwnFacts {
  readonly edge: Edge | undefined
  readonly side: 'caller' | 'callee' | undefined
  readonly status: Status | undefined
  readonly error: string | undefined
  readonly known: 'start' | 'end' | undefined
  readonly startedMs: number | undefined
  readonly redelivered: boolean
  readonly inFlight: number | undefined
  readonly busy: number | undefined
  readonly late: boolean
  readonly missing: number
}

/** One side of a call, which is what other systems keep records of (their spans). */
export interface Side {
  readonly id: string
  /** Null where it says that it has none. */
  readonly parentId: string | null
  /** Its parent goes on without it. */
  readonly follows: boolean
  readonly kind: SideKind | undefined
  /** It has its caller's id. */
  readonly shared: boolean
  readonly place: Place
  readonly name: string
  /** Milliseconds since 1970; undefined where not told. */
  readonly startMs: number | undefined
  readonly endMs: number | undefined
  readonly outcome: Outcome
  /** 1 for the first try; undefined where not told. */
  readonly attempt: number | undefined
  /** Whom it calls, as it says. */
  readonly peer: string | undefined
  /** It asks a database or a cache. */
  readonly down: boolean
  readonly attributes: Attributes | undefined
  /** The record of another trace that it belongs to, as it says. */
  readonly foreign: ForeignContext | undefined
  /** What Clew says of it, where it wrote the record. */
  readonly own: OwnFacts | undefined
}

export const UNKNOWN_SERVICE = 'unknown_service'

export const newPlace = (): Place => ({
  service: UNKNOWN_SERVICE,
  host: '',
  pid: undefined,
  version: undefined,
})
