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
  | 'origin'
  | 'straggler'
  | 'name'
  | 'attribute'
export type TraceField =
  | 'id'
  | 'type'
  | 'total'
  | 'failed'
  | 'calls'
  | 'services'
  | 'depth'
  | 'complete'
  | 'source'

export type Field = CallField | TraceField

/** `=` of a text is whether it matches, with `*` for anything. */
export type Comparison = '=' | '>' | '>=' | '<' | '<='

/** One condition. */
export interface Condition {
  readonly field: Field
  /** Name of the attribute, where the field is `attribute`. */
  readonly attribute?: string | undefined
  readonly negated: boolean
  readonly comparison: Comparison
  /** Alternatives, at least one. Durations are whole microseconds. */
  readonly values: readonly Value[]
}

export type Value = string | number | boolean

/** All conditions have to be met. None matches everything. */
export interface Filter {
  readonly conditions: readonly Condition[]
}

export const EVERYTHING: Filter = { conditions: [] }

/** What is compared of a field. */
export type FieldKind = 'text' | 'number' | 'duration' | 'flag'

export interface FieldFacts {
  readonly of: 'call' | 'trace'
  readonly kind: FieldKind
  /** For people. */
  readonly about: string
}

/** Every field that a filter may have; `name` is a word that stands alone. */
export const FIELDS: Readonly<Record<Field, FieldFacts>> = {
  service: { of: 'call', kind: 'text', about: 'the service that was called' },
  method: { of: 'call', kind: 'text', about: 'the method that was called' },
  caller: { of: 'call', kind: 'text', about: 'the service that called' },
  host: { of: 'call', kind: 'text', about: 'where the callee ran' },
  version: { of: 'call', kind: 'text', about: 'of the service that was called' },
  status: { of: 'call', kind: 'text', about: 'how the call ended: ok, error, timeout, …' },
  error: { of: 'call', kind: 'text', about: 'class of the error' },
  edge: { of: 'call', kind: 'text', about: 'call, event, down, next or local' },
  duration: { of: 'call', kind: 'duration', about: 'how long the call took, for its caller' },
  self: { of: 'call', kind: 'duration', about: 'time in the method itself' },
  'in-flight': { of: 'call', kind: 'number', about: 'calls its process was handling' },
  origin: { of: 'call', kind: 'flag', about: 'a failure began in it' },
  straggler: { of: 'call', kind: 'flag', about: 'it took much longer than its siblings' },
  name: { of: 'call', kind: 'text', about: 'service or method' },
  attribute: { of: 'call', kind: 'text', about: 'what other systems keep beside, as @name' },
  id: { of: 'trace', kind: 'text', about: 'trace id, or its first or last digits' },
  type: { of: 'trace', kind: 'text', about: 'kind of request: service.method of its first call' },
  total: { of: 'trace', kind: 'duration', about: 'how long the whole request took' },
  failed: { of: 'trace', kind: 'flag', about: 'the request failed' },
  calls: { of: 'trace', kind: 'number', about: 'calls in it' },
  services: { of: 'trace', kind: 'number', about: 'services in it' },
  depth: { of: 'trace', kind: 'number', about: 'levels of calls' },
  complete: { of: 'trace', kind: 'flag', about: 'nothing of it is missing' },
  source: { of: 'trace', kind: 'text', about: 'otlp, jaeger, zipkin; empty for Clew itself' },
}
