import type { Machine } from '../harness/machine.ts'
import type { Format } from './documents.ts'
import type { Shape } from './made-calls.ts'
import type { Step, Taken } from './measuring.ts'

/** Medians for one trace of one size. */
export interface TraceMeasured {
  readonly format: Format
  readonly shape: Shape
  readonly calls: number
  readonly fileBytes: number
  /** `JSON.parse` of the same lines, kept; undefined where it did not come to its end. */
  readonly parse: Taken | undefined
  /** Each step's own time, and the most memory up to its end. */
  readonly steps: Readonly<Record<Step, Taken>> | undefined
  /** Why something is undefined. */
  readonly failure?: string
}

/** Medians for a population of small traces. */
export interface PopulationMeasured {
  readonly traces: number
  readonly calls: number
  readonly fileBytes: number
  readonly stream: Taken
}

export interface AnalysisResults {
  readonly startedAt: string
  readonly seconds: number
  readonly rounds: number
  readonly machine: Machine
  /** Most that Node lets objects take in each process, bytes. */
  readonly heapLimitBytes: number
  /** Memory of a process that has loaded everything and done nothing; part of every peak. */
  readonly idleBytes: number
  readonly traces: readonly TraceMeasured[]
  readonly populations: readonly PopulationMeasured[]
}
