import type { Interval } from './chance.ts'
import type { Window } from './explained.ts'
import type { Lift } from './lift.ts'
import type { CallPath } from './path-table.ts'
import type { PathSide, Trait } from './path-tests.ts'

/** Which part of a path's time differs most. */
export type DifferingLeg = 'work' | 'queue' | 'way'

/** A call path that is not the same on both sides. */
export interface PathChange {
  readonly path: CallPath
  /** From the root down. */
  readonly names: readonly string[]
  readonly name: string
  /** Traits that differ more than chance explains, `new` and `missing` being the ends of presence. */
  readonly differs: readonly (Trait | 'new' | 'missing')[]
  readonly before: PathSide
  readonly after: PathSide
  /** Difference of the mean critical time per request of its kind, times the kind's share. */
  readonly deltaMs: number
  readonly leg: DifferingLeg
  /** The least p of its traits. */
  readonly p: number
}

/** What a group of paths contributes to the difference, in the requests that it is told of. */
export interface Contribution {
  readonly service: string
  readonly method: string
  /** The path that contributes most of it, from the root down. */
  readonly names: readonly string[]
  readonly paths: number
  readonly ms: number
  readonly deltaMs: Interval
  /** Of the whole difference; may exceed 1 where others make up for it. */
  readonly share: number
  readonly shares: Interval
  readonly leg: DifferingLeg
}

/** A kind of request that only one side has, or that has another share of it. */
export interface KindChange {
  readonly name: string
  /** Share of all traces, from 0 to 1. */
  readonly before: number
  readonly after: number
  readonly p: number
}

export interface Difference {
  /** Traces looked at, and of how many they were drawn. */
  readonly before: { readonly traces: number; readonly of: number }
  readonly after: { readonly traces: number; readonly of: number }
  /** False where all that differs may be chance. */
  readonly certain: boolean
  /** Of the kinds of request that both sides have; undefined where there is none. */
  readonly total:
    | {
        readonly window: Window
        readonly certain: boolean
        readonly beforeMs: number
        readonly afterMs: number
        readonly deltaMs: Interval & { readonly ms: number }
        /** By rank, of all requests of these kinds. */
        readonly medians: { readonly beforeMs: number; readonly afterMs: number }
        readonly p95s: { readonly beforeMs: number; readonly afterMs: number }
      }
    | undefined
  /** Requests that did not end well, from 0 to 1. */
  readonly failures: {
    readonly before: number
    readonly after: number
    readonly p: number
    readonly certain: boolean
  }
  /** Methods that explain the difference in time, the greatest first. */
  readonly contributions: readonly Contribution[]
  /** Paths that differ for sure, the greatest difference of critical time first. */
  readonly paths: readonly PathChange[]
  readonly kinds: readonly KindChange[]
  readonly attributes: readonly Lift[]
  /** Where a fault would be that made the difference, the likeliest first. */
  readonly suspects: readonly Suspect[]
  /** The answer for people; the first line is enough for most. */
  readonly sentences: readonly string[]
}

/** Why a method is suspected. */
export interface Reason {
  /** `failures` begin there; `work`, `queue`, `way`: time; `missing`: it is not called or not seen any more. */
  readonly kind: 'failures' | 'work' | 'queue' | 'way' | 'missing'
  /** From 0 to 1: of the requests, or of their time. */
  readonly weight: number
}

export interface Suspect {
  readonly service: string
  readonly method: string
  /** From 0 to 1, what all reasons weigh together; services are ranked first, then their methods. */
  readonly weight: number
  /** The same over all methods of the service. */
  readonly serviceWeight: number
  /** The weightiest first. */
  readonly reasons: readonly Reason[]
}
