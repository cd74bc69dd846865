import type { Circumstances } from '../harness/observed.ts'
import type { Estimate } from '../harness/statistics.ts'
import type { Family, Group } from './kinds.ts'
import type { Guarantees } from './program.ts'

/** What `--json` prints. */
export interface PeerResults extends Circumstances {
  readonly suite: 'peers'
  readonly schema: 1
  readonly broker: { readonly name: 'rabbitmq'; readonly version: string | undefined }
  /** How often everybody was measured. */
  readonly rounds: number
  /** Seconds of one measurement, by calls under way at a time. */
  readonly windows: Readonly<Record<Concurrency, number>>
  /** Of the packages that peers are made of, by their folder and name. */
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly peers: readonly PeerResult[]
  readonly ratios: Ratios
}

export type Concurrency = 1 | 100 | 500

export interface PeerResult {
  readonly key: string
  readonly family: Family
  readonly title: string
  readonly group: Group
  readonly guarantees: Guarantees
  /** How it was traced; null: not at all. */
  readonly tracer: string | null
  /** Why it was not measured; null when it was. */
  readonly skipped: string | null
  readonly measured: PeerFigures | null
  /** What of its traces reached the sink, of all calls of the run; null when it was not traced. */
  readonly arrived: Arrived | null
}

export interface Arrived {
  readonly unit: 'spans' | 'traces'
  readonly perCall: number
  /** When nothing is lost. */
  readonly expectedPerCall: number
}

/** Medians over the rounds. */
export interface PeerFigures {
  /** One call after the other: half of them take no longer, microseconds. */
  readonly sequentialP50Us: Estimate
  /** Calls a second, by calls under way at a time. */
  readonly perS: Readonly<Record<Concurrency, Estimate>>
  /** At 100 at a time: processor time of caller and service a call, microseconds. */
  readonly cpuUsPerCall: Estimate
  /** The broker's, where it could be looked at. */
  readonly brokerCpuUsPerCall: Estimate | null
}

/** Two peers in the same rounds: medians of the rounds' ratios. */
export interface Comparison {
  /** Calls a second at 100 at a time: above 1 the first is faster. */
  readonly throughput100: Estimate
  /** Processor time of caller and service a call: below 1 the first takes less. */
  readonly cpuPerCall: Estimate
  /** The broker's included. */
  readonly cpuPerCallWithBroker: Estimate | null
}

export interface Ratios {
  /**
   * Clew with the group's delivery against each peer, by the peer's key; both untraced, both traced.
   */
  readonly clew: Readonly<
    Record<Group, Readonly<Record<string, { untraced?: Comparison; traced?: Comparison }>>>
  >
  /** Each peer traced against itself untraced. */
  readonly tracing: Readonly<Record<string, Comparison>>
}
