import { ContextKey, type Place, UnderWay } from '../call/index.ts'
import { Log } from '../trace/log.ts'
import type { CallRecord, LogOwner, OwnRecord, PieceExtra, Pointer } from '../trace/records.ts'
import type { Home } from './home.ts'
import type { Post } from './post.ts'
import type { Recorder } from './recall/recorder.ts'
import type { TraceContext } from './trace-context.ts'

/** Bytes kept free for the worker's own record when a log is measured against the budget. */
const OWN_BYTES = 600

const NONE: readonly CallRecord[] = []

/** Pointers kept in the log itself; older ones are found in the pieces. */
const MOST_POINTERS = 32

/** The log of the worker whose calls are being made. */
export const WORKER_LOG = new ContextKey<WorkerLog>('worker log')

/** What logs of one process have in common. */
export interface Carrier {
  readonly host: string
  readonly pid: number
  readonly budget: number
  readonly post: Post
  readonly recorder?: Recorder | undefined
}

/** Where a call belongs: its trace, and there its caller's record of it; null for a root. */
export type Belonging = Pick<TraceContext, 'traceId' | 'flags' | 'state'> & {
  readonly parentId: string | null
}

/**
 * The log of one worker, kept within a budget while it grows. What would exceed the budget goes to
 * the root's inbox at once, so neither memory nor the reply grows with the number of calls; where
 * no inbox can be reached, siblings are folded (the budget ladder of `docs/format.md`).
 */
export class WorkerLog implements LogOwner, Home {
  readonly callId: string
  readonly service: string
  readonly method: string
  readonly anchorMs: number
  readonly receiveUs: number
  protected readonly belonging: Belonging
  readonly #log: Log
  readonly #carrier: Carrier
  readonly #post: Post
  #open: UnderWay<CallRecord> | undefined
  #pointers: Pointer[] | undefined
  #calls = 0
  #pieces = 0
  #closed = false
  #ownBytes = OWN_BYTES

  constructor(
    callId: string,
    { service, method }: Pick<LogOwner, 'service' | 'method'>,
    belonging: Belonging,
    anchorMs: number,
    receiveUs: number,
    carrier: Carrier,
    post: Post = carrier.post,
  ) {
    this.callId = callId
    this.service = service
    this.method = method
    this.belonging = belonging
    this.anchorMs = anchorMs
    this.receiveUs = receiveUs
    this.#log = new Log(this, receiveUs)
    this.#carrier = carrier
    this.#post = post
  }

  get traceId(): string {
    return this.belonging.traceId
  }

  get flags(): string {
    return this.belonging.flags
  }

  get state(): string | undefined {
    return this.belonging.state
  }

  get host(): string {
    return this.#carrier.host
  }

  get pid(): number {
    return this.#carrier.pid
  }

  /** Keeps more bytes free for the worker's own record. */
  reserve(bytes: number): void {
    this.#ownBytes += bytes
  }

  /** Calls made so far. */
  get calls(): number {
    return this.#calls
  }

  begin(record: CallRecord): Place<CallRecord> {
    this.#open ??= new UnderWay()
    this.#calls++
    return this.#open.add(record)
  }

  end(record: CallRecord, block: Uint8Array | undefined): void {
    if (this.#closed) {
      this.#appendAfterwards(record, block)
      return
    }
    this.#makeRoom(block?.length ?? 0)
    this.#log.append(record, block)
    this.#makeRoom(0)
  }

  /** The block for the reply. Calls still open are recorded as pending. */
  close(own: OwnRecord): Uint8Array {
    this.#recordPending()
    return this.#log.close(own)
  }

  /** The whole log as a piece for the root's inbox, where the reply cannot carry it. */
  closeAsPiece(own: OwnRecord, extra: PieceExtra): Uint8Array {
    this.#recordPending()
    return this.#log.closePiece(own, extra)
  }

  /** What is known while the worker runs: what its calls brought so far, and those that have not ended. */
  peekAt(own: OwnRecord, extra: PieceExtra): Uint8Array {
    return this.#log.peek(own, this.#open ?? NONE, extra)
  }

  #recordPending(): void {
    this.#closed = true
    if (this.#open === undefined) return
    for (const record of this.#open) {
      this.#makeRoom(0)
      this.#log.append(record)
    }
  }

  /** Sends away what is held when `more` bytes would not fit beside it, or it is nested too deep. */
  #makeRoom(more: number): void {
    const room = this.#carrier.budget - this.#ownBytes
    if (!this.#log.overflows(room - more) || this.#log.calls === 0) return
    if (!this.#post.reachable(this.traceId)) {
      this.#log.fold(Math.max(0, room - more))
      return
    }
    const { calls, worst } = this.#log
    const piece = this.#log.takePiece(this.#pieces)
    this.#carrier.recorder?.piece(this, piece)
    void this.#post.send(this.traceId, piece)
    this.#pointers ??= []
    this.#pointers.push({ piece: this.#pieces++, calls, bytes: piece.length, worst })
    // The piece took the older pointers along; they are repeated so that one lost piece hides no other.
    if (this.#pointers.length > MOST_POINTERS) this.#pointers.shift()
    for (const pointer of this.#pointers) this.#log.appendPointer(pointer)
  }

  /** The worker has answered already: what still comes travels alone. */
  #appendAfterwards(record: CallRecord, block: Uint8Array | undefined): void {
    const late = new Log(this, record.requestUs)
    late.append(record, block)
    void this.#post.send(this.traceId, late.takePiece(this.#pieces++))
  }
}
