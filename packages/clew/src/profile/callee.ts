import {
  BOUND,
  type Call,
  type Handler,
  type Interceptor,
  type Place,
  type Reply,
  STARTED,
  type Starting,
} from '../call/index.ts'
import type { Edge, ForeignContext, Status } from '../trace/index.ts'
import type { OwnRecord, PauseRecord, PieceExtra, ValueRecord } from '../trace/records.ts'
import { judge } from './access/gate.ts'
import { VISIT, type Visit } from './access/visit.ts'
import { callIdOf, isIdOf } from './call-id.ts'
import { isMadeUp, microseconds, monotonicMs, stampOf } from './clock.ts'
import { FOREIGN } from './foreign.ts'
import { repliedOutcome, thrownOutcome } from './outcome.ts'
import { Post } from './post.ts'
import type { InFlight, Profiler } from './profiler.ts'
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
  const context = readTraceContext(call)
  if (context !== undefined) return continued(profiler, call, next, context)
  const kept = profiler.rootsAtCallee && profiler.taker !== undefined
  const visit = call.values.get(VISIT)
  return kept || visit?.looks === true ? rooted(profiler, call, next, visit) : next(call)
}

/** A call that belongs to a trace begun elsewhere. */
function continued(
  profiler: Profiler,
  call: Call,
  next: Handler,
  context: TraceContext,
): Promise<Reply> {
  const work = new Work(profiler, call, context)
  const direct = context.unprefixed && context.parentId === work.log.callId
  return settled(next, call).then(
    (reply) => {
      work.replied(reply)
      try {
        if (direct && call.attachable) {
          const attachment = work.log.close(work.stamped())
          profiler.recorder?.block(work.log, call, attachment)
          return { ...reply, attachment }
        }
        sendAround(profiler, call, context, work)
      } catch (error) {
        profiler.failed('respond', error)
      }
      return reply
    },
    (error: unknown) => {
      work.failed(error)
      profiler.guard('respond', () => sendAround(profiler, call, context, work))
      throw error
    },
  )
}

/** Calls on; what is thrown at once counts as what is thrown later. */
function settled(next: Handler, call: Call): Promise<Reply> {
  try {
    return next(call)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Where no reply can carry the log, it goes to the root's inbox as one piece. */
function sendAround(profiler: Profiler, call: Call, context: TraceContext, work: Work): void {
  const { log, place } = work
  const piece = log.closeAsPiece(work.stamped(), place)
  profiler.recorder?.piece(log, piece)
  const visit = call.values.get(VISIT)
  profiler.guard('view', () => visit?.leave({ piece, ...ofWork(work), parent: context.parentId }))
  // Where nobody collects this trace, what we know of it is better kept here than lost.
  const keep = () => {
    if (profiler.taker !== undefined) profiler.guard('piece', () => profiler.roots.take(piece))
  }
  if (!profiler.post.reachable(context.traceId)) {
    keep()
    return
  }
  void profiler.post.send(context.traceId, piece).then((taken) => {
    if (!taken) keep()
  })
}

/** What fires a worker and belongs to no trace (a request, a moment, a peer's call): one begins here. */
function rooted(
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
    const piece = work.log.closeAsPiece(work.stamped(), work.place)
    profiler.recorder?.piece(work.log, piece)
    root.answeredBy(piece)
    visit?.leave({ piece, ...ofWork(work), parent: undefined })
  }
  return settled(next, call).then(
    (reply) => {
      work.replied(reply)
      profiler.guard('respond', handOver)
      if (!call.attachable || visit?.looks !== true) return reply
      const attachment = profiler.guard('view', () => visit.block(profiler.budget))
      return attachment === undefined ? reply : { ...reply, attachment }
    },
    (error: unknown) => {
      work.failed(error)
      profiler.guard('respond', handOver)
      throw error
    },
  )
}

function ofWork({ log }: Work) {
  return { owner: log, flags: log.flags }
}

/** One call being handled: its log, and the worker's own record, which is stamped again for each look at it. */
class Work implements Running, OwnRecord, Starting {
  readonly log: WorkerLog
  readonly receiveUs: number
  startUs: number | undefined = undefined
  respondUs = 0
  status: Status = 'pending'
  error: string | undefined = undefined
  readonly inFlight: number
  busy: number | undefined = undefined
  pauses: readonly PauseRecord[] | undefined = undefined
  readonly #profiler: Profiler
  readonly #call: Call
  readonly #handled: InFlight
  readonly #place: Place<Running> | undefined
  /** As the request says: of the call itself, where its caller has a record of it; null for a root. */
  readonly #parentId: string | null
  #values: TakenValues | undefined

  constructor(
    profiler: Profiler,
    call: Call,
    context: Pick<TraceContext, 'traceId' | 'flags' | 'state'> & {
      readonly parentId: string | null
    },
    post = profiler.post,
  ) {
    const nowMs = monotonicMs()
    const anchorMs = profiler.anchorMs(nowMs)
    const { parentId } = context
    this.receiveUs = stampOf(anchorMs, nowMs)
    this.#profiler = profiler
    this.#call = call
    this.#handled = profiler.inFlight(call.service)
    this.inFlight = ++this.#handled.calls
    this.#parentId = parentId
    const { service, method } = call
    const callId = parentId !== null && isIdOf(parentId, call.id) ? parentId : callIdOf(call)
    const at = { anchorMs, receiveUs: this.receiveUs }
    this.log = new WorkerLog({ callId, service, method }, context, at, profiler, post)
    this.#place = profiler.recorder?.begin(this)
    call.values.set(WORKER_LOG, this.log)
    call.values.set(STARTED, this)
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

  /** The method begins, later than the call arrived. */
  started(): void {
    this.startUs = microseconds(this.log.anchorMs)
  }

  /** The call has been answered. */
  replied(reply: Reply): void {
    this.#over()
    try {
      const { status, error } = repliedOutcome(reply, this.#call.id)
      this.status = status
      this.error = error
      if (reply.error === undefined) this.#values?.takeResult(reply.result)
    } catch (error) {
      this.#profiler.failed('outcome', error)
    }
  }

  /** An interceptor further in rejected: there is no reply. */
  failed(thrown: unknown): void {
    this.#over()
    try {
      const { status, error } = thrownOutcome(thrown)
      this.status = status
      this.error = error
    } catch (error) {
      this.#profiler.failed('outcome', error)
    }
  }

  #over(): void {
    this.#handled.calls--
    this.#place?.leave()
  }

  get traceId(): string {
    return this.log.traceId
  }

  /** What of its work is known while it goes on. */
  peek(): Uint8Array {
    const parent = callerId(callerIn(this.#call))
    const known = this.#parentId === this.log.callId && parent !== undefined
    return this.log.peek(this.stamped(), known ? { parent } : this.place)
  }

  /** Where the call belongs, for whom no reply tells it. */
  get place(): PieceExtra {
    const parent = this.#parentId
    if (parent === null) return { parent }
    return parent === this.log.callId ? {} : { parent, relays: relaysOf(this.#call) }
  }

  /** The worker's own record, as of now. */
  stamped(): OwnRecord {
    this.respondUs = microseconds(this.log.anchorMs)
    const { watch } = this.#profiler
    if (watch !== undefined && !isMadeUp()) {
      this.busy = watch.busy
      this.pauses = watch.pauses(this.receiveUs, this.respondUs, this.log.anchorMs)
    }
    return this
  }

  get redelivered(): boolean {
    return this.#call.redelivered
  }

  get calls(): number {
    return this.log.calls
  }

  get edge(): Edge | undefined {
    return this.#call.edge
  }

  get attempt(): number | undefined {
    return this.#call.attempt
  }

  get foreign(): ForeignContext | undefined {
    return this.#call.values.get(FOREIGN)
  }

  get version(): string | undefined {
    return this.#profiler.version
  }

  get values(): readonly ValueRecord[] | undefined {
    return this.#values?.records
  }
}
