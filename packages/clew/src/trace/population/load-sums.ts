import type { Layer } from '../analysis/layer.ts'
import type { InFlightTally } from './in-flight-check.ts'
import type { LoadWindows } from './load-windows.ts'
import type { Sketch } from './sketch.ts'

export interface InstanceCount {
  readonly service: string
  readonly host: string
  readonly pid: number | undefined
  calls: number
  unanswered: number
  /** The most in flight that it counted, and how often a call came as that one. */
  most: number
  atMost: number
  readonly tally: InFlightTally
}

export interface Pair {
  readonly instance: number
  /** Shortest request leg, both clocks believed. */
  leastLegMs: number
}

export interface MethodCount {
  readonly service: string
  readonly method: string
  readonly handle: Sketch
}

/** What trees left behind. */
export interface LoadSums {
  readonly windows: LoadWindows
  readonly parts: readonly { readonly service: string; readonly layer: Layer }[]
  readonly instances: readonly InstanceCount[]
  readonly pairs: readonly Pair[]
  readonly methods: readonly MethodCount[]
  /** Service, then services that it called. */
  readonly arrows: ReadonlyMap<string, ReadonlySet<string>>
  readonly requests: number
  readonly passedOver: number
  readonly callsLeftOut: number
}
