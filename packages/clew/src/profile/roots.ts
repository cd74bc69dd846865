import { ById, ContextKey, newHalfId, SharedIds, type Waiting } from '../call/index.ts'
import {
  Assembly,
  isSelfContained,
  type Packet,
  type PacketRoot,
  pieceTraceId,
  readPacket,
  unreadTrace,
  worstStatus,
} from '../trace/blocks.ts'
import type { Status, Trace } from '../trace/index.ts'
import type { CallRecord } from '../trace/records.ts'
import type { Home } from './home.ts'
import type { OpenRoots } from './recall/recorder.ts'
import type { Taker } from './taker.ts'

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
  /** What stamps are reckoned with now. */
  anchorMs(): number
  /** Told of what must not be thrown into a call. */
  failed(where: string, error: unknown): void
  /** Runs what must not throw into a call. */
  guard<T>(where: string, work: () => T): T | undefined
  /** Takes pieces and replies that come when their trace has been handed over already. */
  readonly takeLate: (late: Packet) => void
  /** Told of root calls that have ended. */
  readonly ended?: ((traceId: string, root: PacketRoot) => void) | undefined
  /** Asks others what they know of a trace that lost something; they answer to the inbox. */
  readonly recall?: ((traceId: string) => void) | undefined
}

/** The traces that this process has begun, until they are handed over. */
export class Roots implements OpenRoots {
  /** Names this process's inbox; the left half of every trace id begun here. */
  readonly inboxKey: string = newHalfId()
  readonly options: RootsOptions
  readonly #ids = new SharedIds(this.inboxKey)
  readonly #open = new ById<RootTrace>()
  readonly #waiting = new Set<RootTrace>()
  #handingOver: RootTrace[] = []
  #pieceBytes = 0
  /** Pieces dropped because too many bytes were held. */
  dropped = 0

  constructor(options: RootsOptions) {
    this.options = options
  }

  begin(): RootTrace {
    const root = new RootTrace(this.#ids.next(), this, this.options.anchorMs())
    root.waiting = this.#open.add(root.traceId, root)
    return root
  }

  /** Root calls that wait for their reply. */
  pending(traceId: string): PacketRoot | undefined {
    return this.#open.get(traceId)?.pending
  }

  /** A message of the inbox: a piece of whatever trace, or several of one. */
  take(message: Uint8Array): void {
    const traceId = pieceTraceId(message)
    if (traceId !== undefined) {
      this.#take(traceId, message)
      return
    }
    // What a root's own record in it says is known here.
    const packet = readPacket(message)
    if (packet === undefined) return
    for (const piece of packet.pieces) {
      if (pieceTraceId(piece) === packet.traceId) this.#take(packet.traceId, piece)
    }
  }

  #take(traceId: string, piece: Uint8Array): void {
    const root = this.#open.get(traceId)
    if (root === undefined || root.isWhole) {
      this.options.takeLate({ traceId, pieces: [piece], ended: false })
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
    for (const root of this.#open.values()) if (root.hasEnded) root.handOver()
  }

  /** From a trace that is whole: it is handed over when the event loop has a turn to spare. */
  handOverSoon(root: RootTrace): void {
    if (this.#handingOver.push(root) === 1) setImmediate(() => this.#handOverAll())
  }

  #handOverAll(): void {
    const roots = this.#handingOver
    this.#handingOver = []
    for (const root of roots) root.handOver()
  }

  /** From a trace that waits for pieces. */
  waits(root: RootTrace): void {
    const [oldest] = this.#waiting
    if (this.#waiting.size >= MOST_WAITING) oldest?.handOver()
    this.#waiting.add(root)
  }

  /** From a trace that is handed over. */
  forget(root: RootTrace): void {
    if (root.waiting !== undefined) this.#open.delete(root.waiting)
    if (this.#waiting.size > 0) this.#waiting.delete(root)
    this.#pieceBytes -= root.pieceBytes
  }
}

/** One trace begun here, from its root call's request until it is handed over. */
export class RootTrace implements Home {
  readonly traceId: string
  readonly anchorMs: number
  readonly #all: Roots
  #taker: Taker | undefined
  #otherTakers: Taker[] | undefined
  #awaited = false
  /** Somebody wants it as it came; somebody wants it read. */
  #kept = false
  #read = false
  /** As it came, where somebody wants that: the root's own record first, then those of late replies. */
  #roots: PacketRoot[] | undefined
  #pieces: Uint8Array[] | undefined
  /** Made when there is something to be read. */
  #assembly: Assembly | undefined
  /** Whole, and read when it is looked at. */
  #unread: Trace | undefined
  /** Handed over: whoever remembers the call must not keep the whole trace. */
  #over = false
  #answered = false
  #expectsMore = true
  #begun: CallRecord | undefined
  /** Others were asked; what they answer is waited for as long as for anything else. */
  #recalled = false
  #timer: NodeJS.Timeout | undefined
  pieceBytes = 0
  /** Among the traces that are open; theirs. */
  waiting: Waiting<RootTrace> | undefined

  constructor(traceId: string, all: Roots, anchorMs: number) {
    this.traceId = traceId
    this.anchorMs = anchorMs
    this.#all = all
  }

  get flags(): string {
    return '01'
  }

  get state(): undefined {
    return undefined
  }

  /** A root makes one call. */
  get calls(): number {
    return 0
  }

  /**
   * Who gets the trace. Reading it takes time, so it is done when the event loop has a turn to spare,
   * unless somebody waits for it.
   */
  giveTo(taker: Taker, awaited = false): void {
    if (this.#taker === undefined) this.#taker = taker
    else {
      this.#otherTakers ??= []
      this.#otherTakers.push(taker)
    }
    this.#awaited ||= awaited
    if (taker.takePacket === undefined) this.#read = true
    else this.#kept = true
  }

  addPiece(piece: Uint8Array): void {
    this.pieceBytes += piece.length
    this.#addPiece(piece)
    this.#handOverWhenWhole()
  }

  #addPiece(piece: Uint8Array): void {
    if (this.#over) return
    const assembly = this.#readAlong
    if (this.#kept) {
      this.#pieces ??= []
      this.#pieces.push(piece)
    }
    assembly?.addPiece(piece)
  }

  #addRoot(root: PacketRoot): void {
    const assembly = this.#readAlong
    if (this.#kept) {
      this.#roots ??= []
      // A copy: while it waits it must not keep what else the connection has read.
      this.#roots.push({ ...root, block: root.block?.slice() })
    }
    assembly?.addRoot(root.record, root, root.block)
  }

  /** The root call leaves. */
  begin(record: CallRecord): undefined {
    this.#begun = record
  }

  /** The root call, while it waits for its reply. */
  get pending(): PacketRoot | undefined {
    const { host, pid } = this.#all.options
    if (this.#answered || this.#begun === undefined) return undefined
    return { record: this.#begun, host, pid }
  }

  /** The root call has ended; its block, if any came, begins the trace. */
  end(record: CallRecord, block: Uint8Array | undefined): void {
    const { host, pid, takeLate, ended } = this.#all.options
    if (this.#over || this.isWhole) {
      // A late reply: what it brings joins the trace that was handed over.
      const root = { record: { ...record, late: true }, host, pid, block }
      takeLate({ traceId: this.traceId, root, pieces: [], ended: false })
      return
    }
    const root = { record, host, pid, block }
    ended?.(this.traceId, root)
    // Nothing ran below a call that was refused, and nobody waits any more for one given up.
    this.#expectsMore = record.status !== 'rejected' && record.status !== 'cancelled'
    if (block !== undefined && this.#passOn(root, NOTHING, block)) return
    this.#addRoot(root)
    this.#end(isLost(record.status) || (block !== undefined && isLost(worstStatus(block))))
  }

  /** A trace whose root is a callee here: the whole of it is one piece. */
  answeredBy(piece: Uint8Array): void {
    if (this.#over || this.#passOn(undefined, [piece], piece)) return
    // What never came through the inbox does not count against its bound.
    this.#addPiece(piece)
    this.#end(isLost(worstStatus(piece)))
  }

  /** The usual trace: nothing else will come, and nobody has to read it here. */
  #passOn(root: PacketRoot | undefined, pieces: readonly Uint8Array[], block: Uint8Array): boolean {
    if (this.#answered || this.#assembly !== undefined || this.#pieces !== undefined) return false
    const packet = { traceId: this.traceId, root, pieces, ended: true }
    if (!this.#read) return this.#kept && this.#passOnPacket(packet, block)
    if (this.#kept) return false
    const unread = unreadTrace(packet, block)
    if (unread === undefined) return false
    this.#answered = true
    this.#unread = unread
    this.#handOverWhenWhole()
    return true
  }

  #passOnPacket(packet: Packet, block: Uint8Array): boolean {
    if (!isSelfContained(block)) return false
    this.#answered = true
    this.#finish()
    this.#give(packet)
    return true
  }

  /** @param lost somebody waited for an answer in vain */
  #end(lost: boolean): void {
    this.#answered = true
    if (lost && !this.#whole) this.#recall()
    this.#handOverWhenWhole()
    this.#waitForPieces()
  }

  /** True when nothing can be added any more. */
  get isWhole(): boolean {
    return this.#unread !== undefined
  }

  /** True when the root call has ended. */
  get hasEnded(): boolean {
    return this.#answered
  }

  /** Gives the trace away as it is. Only the first time counts. */
  handOver(): void {
    if (this.#over) return
    this.#finish()
    const trace = this.#unread ?? this.#assembled()
    this.#unread = undefined
    if (trace === undefined) return
    if (this.#taker !== undefined) this.#giveTrace(this.#taker, trace)
    for (const taker of this.#otherTakers ?? NOBODY) this.#giveTrace(taker, trace)
  }

  /** To those who want it read. */
  #giveTrace(taker: Taker, trace: Trace): void {
    if (taker.takePacket !== undefined) return
    try {
      taker.take(trace)
    } catch (error) {
      this.#all.options.failed('sink', error)
    }
  }

  /** What has been read, once those have it who want it as it came; undefined where nobody else wants it. */
  #assembled(): Trace | undefined {
    const assembly = this.#reading
    if (this.#kept) this.#giveKept(assembly.waiting === 0)
    this.#assembly = undefined
    if (!this.#read) return undefined
    return (
      this.#all.options.guard('trace', () => assembly.finish()) ??
      new Assembly(this.traceId).finish({ alone: true })
    )
  }

  #finish(): void {
    this.#over = true
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#all.forget(this)
  }

  #giveKept(ended: boolean): void {
    const { traceId } = this
    const [root, ...late] = this.#roots ?? []
    this.#give({ traceId, root, pieces: this.#pieces ?? NOTHING, ended })
    for (const root of late) this.#give({ traceId, root, pieces: NOTHING, ended: false })
  }

  /** To those who want it as it came. */
  #give(packet: Packet): void {
    if (this.#taker !== undefined) this.#givePacket(this.#taker, packet)
    for (const taker of this.#otherTakers ?? NOBODY) this.#givePacket(taker, packet)
  }

  #givePacket(taker: Taker, packet: Packet): void {
    try {
      taker.takePacket?.(packet)
    } catch (error) {
      this.#all.options.failed('sink', error)
    }
  }

  #waitForPieces(): void {
    if (this.#over || this.#whole) return
    // A busy process comes to its timers before its sockets, where pieces may lie that came long ago:
    // they are read in the turns up to the second immediate.
    const soon = () => setImmediate(() => setImmediate(() => this.#giveUp()))
    this.#timer ??= setTimeout(soon, this.#all.options.graceMs)
    this.#all.waits(this)
  }

  /** What has not come by now is asked for; the answers follow the trace as what comes late does. */
  #giveUp(): void {
    if (!this.#over && this.#reading.waiting > 0) this.#recall()
    this.handOver()
  }

  #recall(): void {
    const { recall } = this.#all.options
    if (this.#recalled || recall === undefined) return
    this.#recalled = true
    recall(this.traceId)
  }

  get #whole(): boolean {
    if (this.#over || this.#recalled) return false
    if (this.isWhole) return true
    const assembly = this.#reading
    return assembly.waiting === 0 && !(this.#expectsMore && assembly.unannounced)
  }

  /** What reads along while things come; undefined while it may be that nobody has to. */
  get #readAlong(): Assembly | undefined {
    return this.#read || !this.#kept ? this.#reading : this.#assembly
  }

  /** What has read all that came. */
  get #reading(): Assembly {
    if (this.#assembly !== undefined) return this.#assembly
    const assembly = new Assembly(this.traceId)
    this.#assembly = assembly
    for (const root of this.#roots ?? NO_ROOTS) assembly.addRoot(root.record, root, root.block)
    for (const piece of this.#pieces ?? NOTHING) assembly.addPiece(piece)
    return assembly
  }

  #handOverWhenWhole(): void {
    if (!this.#answered || !this.#whole) return
    if (this.#awaited) this.handOver()
    else this.#all.handOverSoon(this)
  }
}

const NOTHING: readonly Uint8Array[] = []
const NOBODY: readonly Taker[] = []
const NO_ROOTS: readonly PacketRoot[] = []

const isLost = (status: Status) => status === 'timeout' || status === 'lost'
