/**
 * What the self-contained page is given: calls in columns, strings in a dictionary. Written by
 * `pageContent()`, read by the page's own code; nobody else reads it, so both change together.
 */
export interface PageContent {
  readonly version: 1
  /** Everything that is text in columns, by its index. Harmless to show. */
  readonly strings: readonly string[]
  readonly traces: readonly PageTrace[]
  /** What the page lacks, for people. */
  readonly notices: readonly string[]
}

export interface PageTrace {
  readonly id: string
  readonly title: string
  readonly service: string
  /** When it began, for people; empty where there was no wall clock. */
  readonly when: string
  /** Milliseconds since 1970, microseconds as decimals; stamps count from here. */
  readonly startedMs: number
  /** How long the root took, and what the axis spans, in microseconds from the root's beginning. */
  readonly totalUs: number
  readonly fromUs: number
  readonly toUs: number
  readonly sentences: readonly string[]
  readonly figures: readonly PageFigure[]
  readonly notices: readonly string[]
  /** Rows: calls, and what stands for calls that are not there; callers before callees. */
  readonly rows: number
  readonly columns: Readonly<Record<ColumnName, Column>>
  /** The critical path in order of time: row, from and to in microseconds. */
  readonly critical: {
    readonly row: readonly number[]
    readonly from: readonly number[]
    readonly to: readonly number[]
  }
  /** Services by the time spent in their calls, as indexes of strings. */
  readonly ranking: readonly number[]
}

export interface PageFigure {
  readonly label: string
  readonly value: string
  readonly tone: 'plain' | 'path' | 'failure'
}

/** Every value, or only those that differ from `rest`. */
export type Column =
  | readonly (number | null)[]
  | {
      readonly at: readonly number[]
      readonly values: readonly (number | null)[]
      readonly rest: number | null
    }

/**
 * Numbers of a row. Names of strings hold indexes of the dictionary, -1 for none; times are
 * microseconds, null where unknown: stamps from `startedMs`, places in the picture from the root's beginning.
 */
export const COLUMNS = [
  ...(['depth', 'kind', 'edge', 'status', 'attempt', 'flags', 'count'] as const),
  ...(['id', 'service', 'method', 'host', 'pid', 'callerHost', 'error', 'note'] as const),
  ...(['presence', 'version', 'attributes', 'inFlight', 'busy'] as const),
  ...(['offset', 'total', 'handleOffset', 'handle', 'self'] as const),
  ...(['request', 'receive', 'start', 'respond', 'finish'] as const),
  ...(['requestLeg', 'replyLeg', 'legError'] as const),
] as const

export type ColumnName = (typeof COLUMNS)[number]

/** What a row is, by its number. */
export const KINDS = ['call', 'merged', 'missing', 'folded'] as const
export const EDGES = ['call', 'event', 'down', 'next', 'local'] as const
export const STATUSES = [
  'ok',
  'error',
  'rejected',
  'timeout',
  'cancelled',
  'lost',
  'pending',
] as const

/** Bits of `flags`. */
export const FLAGS = {
  redelivered: 1,
  late: 2,
  placeholder: 4,
  /** Nobody waited for it. */
  detached: 8,
  /** A database, a cache, a broker was asked. */
  operation: 16,
} as const
