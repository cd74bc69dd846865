import {
  BOUND,
  type Call,
  ContextValues,
  type Place,
  type Reply,
  WORK_OBSERVER,
  type WorkObserver,
} from '../call/index.ts'
import type { Edge, ForeignContext, Status } from '../trace/index.ts'
import type { OwnRecord, PauseRecord, PieceExtra, ValueRecord } from '../trace/records.ts'
import { VISIT, type Visit } from './access/visit.ts'
import { callIdOf, isIdOf } from './call-id.ts'
import { isMadeUp, microseconds, monotonicMs, stampOf } from './clock.ts'
import { FOREIGN } from './foreign.ts'
import { repliedOutcome, thrownOutcome } from './outcome.ts'
import { Post } from './post.ts'
import type { InFlight, Profiler } from './profiler.ts'
import { callerId, callerIn, type Running } from './recall/recorder.ts'
import { relaysOf } from './relays.ts'
import type { RootTrace } from './roots.ts'
import type { TraceContext } from './trace-context.ts'
import type { TakenValues, ValueRules } from './value-rules.ts'
import { type Belonging, WORKER_LOG, WorkerLog } from './worker-log.ts'

/** Reaches no inbox. */
const NOWHERE = new Post()

/** In the place of a call that is over: nothing keeps its arguments. */
const NO_CALL: Call = Object.freeze({
  ...{ service: '', method: '', args: [], kwargs: {}, id: '', context: {}, headers: {} },
  ...{ timeoutMs: 0, signal: undefined, redelivered: false, attachable: false },
  ...{ rejected: undefined, values: new ContextValues(), observer: undefined },
})

/**
 * One call being handled: its log, with the worker's own record, which is stamped again for each look
 * at it. One object, because every call has one.
 */
export abstract class Work extends WorkerLog implements Running, OwnRecord, WorkObserver {
  startUs: number | undefined = undefined
  respondUs = 0
  status: Status = 'pending'
  error: string | undefined = undefined
  readonly inFlight: number
  busy: number | undefined = undefined
  pauses: readonly PauseRecord[] | undefined = undefined
  /** Whether it is told how the call ends as an observer. */
  readonly told: boolean
  protected readonly profiler: Profiler
  /** While it is not over. */
  protected call: Call
  readonly #handled: InFlight
  readonly #place: Place<Running> | undefined
  #values: TakenValues | undefined

  constructor(profiler: Profiler, call: Call, belonging: Belonging, told: boolean, post: Post) {
    const { parentId } = belonging
    const callId = parentId !== null && isIdOf(parentId, call.id) ? parentId : callIdOf(call)
    const nowMs = monotonicMs()
    const anchorMs = profiler.anchorMs(nowMs)
    super(callId, call, belonging, anchorMs, stampOf(anchorMs, nowMs), profiler, post)
    this.told = told
    this.profiler = profiler
    this.call = call
    this.#handled = profiler.inFlight(call.service)
    this.inFlight = ++this.#handled.calls
    this.#place = profiler.recorder?.begin(this)
    call.values.set(WORKER_LOG, this)
    call.values.set(WORK_OBSERVER, this)
    if (profiler.values !== undefined) this.#listen(profiler.values)
  }

  /** Where values of the method are listed, those of its arguments are taken before it runs. */
  #listen(rules: ValueRules): void {
    const { service, method, values } = this.call
    const listed = rules.of(service, method)
    if (listed === undefined) return
    const taken = rules.taking(listed, { service, method })
    this.#values = taken
    this.reserve(rules.mostBytes)
    values.set(BOUND, (bound) => taken.takeArguments(bound))
  }

  started(): void {
    this.startUs = microseconds(this.anchorMs)
  }

  replied(reply: Reply): Reply {
    return this.told ? this.answered(reply) : reply
  }

  /** The call has been answered; gives the reply that goes out. */
  answered(reply: Reply): Reply {
    this.#over()
    try {
      const { status, error } = repliedOutcome(reply, this.call.id)
      this.status = status
      this.error = error
      if (reply.error === undefined) this.#values?.takeResult(reply.result)
    } catch (error) {
      this.profiler.failed('outcome', error)
    }
    try {
      return this.carriedBy(reply)
    } catch (error) {
      this.profiler.failed('respond', error)
      return reply
    } finally {
      this.call = NO_CALL
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
      this.profiler.failed('outcome', error)
    }
    this.profiler.guard('respond', () => this.handOver())
    this.call = NO_CALL
  }

  /** The reply with the log behind it, where it can carry that; hands it over in another way else. */
  protected abstract carriedBy(reply: Reply): Reply

  /** Gives the log away where there is no reply that could carry it. */
  protected abstract handOver(): void

  #over(): void {
    this.#handled.calls--
    this.#place?.leave()
  }

  /** The whole of it, for an inbox, the recorder and whoever may look. */
  protected asPiece(visit: Visit | undefined, parent: string | undefined): Uint8Array {
    const piece = this.closeAsPiece(this.stamped(), this.place)
    this.profiler.recorder?.piece(this, piece)
    visit?.leave({ piece, owner: this, flags: this.flags, parent })
    return piece
  }

  /** What of its work is known while it goes on. */
  peek(): Uint8Array {
    const parent = callerId(callerIn(this.call))
    const known = this.belonging.parentId === this.callId && parent !== undefined
    return this.peekAt(this.stamped(), known ? { parent } : this.place)
  }

  /** Where the call belongs, for whom no reply tells it. */
  protected get place(): PieceExtra {
    const parent = this.belonging.parentId
    if (parent === null) return { parent }
    return parent === this.callId ? {} : { parent, relays: relaysOf(this.call) }
  }

  /** The worker's own record, as of now. */
  protected stamped(): OwnRecord {
    this.respondUs = microseconds(this.anchorMs)
    const { watch } = this.profiler
    if (watch !== undefined && !isMadeUp()) {
      this.busy = watch.busy
      this.pauses = watch.pauses(this)
    }
    return this
  }

  get redelivered(): boolean {
    return this.call.redelivered
  }

  get edge(): Edge | undefined {
    return this.call.edge
  }

  get attempt(): number | undefined {
    return this.call.attempt
  }

  get foreign(): ForeignContext | undefined {
    return this.call.values.get(FOREIGN)
  }

  get version(): string | undefined {
    return this.profiler.version
  }

  get values(): readonly ValueRecord[] | undefined {
    return this.#values?.records
  }
}

/** Work of a trace that was begun elsewhere. */
export class ContinuedWork extends Work {
  /** Whether the caller itself asked, so that the block goes into its log. */
  readonly #direct: boolean

  constructor(profiler: Profiler, call: Call, context: TraceContext, told: boolean) {
    super(profiler, call, context, told, profiler.post)
    this.#direct = context.unprefixed && context.parentId === this.callId
  }

  protected override carriedBy(reply: Reply): Reply {
    if (!this.#direct || !this.call.attachable) {
      this.handOver()
      return reply
    }
    const attachment = this.close(this.stamped())
    this.profiler.recorder?.block(this, this.call, attachment)
    return { ...reply, attachment }
  }

  /** Where no reply can carry the log, it goes to the root's inbox as one piece. */
  protected override handOver(): void {
    const { profiler, traceId } = this
    const piece = this.asPiece(this.call.values.get(VISIT), this.belonging.parentId ?? undefined)
    // Where nobody collects this trace, what we know of it is better kept here than lost.
    const keep = () => {
      if (profiler.taker !== undefined) profiler.guard('piece', () => profiler.roots.take(piece))
    }
    if (!profiler.post.reachable(traceId)) {
      keep()
      return
    }
    void profiler.post.send(traceId, piece).then((taken) => {
      if (!taken) keep()
    })
  }
}

/** Work that begins a trace: what fired it belongs to none. */
export class RootWork extends Work {
  readonly #root: RootTrace
  readonly #visit: Visit | undefined

  constructor(
    profiler: Profiler,
    call: Call,
    root: RootTrace,
    visit: Visit | undefined,
    told: boolean,
  ) {
    const belonging = { traceId: root.traceId, flags: '01', state: undefined, parentId: null }
    // Where nobody collects traces there is no inbox either: what does not fit is merged here.
    super(profiler, call, belonging, told, profiler.taker === undefined ? NOWHERE : profiler.post)
    this.#root = root
    this.#visit = visit
  }

  protected override carriedBy(reply: Reply): Reply {
    this.profiler.guard('respond', () => this.handOver())
    const visit = this.#visit
    if (!this.call.attachable || visit?.looks !== true) return reply
    const attachment = this.profiler.guard('view', () => visit.block(this.profiler.budget))
    return attachment === undefined ? reply : { ...reply, attachment }
  }

  protected override handOver(): void {
    this.#root.answeredBy(this.asPiece(this.#visit, undefined))
  }
}
