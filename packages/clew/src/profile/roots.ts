import { ContextKey, newHalfId } from '../call/index.ts'
import { Assembly, pieceTraceId, readPiece } from '../trace/blocks.ts'
import type { Trace } from '../trace/index.ts'
import type { CallRecord } from '../trace/records.ts'

/** Takes the trace of a root call once it is whole, or as whole as it will be. */
export type TakeTrace = (trace: Trace) => void

/** The root trace a call belongs to; set by the interceptor that began it. */
export const ROOT = new ContextKey<RootTrace>('root trace')

/** Answered traces that wait for pieces at a time; the oldest is handed over as it is when there are more. */
const MOST_WAITING = 4096
/** Bytes of pieces held for all open traces together; more are counted as lost. */
const MOST_PIECE_BYTES = 64 * 1024 * 1024

export interface RootsOptions {
  /** How long to wait for pieces after the reply, in milliseconds. */
  readonly graceMs: number
  readonly host: string
  readonly pid: number
  /** Runs what must not throw into a call. */
  guard<T>(where: string, work: () => T): T | undefined
  /** Takes pieces that come when their trace has been handed over already. */
  readonly takeLate: TakeTrace
}

/** The traces that this process has begun, until they are handed over. */
export class Roots {
  /** Names this process's inbox; the left half of every trace id begun here. */
  readonly inboxKey: string = newHalfId()
  readonly #options: RootsOptions
  readonly #open = new Map<string, RootTrace>()
  readonly #waiting = new Set<RootTrace>()
  #pieceBytes = 0
  /** Pieces dropped because too many bytes were held. */
  dropped = 0

  constructor(options: RootsOptions) {
    this.#options = options
  }

  begin(): RootTrace {
    const root: RootTrace = new RootTrace(this.inboxKey + newHalfId(), this.#options, {
      waits: () => this.#wait(root),
      over: () => this.#forget(root),
    })
    this.#open.set(root.traceId, root)
    return root
  }

  /** A piece from the inbox, of whatever trace. */
  take(piece: Uint8Array): void {
    const traceId = pieceTraceId(piece)
    if (traceId === undefined) return
    const root = this.#open.get(traceId)
    if (root === undefined) {
      const late = readPiece(piece)
      if (late !== undefined) this.#options.takeLate(late)
      return
    }
    if (this.#pieceBytes + piece.length > MOST_PIECE_BYTES) {
      this.dropped++
      return
    }
    this.#pieceBytes += piece.length
    root.addPiece(piece)
  }

  /** Hands over everything that is still waiting, but for calls that nobody has answered. */
  flush(): void {
    for (const root of [...this.#open.values()]) if (root.hasEnded) root.handOver()
  }

  #wait(root: RootTrace): void {
    const [oldest] = this.#waiting
    if (this.#waiting.size >= MOST_WAITING) oldest?.handOver()
    this.#waiting.add(root)
  }

  #forget(root: RootTrace): void {
    this.#open.delete(root.traceId)
    this.#waiting.delete(root)
    this.#pieceBytes -= root.pieceBytes
  }
}

/** One trace begun here, from its root call's request until it is handed over. */
export class RootTrace {
  readonly traceId: string
  readonly #options: RootsOptions
  /** Until the trace is handed over: whoever remembers the call must not keep the whole trace. */
  #assembly: Assembly | undefined
  readonly #takers: TakeTrace[] = []
  #awaited = false
  readonly #told: { readonly waits: () => void; readonly over: () => void }
  #answered = false
  #expectsMore = true
  #timer: NodeJS.Timeout | undefined
  pieceBytes = 0

  constructor(
    traceId: string,
    options: RootsOptions,
    told: { readonly waits: () => void; readonly over: () => void },
  ) {
    this.traceId = traceId
    this.#options = options
    this.#assembly = new Assembly(traceId)
    this.#told = told
  }

  /**
   * Who gets the trace. Reading it takes time, so it is done when the event loop has a turn to spare,
   * unless somebody waits for it.
   */
  giveTo(take: TakeTrace, awaited = false): void {
    this.#takers.push(take)
    this.#awaited ||= awaited
  }

  addPiece(piece: Uint8Array): void {
    this.pieceBytes += piece.length
    this.#assembly?.addPiece(piece)
    this.#handOverWhenWhole()
  }

  /** The root call has ended; its block, if any came, begins the trace. */
  answered(record: CallRecord, block: Uint8Array | undefined): void {
    const { host, pid } = this.#options
    if (this.#assembly === undefined) {
      // A late reply: what it brings joins the trace that was handed over.
      const late = new Assembly(this.traceId)
      late.addRoot({ ...record, late: true }, { host, pid }, block)
      this.#options.takeLate(late.finish({ alone: true }))
      return
    }
    this.#assembly.addRoot(record, { host, pid }, block)
    this.#answered = true
    // Nothing ran below a call that was refused, and nobody waits any more for one given up.
    this.#expectsMore = record.status !== 'rejected' && record.status !== 'cancelled'
    this.#handOverWhenWhole()
    this.#waitForPieces()
  }

  /** A trace whose root is a callee here: the whole of it is one piece. */
  answeredBy(piece: Uint8Array): void {
    this.#answered = true
    // Not by `addPiece`: what never came through the inbox does not count against its bound.
    this.#assembly?.addPiece(piece)
    this.#handOverWhenWhole()
    this.#waitForPieces()
  }

  /** True when the root call has ended. */
  get hasEnded(): boolean {
    return this.#answered
  }

  /** Gives the trace away as it is. Only the first time counts. */
  handOver(): void {
    const assembly = this.#assembly
    if (assembly === undefined) return
    this.#assembly = undefined
    clearTimeout(this.#timer)
    this.#told.over()
    const trace =
      this.#options.guard('trace', () => assembly.finish()) ??
      new Assembly(this.traceId).finish({ alone: true })
    for (const take of this.#takers) this.#options.guard('sink', () => take(trace))
  }

  #waitForPieces(): void {
    if (this.#assembly === undefined || this.#whole) return
    // A busy process comes to its timers before its sockets, where pieces may lie that came long ago:
    // they are read in the turns up to the second immediate.
    const soon = () => setImmediate(() => setImmediate(() => this.handOver()))
    this.#timer ??= setTimeout(soon, this.#options.graceMs)
    this.#told.waits()
  }

  get #whole(): boolean {
    const assembly = this.#assembly
    if (assembly === undefined || assembly.waiting > 0) return false
    return !(this.#expectsMore && assembly.unannounced)
  }

  #handOverWhenWhole(): void {
    if (!this.#answered || !this.#whole) return
    if (this.#awaited) this.handOver()
    else setImmediate(() => this.handOver())
  }
}
