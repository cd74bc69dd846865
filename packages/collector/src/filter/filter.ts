/**
 * What a condition may be about. Those of a call have to be met by one and the same call of a trace;
 * those of a trace by the trace.
 */
export type CallField =
  | 'service'
  | 'method'
  | 'caller'
  | 'host'
  | 'version'
  | 'status'
  | 'error'
  | 'edge'
  | 'duration'
  | 'self'
  | 'in-flight'
  | 'straggler'
export type TraceField =
  | 'type'
  | 'total'
  | 'failed'
  | 'calls'
  | 'depth'
  | 'complete'
  | 'source'
  | 'id'

export type Comparison = '=' | '>' | '>=' | '<' | '<='

/** One condition. `values` are alternatives; texts may hold `*`. Durations are microseconds. */
export interface Condition {
  readonly field: CallField | TraceField | 'attribute'
  /** Name of the attribute, where the field is `attribute`. */
  readonly attribute?: string | undefined
  readonly negated: boolean
  readonly comparison: Comparison
  readonly values: readonly (string | number | boolean)[]
}

/** All conditions have to be met. None matches everything. */
export interface Filter {
  readonly conditions: readonly Condition[]
}

export const EVERYTHING: Filter = { conditions: [] }
