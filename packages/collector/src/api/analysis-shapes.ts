import type {
  BottleneckFinding,
  Difference,
  GapFinding,
  LoadReport,
  OriginFinding,
  RequestFinding,
  SlowInstance,
  StragglerFinding,
} from 'clew/trace'
import type { Asking, Place } from './shapes.ts'

/**
 * Which traces an analysis read, of those that match. Its counts are those of the traces it read: each
 * times `each` is how many there were in all.
 */
export interface SampleAnswer {
  /** Traces that were read, each once. */
  readonly traces: number
  /** Traces that match. */
  readonly matching: number
  /** For how many requests all that match stand. */
  readonly requests: number
  /** For how many requests each one counts. */
  readonly each: number
  /** Passed over, because they have more than 20,000 calls. */
  readonly tooLarge: number
  /** What ended the reading before as many were read as was asked for. */
  readonly cutShort: 'time' | 'calls' | null
}

export interface Analysed {
  readonly asked: Asking
  readonly sample: SampleAnswer
  /** The answer for people, the most important first. */
  readonly sentences: readonly string[]
}

/** All that many traces tell together. Each list has the most important first. */
export interface AnalysisAnswer extends Analysed {
  readonly calls: number
  readonly failed: number
  /** Traces of which something is missing. */
  readonly incomplete: number
  readonly requests: readonly RequestFinding[]
  readonly failures: readonly OriginFinding[]
  readonly bottlenecks: readonly BottleneckFinding[]
  readonly stragglers: readonly StragglerFinding[]
  readonly slowInstances: readonly SlowInstance[]
  readonly missing: readonly GapFinding[]
}

/** Which service failed first, and how often. The sample is one of the requests that failed. */
export interface FailuresAnswer extends Analysed {
  /** Of all that match, whether they failed or not. */
  readonly requests: number
  readonly failed: number
  readonly failures: readonly OriginFinding[]
}

export interface StragglersAnswer extends Analysed {
  /** By instance and cause, what would help most first. */
  readonly stragglers: readonly StragglerFinding[]
  /** Instances that take longer than their replicas, by more than chance. */
  readonly slowInstances: readonly SlowInstance[]
}

/** What answers waited for: each moment of a request counts once. */
export interface CriticalPathAnswer extends Analysed {
  /** What all requests that were read took together. */
  readonly totalMs: number
  readonly methods: readonly (Place & { readonly ms: number; readonly share: number })[]
  /** By call path, callers before whom they call. */
  readonly paths: readonly CriticalPathPlace[]
  /** Paths that cost too little to be told. */
  readonly morePaths: number
}

export interface CriticalPathPlace extends Place {
  readonly index: number
  /** Index of the caller's path; null for a root. */
  readonly parent: number | null
  /** Share of all critical time: of its calls themselves, and with all below them. */
  readonly share: number
  readonly below: number
  readonly callsPerTrace: number
  /** Share of the requests of its kind in which it is called. */
  readonly presence: number
  readonly failed: number
  /** Critical time per trace in which it was called. */
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** How much the mean of all requests would fall at most without it. */
  readonly dragMs: number
}

/** Where the bottleneck is, and how it moves with the load. */
export interface LoadAnswer extends Analysed {
  readonly report: Omit<LoadReport, 'sentences'>
}

/** What A, which the filter asks for, differs in from B, which it is held against. */
export interface CompareAnswer extends Analysed {
  readonly against: { readonly asked: Asking; readonly sample: SampleAnswer }
  /** False where all that differs may be chance. */
  readonly certain: boolean
  /** `before` is B, `after` is A. */
  readonly difference: Omit<Difference, 'sentences' | 'certain'>
  /** Paths that differ and are not told, the least of them. */
  readonly morePaths: number
}
