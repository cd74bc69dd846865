import type { Delivery } from 'clew'
import type { Circumstances } from '../harness/observed.ts'
import type { Estimate, Spread } from '../harness/statistics.ts'
import type { Shape } from './services.ts'
import type { SystemKey } from './systems.ts'

/** What `--json` prints. */
export interface FigureResults extends Circumstances {
  readonly suite: 'figures'
  readonly schema: 2
  readonly broker: BrokerDescription
  readonly delivery: Delivery
  readonly rounds: number
  readonly systems: readonly { readonly key: SystemKey; readonly title: string }[]
  readonly ratios: FigureRatios
  readonly figures: Readonly<Record<Shape, readonly Line[]>>
}

/** Time of a call with Clew against `off`, medians by size; empty where Clew was not measured. */
export type FigureRatios = Readonly<Record<Shape, Readonly<Record<string, number>>>>

export interface BrokerDescription {
  readonly name: 'rabbitmq' | 'memory'
  readonly version: string | undefined
}

/** One system's points in one figure, by size. */
export interface Line {
  readonly system: SystemKey
  readonly points: readonly Point[]
}

export interface Point {
  /** Depth of the chain, or width of the fan. */
  readonly size: number
  /** Calls that one call of the client makes in all, itself counted. */
  readonly calls: number
  /** Why there are no figures: the system gave no whole trace, or no result. */
  readonly failure: string | undefined
  readonly measured: Measured | undefined
  readonly bytes: PointBytes | undefined
}

/** Over the rounds: each round contributes the median of its own turns. */
export interface Measured {
  /** From the client's call until it holds the result and the trace. */
  readonly ms: Spread
  /** Against `off` in the same turn; of `off` itself undefined. */
  readonly ratio: Estimate | undefined
  /** Processor time of client and services for each call made; the broker's is not in it. */
  readonly processorUs: Spread
}

/** Trace metadata in messages, in bytes; it depends on no machine. */
export interface PointBytes {
  /** In the reply to the client. */
  readonly reply: number
  readonly largestRequest: number
  /** In all requests and replies that one call of the client causes. */
  readonly all: number
}
