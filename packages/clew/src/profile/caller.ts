import {
  type Call,
  type CallObserver,
  ContextKey,
  ContextValues,
  type Handler,
  type Interceptor,
  type Place,
  type Reply,
  type Stray,
} from '../call/index.ts'
import type { Edge, Status } from '../trace/index.ts'
import type { CallRecord } from '../trace/records.ts'
import { callIdOf } from './call-id.ts'
import { microseconds } from './clock.ts'
import type { Home } from './home.ts'
import { type CallOutcome, repliedOutcome, thrownOutcome } from './outcome.ts'
import type { Profiler } from './profiler.ts'
import { ROOT, type RootTrace } from './roots.ts'
import { makeTraceparent, parentIdOf, traceHeaders } from './trace-context.ts'
import { WORKER_LOG } from './worker-log.ts'

/** Takes a copy of what is recorded of one call made by a worker. */
export const COPY = new ContextKey<(record: CallRecord, block: Uint8Array | undefined) => void>(
  'copy of the record',
)

/** Id of the call that a profiler further out records already. */
const RECORDED = new ContextKey<string>('recorded call')

/**
 * The caller's side (the paper's injection points 1 and 5): stamps *rpc-request* before the call
 * leaves and *rpc-finish* when it has ended, and keeps the block that the reply brought, unread.
 * A call made by a worker goes into the worker's log; any other begins a trace, if somebody wants it.
 */
export function callerInterceptor(profiler: Profiler): Interceptor {
  return (next) => (call) => {
    const log = call.values.get(WORKER_LOG)
    if (log !== undefined) {
      return isRecorded(call) ? next(call) : recorded(profiler, call, next, log, call.values)
    }
    const begun = call.values.get(ROOT)
    if (begun !== undefined) {
      // Another interceptor of ours, further out, records this call already.
      if (profiler.taker !== undefined) begun.giveTo(profiler.taker)
      return next(call)
    }
    // An operation by itself is no request that anybody made.
    if (profiler.taker === undefined || call.edge === 'down') return next(call)
    const root = profiler.roots.begin()
    root.giveTo(profiler.taker)
    return recordedRoot(profiler, call, next, root)
  }
}

/** Sends a call that begins a trace. */
export function recordedRoot(
  profiler: Profiler,
  call: Call,
  next: Handler,
  root: RootTrace,
): Promise<Reply> {
  // Derived, because a worker's calls share their values and each begins a trace of its own.
  const values = new ContextValues(call.values)
  values.set(ROOT, root)
  return recorded(profiler, call, next, root, values)
}

/** True when another profiler, further out, records this call of a worker already. */
function isRecorded(call: Call): boolean {
  if (call.edge === 'down') return call.values.get(RECORDED) === call.id
  const own = call.headers.traceparent
  return typeof own === 'string' && parentIdOf(own) === callIdOf(call)
}

function recorded(
  profiler: Profiler,
  call: Call,
  next: Handler,
  home: Home,
  values: ContextValues,
): Promise<Reply> {
  if (call.edge === 'down') return recordedOperation(profiler, call, next, home, values)
  const traceparent = makeTraceparent(home, call.id)
  // Whoever sends it tells the record how it ended, unless somebody in between may change that.
  const told = next.tellsObservers === true
  const record = new Recording(parentIdOf(traceparent), profiler, call, home, told)
  const headers = traceHeaders(call.headers, traceparent, home.state)
  return sent(next, { ...call, headers, values, observer: record }, record)
}

/** An operation one layer down has no callee that could be told where it belongs. */
function recordedOperation(
  profiler: Profiler,
  call: Call,
  next: Handler,
  home: Home,
  values: ContextValues,
): Promise<Reply> {
  const record = new Recording(callIdOf(call), profiler, call, home, false)
  const own = new ContextValues(values)
  own.set(RECORDED, call.id)
  return sent(next, { ...call, values: own }, record)
}

/** Sends a call; its record hears how it ends from here where it is not told by whoever sends it. */
function sent(next: Handler, call: Call, record: Recording): Promise<Reply> {
  let reply: Promise<Reply>
  try {
    reply = next(call)
  } catch (error) {
    record.threw(error)
    return Promise.reject(error)
  }
  if (record.told) return reply
  return reply.then(
    (answer) => {
      record.answered(answer)
      return answer
    },
    (error: unknown) => {
      record.threw(error)
      throw error
    },
  )
}

/**
 * The record of a call while it is made. It is kept when the call is over, for replies that come too
 * late: it must not hold the call, or its arguments would be kept too.
 */
class Recording implements CallRecord, CallObserver {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly edge: Edge
  readonly seq: number
  readonly attempt: number
  readonly requestUs: number
  finishUs: number | undefined = undefined
  status: Status = 'pending'
  error: string | undefined = undefined
  readonly #profiler: Profiler
  readonly #home: Home
  readonly #correlationId: string
  readonly #copy: (typeof COPY)['valueType'] | undefined
  readonly #others: CallObserver | undefined
  /** Whether it is told how the call ends as an observer. */
  readonly told: boolean
  #place: Place<CallRecord> | undefined

  constructor(id: string, profiler: Profiler, call: Call, home: Home, told: boolean) {
    this.id = id
    this.service = call.service
    this.method = call.method
    this.edge = call.edge ?? 'call'
    this.seq = home.calls
    this.attempt = call.attempt ?? 1
    this.requestUs = microseconds(home.anchorMs)
    this.#profiler = profiler
    this.#home = home
    this.#correlationId = call.id
    this.#copy = call.values.get(COPY)
    this.#others = call.observer
    this.told = told
    try {
      this.#place = home.begin(this)
    } catch (error) {
      profiler.failed('request', error)
    }
  }

  replied(reply: Reply): void {
    if (this.told) this.answered(reply)
    this.#others?.replied(reply)
  }

  failed(error: unknown): void {
    if (this.told) this.threw(error)
    this.#others?.failed(error)
  }

  /** The call has been answered. */
  answered(reply: Reply): void {
    try {
      this.#end(repliedOutcome(reply, this.#correlationId), reply.attachment)
    } catch (error) {
      this.#profiler.failed('finish', error)
    }
  }

  /** The call has no reply. */
  threw(thrown: unknown): void {
    try {
      this.#end(thrownOutcome(thrown), undefined)
    } catch (error) {
      this.#profiler.failed('finish', error)
    }
  }

  #end({ status, error }: CallOutcome, block: Uint8Array | undefined): void {
    this.finishUs = microseconds(this.#home.anchorMs)
    this.status = status
    this.error = error
    this.#place?.leave()
    this.#home.end(this, block)
    this.#copy?.(this, block)
  }

  /** A reply that nobody waits for any more. */
  stray(stray: Stray): void {
    const { attachment } = stray.reply
    if (this.finishUs !== undefined && attachment !== undefined) {
      this.#profiler.guard('stray', () => this.#home.end({ ...this, late: true }, attachment))
    }
    this.#others?.stray(stray)
  }
}
