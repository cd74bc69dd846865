import {
  type Call,
  ContextKey,
  ContextValues,
  type Handler,
  type Interceptor,
  type Reply,
  type Stray,
} from '../call/index.ts'
import type { CallRecord } from '../trace/records.ts'
import { callIdOf } from './call-id.ts'
import { microseconds } from './clock.ts'
import { type CallOutcome, repliedOutcome, thrownOutcome } from './outcome.ts'
import type { Profiler } from './profiler.ts'
import { ROOT, type RootTrace } from './roots.ts'
import { parentIdOf, traceHeaders } from './trace-context.ts'
import { WORKER_LOG, type WorkerLog } from './worker-log.ts'

/** Takes a copy of what is recorded of one call made by a worker. */
export const COPY = new ContextKey<(record: CallRecord, block: Uint8Array | undefined) => void>(
  'copy of the record',
)

/** Id of the call that a profiler further out records already. */
const RECORDED = new ContextKey<string>('recorded call')

/** Where a call's record and block go when it has ended. */
interface Home {
  readonly traceId: string
  readonly anchorMs: number
  readonly flags: string
  readonly state: string | undefined
  readonly seq: number
  begin(record: CallRecord): void
  end(begun: CallRecord, record: CallRecord, block: Uint8Array | undefined): void
}

/**
 * The caller's side (the paper's injection points 1 and 5): stamps *rpc-request* before the call
 * leaves and *rpc-finish* when it has ended, and keeps the block that the reply brought, unread.
 * A call made by a worker goes into the worker's log; any other begins a trace, if somebody wants it.
 */
export function callerInterceptor(profiler: Profiler): Interceptor {
  return (next) => (call) => {
    const log = call.values.get(WORKER_LOG)
    if (log !== undefined) {
      return isRecorded(call) ? next(call) : recorded(profiler, call, next, workerHome(log))
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
  return recorded(profiler, { ...call, values }, next, rootHome(profiler, root))
}

/** True when another profiler, further out, records this call of a worker already. */
function isRecorded(call: Call): boolean {
  if (call.edge === 'down') return call.values.get(RECORDED) === call.id
  const own = call.headers.traceparent
  return typeof own === 'string' && parentIdOf(own) === callIdOf(call)
}

/** The call as it goes on: its headers say where it belongs, where there is anybody to read them. */
function marked(call: Call, home: Home, id: string, onStray: Call['onStray']): Call {
  if (call.edge !== 'down') {
    return { ...call, headers: traceHeaders(call, home.traceId, id, home), onStray }
  }
  const values = new ContextValues(call.values)
  values.set(RECORDED, call.id)
  return { ...call, values }
}

function workerHome(log: WorkerLog): Home {
  return {
    traceId: log.owner.traceId,
    anchorMs: log.anchorMs,
    flags: log.context.flags,
    state: log.context.state,
    seq: log.calls,
    begin: (record) => log.begin(record),
    end: (begun, record, block) => log.append(begun, record, block),
  }
}

function rootHome(profiler: Profiler, root: RootTrace): Home {
  return {
    traceId: root.traceId,
    anchorMs: profiler.clock.anchorMs(),
    flags: '01',
    state: undefined,
    seq: 0,
    begin: (record) => root.asked(record),
    end: (_, record, block) => root.answered(record, block),
  }
}

async function recorded(profiler: Profiler, call: Call, next: Handler, home: Home): Promise<Reply> {
  const id = callIdOf(call)
  const begun: CallRecord = {
    id,
    service: call.service,
    method: call.method,
    edge: call.edge ?? 'call',
    seq: home.seq,
    attempt: call.attempt ?? 1,
    requestUs: microseconds(home.anchorMs),
    finishUs: undefined,
    status: 'pending',
    error: undefined,
  }
  profiler.guard('request', () => home.begin(begun))
  // The listener to strays is kept when the call is over: no function made here may hold the call,
  // or its arguments would be kept too.
  const { id: correlationId, onStray: tellOthers } = call
  const copy = call.values.get(COPY)
  let ended: CallRecord | undefined
  const end = (outcome: CallOutcome, block: Uint8Array | undefined): void => {
    ended = { ...begun, finishUs: microseconds(home.anchorMs), ...outcome }
    home.end(begun, ended, block)
    copy?.(ended, block)
  }
  const onStray = (stray: Stray): void => {
    profiler.guard('stray', () => {
      if (ended === undefined || stray.reply.attachment === undefined) return
      home.end(begun, { ...ended, late: true }, stray.reply.attachment)
    })
    tellOthers?.(stray)
  }
  const outgoing = marked(call, home, id, onStray)
  try {
    const reply = await next(outgoing)
    profiler.guard('finish', () => end(repliedOutcome(reply, correlationId), reply.attachment))
    return reply
  } catch (error) {
    profiler.guard('finish', () => end(thrownOutcome(error), undefined))
    throw error
  }
}
