import {
  BOUND,
  type Call,
  type Handler,
  type Interceptor,
  type Reply,
  STARTED,
} from '../call/index.ts'
import type { ForeignContext } from '../trace/index.ts'
import type { LogOwner, OwnRecord, PieceExtra } from '../trace/records.ts'
import { judge } from './access/gate.ts'
import { VISIT, type Visit } from './access/visit.ts'
import { callIdOf } from './call-id.ts'
import { isMadeUp, microseconds } from './clock.ts'
import { FOREIGN } from './foreign.ts'
import { type CallOutcome, repliedOutcome, thrownOutcome } from './outcome.ts'
import { Post } from './post.ts'
import type { Profiler } from './profiler.ts'
import { callerId, callerIn, type Running } from './recall/recorder.ts'
import { relaysOf } from './relays.ts'
import { ROOT } from './roots.ts'
import { readTraceContext, type TraceContext } from './trace-context.ts'
import type { TakenValues, ValueRules } from './value-rules.ts'
import { WORKER_LOG, WorkerLog } from './worker-log.ts'

/** Reaches no inbox. */
const NOWHERE = new Post()

/**
 * The callee's side (the paper's injection points 2, 3 and 4): stamps *rpc-receive* when the call
 * arrives and *rpc-respond* when it is answered, and puts the worker's log behind the reply. Where
 * the reply cannot carry it, the log goes to the root's inbox as one piece.
 */
export function calleeInterceptor(profiler: Profiler): Interceptor {
  return (next) => (call) => {
    if (call.values.get(WORKER_LOG) !== undefined) {
      // Another profiler, further out, records this call already.
      if (profiler.taker !== undefined) call.values.get(ROOT)?.giveTo(profiler.taker)
      return next(call)
    }
    const judged = judge(profiler.gate, call)
    return judged instanceof Promise
      ? judged.then((known) => received(profiler, known, next))
      : received(profiler, judged, next)
  }
}

function received(profiler: Profiler, call: Call, next: Handler): Promise<Reply> {
  const context = profiler.guard('receive', () => readTraceContext(call))
  if (context !== undefined) return continued(profiler, call, next, context)
  const kept = profiler.rootsAtCallee && profiler.taker !== undefined
  const visit = call.values.get(VISIT)
  return kept || visit?.looks === true ? rooted(profiler, call, next, visit) : next(call)
}

/** A call that belongs to a trace begun elsewhere. */
async function continued(
  profiler: Profiler,
  call: Call,
  next: Handler,
  context: TraceContext,
): Promise<Reply> {
  const work = new Work(profiler, call, context)
  const visit = call.values.get(VISIT)
  const direct = context.unprefixed && context.parentId === work.log.owner.callId
  const sendAround = () => {
    const extra = work.place
    const piece = work.log.closeAsPiece(work.ended, extra)
    profiler.recorder?.piece(work.log.owner, piece)
    profiler.guard('view', () => visit?.leave({ piece, ...ofWork(work), parent: context.parentId }))
    // Where nobody collects this trace, what we know of it is better kept here than lost.
    const keep = () => {
      if (profiler.taker !== undefined) profiler.guard('piece', () => profiler.roots.take(piece))
    }
    if (!profiler.post.reachable(context.traceId)) return keep()
    void profiler.post.send(context.traceId, piece).then((taken) => {
      if (!taken) keep()
    })
  }
  const reply = await work.run(next, sendAround)
  if (direct && call.attachable) {
    const attachment = profiler.guard('respond', () => {
      const block = work.log.close(work.ended)
      profiler.recorder?.block(work.log.owner, call, block)
      return block
    })
    return attachment === undefined ? reply : { ...reply, attachment }
  }
  profiler.guard('respond', sendAround)
  return reply
}

/** What fires a worker and belongs to no trace (a request, a moment, a peer's call): one begins here. */
async function rooted(
  profiler: Profiler,
  call: Call,
  next: Handler,
  visit: Visit | undefined,
): Promise<Reply> {
  const root = profiler.roots.begin()
  if (profiler.taker !== undefined) root.giveTo(profiler.taker)
  call.values.set(ROOT, root)
  const context = { traceId: root.traceId, flags: '01', state: undefined, parentId: null }
  // Where nobody collects traces there is no inbox either: what does not fit is merged here.
  const post = profiler.taker === undefined ? NOWHERE : profiler.post
  const work = new Work(profiler, call, context, post)
  const handOver = () => {
    const piece = work.log.closeAsPiece(work.ended, work.place)
    profiler.recorder?.piece(work.log.owner, piece)
    root.answeredBy(piece)
    visit?.leave({ piece, ...ofWork(work), parent: undefined })
  }
  const reply = await work.run(next, handOver)
  profiler.guard('respond', handOver)
  if (!call.attachable || visit?.looks !== true) return reply
  const attachment = profiler.guard('view', () => visit.block(profiler.budget))
  return attachment === undefined ? reply : { ...reply, attachment }
}

function ofWork({ log }: Work) {
  return { owner: log.owner, flags: log.context.flags }
}

/** One call being handled, with its stamps. */
class Work implements Running {
  readonly log: WorkerLog
  readonly #profiler: Profiler
  readonly #call: Call
  readonly #receiveUs: number
  readonly #inFlight: number
  readonly #foreign: ForeignContext | undefined
  /** As the request says: of the call itself, where its caller has a record of it; null for a root. */
  readonly #parentId: string | null
  #startUs: number | undefined
  #values: TakenValues | undefined
  #outcome: CallOutcome = { status: 'pending', error: undefined }

  constructor(
    profiler: Profiler,
    call: Call,
    context: Pick<TraceContext, 'traceId' | 'flags' | 'state'> & {
      readonly parentId: string | null
    },
    post = profiler.post,
  ) {
    const anchorMs = profiler.clock.anchorMs()
    this.#profiler = profiler
    this.#call = call
    this.#receiveUs = microseconds(anchorMs)
    this.#inFlight = profiler.enter(call.service)
    this.#parentId = context.parentId
    this.#foreign = call.values.get(FOREIGN)
    const owner: LogOwner = {
      traceId: context.traceId,
      callId: callIdOf(call),
      service: call.service,
      method: call.method,
      host: profiler.host,
      pid: profiler.pid,
    }
    const at = { anchorMs, receiveUs: this.#receiveUs }
    const { budget, recorder } = profiler
    this.log = new WorkerLog(owner, context, at, { budget, post, recorder })
    recorder?.begin(this)
    call.values.set(WORKER_LOG, this.log)
    call.values.set(STARTED, () => {
      this.#startUs = microseconds(anchorMs)
    })
    if (profiler.values !== undefined) this.#listen(profiler.values)
  }

  /** Where values of the method are listed, those of its arguments are taken before it runs. */
  #listen(rules: ValueRules): void {
    const { service, method, values } = this.#call
    const listed = rules.of(service, method)
    if (listed === undefined) return
    const taken = rules.taking(listed, { service, method })
    this.#values = taken
    this.log.reserve(rules.mostBytes)
    values.set(BOUND, (bound) => taken.takeArguments(bound))
  }

  /**
   * Runs the call; its outcome is known afterwards. When an interceptor further in rejects, no reply
   * can carry the log: `unanswered` takes it elsewhere.
   */
  async run(next: Handler, unanswered: () => void): Promise<Reply> {
    const { id } = this.#call
    try {
      const reply = await next(this.#call)
      this.#profiler.guard('outcome', () => {
        this.#outcome = repliedOutcome(reply, id)
        if (reply.error === undefined) this.#values?.takeResult(reply.result)
      })
      return reply
    } catch (error) {
      this.#profiler.guard('outcome', () => {
        this.#outcome = thrownOutcome(error)
        unanswered()
      })
      throw error
    } finally {
      this.#profiler.leave(this.#call.service)
      this.#profiler.recorder?.end(this)
    }
  }

  get traceId(): string {
    return this.log.owner.traceId
  }

  /** What of its work is known while it goes on. */
  peek(): Uint8Array {
    const parent = callerId(callerIn(this.#call))
    const known = this.#parentId === this.log.owner.callId && parent !== undefined
    return this.log.peek(this.ended, known ? { parent } : this.place)
  }

  /** Where the call belongs, for whom no reply tells it. */
  get place(): PieceExtra {
    const parent = this.#parentId
    if (parent === null) return { parent }
    return parent === this.log.owner.callId ? {} : { parent, relays: relaysOf(this.#call) }
  }

  /** The worker's own record, stamped now. */
  get ended(): OwnRecord {
    const respondUs = microseconds(this.log.anchorMs)
    const { version, watch } = this.#profiler
    const told = isMadeUp() ? undefined : watch
    return {
      receiveUs: this.#receiveUs,
      startUs: this.#startUs,
      respondUs,
      status: this.#outcome.status,
      error: this.#outcome.error,
      inFlight: this.#inFlight,
      redelivered: this.#call.redelivered,
      calls: this.log.calls,
      edge: this.#call.edge,
      attempt: this.#call.attempt,
      foreign: this.#foreign,
      version,
      busy: told?.busy,
      values: this.#values?.records,
      pauses: told?.pauses(this.#receiveUs, respondUs, this.log.anchorMs),
    }
  }
}
