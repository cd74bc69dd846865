import type { Edge, ForeignContext, Pause, Status } from './entry.ts'

/** Who keeps a log: one worker, that is, one delivery of one call. */
export interface LogOwner {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly callId: string
  readonly service: string
  readonly method: string
  readonly host: string
  readonly pid: number
}

/** The caller's side of one call. Stamps are whole microseconds since 1970 on the caller's clock. */
export interface CallRecord {
  /** 16 hex digits. */
  readonly id: string
  readonly service: string
  readonly method: string
  readonly edge: Edge
  /** Position among the calls its worker made, from 0. */
  readonly seq: number
  /** 1 for the first try. */
  readonly attempt: number
  readonly requestUs: number
  /** Undefined while the call is pending. */
  readonly finishUs: number | undefined
  readonly status: Status
  /** Class name of the error, where the status is not ok. */
  readonly error: string | undefined
  /**
   * The reply came after the caller had stopped waiting. Its record was appended before; this one
   * repeats it only to bring the block, and is not counted as another call.
   * @default false
   */
  readonly late?: boolean | undefined
}

/** The callee's side of a call. Stamps are whole microseconds since 1970 on the callee's clock. */
export interface OwnRecord {
  readonly receiveUs: number
  /** When the method began, where that was not at once. */
  readonly startUs?: number | undefined
  readonly respondUs: number
  readonly status: Status
  readonly error?: string | undefined
  /** Calls this process was handling for the service, this one included. */
  readonly inFlight: number
  readonly redelivered: boolean
  /** Calls the worker made in all, appended or not. */
  readonly calls: number
  /** What led to the call, where no caller's record says it. @default 'call' */
  readonly edge?: Edge | undefined
  /** Which try this is, where no caller's record says it. @default 1 */
  readonly attempt?: number | undefined
  /** Of a root: the trace context of an outsider. */
  readonly foreign?: ForeignContext | undefined
  /** Share of its time, from 0 to 1, that the process's event loop was busy of late. */
  readonly busy?: number | undefined
  /** Of the program that has the service. */
  readonly version?: string | undefined
  /** Pauses of the process during the call; the first eight are kept. */
  readonly pauses?: readonly PauseRecord[] | undefined
  /** Of arguments and results, as far as somebody allowed; the first sixteen are kept. */
  readonly values?: readonly ValueRecord[] | undefined
}

/** A value of an argument, known when a call arrived, or of its result, known when it was answered. */
export interface ValueRecord {
  readonly of: 'args' | 'result'
  /** As an attribute is named: `args.order_id`, `result.total`. */
  readonly name: string
  readonly text: string
}

/** A time in which a process did nothing for anybody, on its own clock. */
export interface PauseRecord {
  readonly kind: Pause['kind']
  /** Whole microseconds since 1970. */
  readonly fromUs: number
  readonly us: number
}

/** Stands in a log for a piece that went to the root's inbox. */
export interface Pointer {
  /** Number of the piece among those of its log. */
  readonly piece: number
  readonly calls: number
  readonly bytes: number
  readonly worst: Status
}

/** What only a piece can say of its call. */
export interface PieceExtra {
  /** Call id of the nearest profiled ancestor; null where the callee is the root; undefined where unknown. */
  readonly parent?: string | null | undefined
  /** From the caller's side down, the calls that lie between `parent` and this one and kept no entries. */
  readonly relays?: readonly RelayStep[] | undefined
}

export interface RelayStep {
  readonly service: string
  readonly method: string
  /** The relay's own id, as its framework calls it; equal ids are one relay. */
  readonly id?: string | undefined
}
