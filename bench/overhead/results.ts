import type { Delivery } from 'clew'
import type { Circumstances } from '../harness/observed.ts'
import type { Estimate } from '../harness/statistics.ts'
import type { SystemKey } from './systems.ts'

/** What `--json` prints. */
export interface OverheadResults extends Circumstances {
  readonly suite: 'overhead'
  readonly schema: 1
  readonly broker: { readonly name: 'rabbitmq' | 'memory'; readonly version: string | undefined }
  readonly delivery: Delivery
  /** Calls that a service works on at a time. */
  readonly workers: number
  readonly rounds: number
  /** The figures that the targets are about: `traced` against `off`, medians of the rounds. */
  readonly ratios: Ratios
  readonly systems: readonly SystemResults[]
}

export interface Ratios {
  /** Calls a second, 100 under way. */
  readonly throughput100: number
  /** Median latency of calls one at a time. */
  readonly sequentialP50: number
  /** Processor time of client and service a call, 100 under way. */
  readonly cpuPerCall: number
  /** Calls a second, 100 under way, where a profiler is installed and nobody traces. */
  readonly off100: number
}

export interface SystemResults {
  readonly key: SystemKey
  readonly title: string
  readonly loads: readonly LoadResults[]
}

/** One system under one load: medians over the rounds. */
export interface LoadResults {
  readonly concurrency: number
  readonly perS: number
  readonly p50Us: number
  readonly p99Us: number
  /** Processor time a call, microseconds: of client and service, and of the broker. */
  readonly cpuUs: number
  readonly brokerUs: number | undefined
  /** Against `off` in the same round; of `off` itself undefined. */
  readonly against:
    | {
        readonly throughput: Estimate
        readonly p50: Estimate
        readonly cpu: Estimate
        readonly brokerCpu: Estimate | undefined
      }
    | undefined
}
