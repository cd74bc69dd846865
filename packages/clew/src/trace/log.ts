import { allocate, ByteWriter, copyBytes, varintSize } from './byte-writer.ts'
import { Draft, type FoldRecord } from './draft.ts'
import type { Status } from './entry.ts'
import { foldDraft } from './fold.ts'
import * as format from './format.ts'
import { putMore, saysMore } from './own-extension.ts'
import type { CallRecord, LogOwner, OwnRecord, PieceExtra, Pointer } from './records.ts'

export type { FoldRecord } from './draft.ts'
export { blockCalls } from './head.ts'
export type * from './records.ts'

/** Drafts that no log uses at the moment, and the size up to which one is worth keeping. */
const spare: Draft[] = []
const MOST_SPARE = 64
const LARGEST_SPARE = 65_536

/** Heads are written here and copied out with the items behind them. */
const scratch = new ByteWriter(2_048)
/** Bytes of items beyond which no more are added for a look at a log that goes on. */
const MOST_PEEKED = 48 * 1024

/** Room before the head for the first byte and the length of what follows. */
const GAP = 8

/**
 * What a worker knows of its call while it runs: the calls it made, with the blocks that their
 * replies brought. Nothing given to it makes it throw, and no block is parsed beyond its head.
 */
export class Log {
  readonly #owner: LogOwner
  readonly #receiveUs: number
  #draft: Draft | undefined
  /** Calls that went away in pieces, which the positions of later ones go on from. */
  #gone = 0

  /** @param receiveUs when the call arrived: whole microseconds since 1970, the base of all stamps */
  constructor(owner: LogOwner, receiveUs: number) {
    this.#owner = owner
    this.#receiveUs = format.toStamp(receiveUs)
  }

  /** Bytes held now. */
  get size(): number {
    return this.#draft?.out.at ?? 0
  }

  /** Calls held now, nested ones included. */
  get calls(): number {
    return this.#draft?.calls ?? 0
  }

  /** The worst status among the calls held now. */
  get worst(): Status {
    return format.statusOf(this.#draft?.worst ?? 0)
  }

  /**
   * True when what is held should leave in a piece (or be folded): it takes more than `budget`
   * bytes, or a block around it would be nested deeper than a reader follows.
   */
  overflows(budget: number): boolean {
    const draft = this.#draft
    return draft !== undefined && (draft.out.at > budget || draft.depth >= format.MAX_DEPTH - 1)
  }

  /** Adds a call that has ended, or is given up as pending, and the block that its reply brought. */
  append(record: CallRecord, block?: Uint8Array | undefined): void {
    this.#open().call(record, block)
  }

  /** Stands for a piece that was sent to the root's inbox. */
  appendPointer(pointer: Pointer): void {
    this.#open().pointer(pointer)
  }

  /** Adds siblings that were merged before. */
  appendFold(fold: FoldRecord): void {
    this.#open().fold(fold)
  }

  #open(): Draft {
    if (this.#draft === undefined) {
      this.#draft = spare.pop() ?? new Draft()
      this.#draft.reset(this.#owner, this.#receiveUs, this.#gone)
    }
    return this.#draft
  }

  #release(): void {
    const draft = this.#draft
    if (draft === undefined) return
    this.#draft = undefined
    this.#gone += draft.records
    if (spare.length >= MOST_SPARE || draft.out.buffer.length > LARGEST_SPARE) return
    draft.clear()
    spare.push(draft)
  }

  /** Everything held, as a message that can be read without any other. Empties the log. */
  takePiece(piece: number): Uint8Array {
    const head = this.#pieceHead(0, piece, undefined, 0)
    return this.#finish(format.PIECE_MAGIC, head)
  }

  /**
   * Makes what is held take at most `maxBytes`, for when nobody takes pieces: siblings of one method
   * are merged to their count and times, all but erroneous ones, the longest and stragglers; where
   * that is not enough, what lies below calls is left out; then the rest is merged and left out too.
   * All that goes is counted.
   */
  fold(maxBytes: number): void {
    const draft = this.#draft
    if (draft === undefined || draft.out.at <= maxBytes) return
    const folded = spare.pop() ?? new Draft()
    folded.reset(this.#owner, this.#receiveUs, draft.first)
    foldDraft(draft, folded, maxBytes)
    this.#draft = folded
    draft.clear()
    if (spare.length < MOST_SPARE) spare.push(draft)
  }

  /** The block for the reply. The log is empty and done with. */
  close(own: OwnRecord): Uint8Array {
    const owner = this.#owner
    scratch.at = GAP
    this.#putCounts(format.statusCode(own.status))
    scratch.text(owner.host)
    scratch.varint(format.toCount(owner.pid))
    scratch.text(owner.service)
    scratch.text(owner.method)
    scratch.varint(this.#receiveUs)
    this.#putOwn(own)
    return this.#finish(format.BLOCK_MAGIC, scratch.at)
  }

  /**
   * The same as a piece for the inbox: where the reply cannot carry a block (below a service that
   * keeps no entries), and where the callee is itself the root. The log is empty and done with.
   */
  closePiece(own: OwnRecord, extra: PieceExtra = {}): Uint8Array {
    const { parent, relays = [] } = extra
    let flags = format.PIECE_OWN
    if (parent === null) flags |= format.PIECE_ROOT
    else if (parent !== undefined) flags |= format.PIECE_PARENT
    if (relays.length > 0) flags |= format.PIECE_RELAYS
    this.#pieceHead(flags, 0, extra, format.statusCode(own.status))
    this.#putOwn(own)
    return this.#finish(format.PIECE_MAGIC, scratch.at)
  }

  /**
   * What a log holds that goes on, as `closePiece` would write it: its worker is still running. Of the
   * calls that have not ended, those that fit into a message are in it.
   */
  peek(own: OwnRecord, open: Iterable<CallRecord>, extra: PieceExtra = {}): Uint8Array {
    const copy = new Log(this.#owner, this.#receiveUs)
    copy.#gone = this.#gone
    if (this.#draft !== undefined) {
      copy.#draft = spare.pop() ?? new Draft()
      copy.#draft.copy(this.#draft)
    }
    for (const record of open) {
      if (copy.size > MOST_PEEKED) break
      copy.append(record)
    }
    return copy.closePiece(own, extra)
  }

  #putCounts(status: number): void {
    const draft = this.#draft
    const worst = Math.max(status, draft?.worst ?? 0)
    const both = worst * 16 + status
    scratch.varint((draft?.calls ?? 0) * 2 + (both === 0 ? 0 : 1))
    if (both !== 0) scratch.byte(both)
    scratch.varint((draft?.depth ?? 0) + 1)
  }

  #pieceHead(flags: number, piece: number, extra: PieceExtra | undefined, status: number): number {
    const owner = this.#owner
    scratch.at = GAP
    this.#putCounts(status)
    scratch.id(owner.traceId, 16)
    scratch.id(owner.callId, 8)
    scratch.byte(flags)
    scratch.varint(format.toCount(piece))
    scratch.text(owner.host)
    scratch.varint(format.toCount(owner.pid))
    scratch.text(owner.service)
    scratch.text(owner.method)
    scratch.varint(this.#receiveUs)
    if (typeof extra?.parent === 'string') scratch.id(extra.parent, 8)
    if ((flags & format.PIECE_RELAYS) !== 0) {
      const relays = (extra?.relays ?? []).slice(0, format.MAX_RELAYS)
      scratch.varint(relays.length)
      for (const { service, method, id } of relays) {
        scratch.text(service)
        scratch.text(method)
        scratch.text(id ?? '')
      }
    }
    // Where a whole block has its own record, a part says where its positions begin.
    if ((flags & format.PIECE_OWN) === 0) scratch.varint(this.#first)
    return scratch.at
  }

  /** Calls that went away in pieces before those held now. */
  get #first(): number {
    return this.#draft?.first ?? this.#gone
  }

  #putOwn(own: OwnRecord): void {
    const draft = this.#draft
    const took = format.toStamp(own.respondUs) - this.#receiveUs
    const inFlight = format.toCount(own.inFlight)
    const calls = format.toCount(own.calls)
    let flags = 0
    if (own.startUs !== undefined) flags |= format.OWN_START
    if (own.redelivered) flags |= format.OWN_REDELIVERED
    if (inFlight !== 1) flags |= format.OWN_IN_FLIGHT
    if (calls !== (draft?.records ?? 0)) flags |= format.OWN_CALLS
    if (own.error !== undefined) flags |= format.OWN_ERROR
    if (took < 0) flags |= format.OWN_BACKWARD
    if (this.#first > 0) flags |= format.OWN_FIRST
    if (saysMore(own)) flags |= format.OWN_EXTENSION
    scratch.byte(flags)
    scratch.varint(Math.abs(took))
    if (own.startUs !== undefined) scratch.zigzag(format.toStamp(own.startUs) - this.#receiveUs)
    if (inFlight !== 1) scratch.varint(inFlight)
    if (calls !== (draft?.records ?? 0)) scratch.varint(calls)
    if (own.error !== undefined) scratch.text(own.error)
    if (this.#first > 0) scratch.varint(this.#first)
    if (saysMore(own)) putMore(scratch, own, this.#receiveUs)
  }

  /** Puts the head in scratch and the items together, with the first byte and the length in front. */
  #finish(magic: number, headEnd: number): Uint8Array {
    const items = this.#draft?.out
    const itemBytes = items?.at ?? 0
    const length = headEnd - GAP + itemBytes
    const start = GAP - 1 - varintSize(length)
    scratch.at = start
    scratch.byte(magic | format.VERSION)
    scratch.varint(length)
    const finished = allocate(headEnd - start + itemBytes)
    copyBytes(scratch.buffer, start, headEnd, finished, 0)
    if (items !== undefined) copyBytes(items.buffer, 0, itemBytes, finished, headEnd - start)
    this.#release()
    return finished
  }
}
