import { ByteReader } from './byte-reader.ts'
import * as format from './format.ts'

/** A name that the item itself brings; others are told by their index. */
export const NEW_NAME = -1

const NOTHING = new Uint8Array(0)
const DOWN = format.EDGES.indexOf('down')
const REJECTED = format.STATUSES.indexOf('rejected')

/**
 * Goes through the bytes of a block or a piece once and makes nothing of them: for questions that must
 * cost less than reading. Nested items end where their call item does, so that all of them are one list.
 * Made to be used again and again.
 */
export class Skim {
  readonly #reader = new ByteReader(NOTHING)
  /** Of a piece; undefined for a block. */
  pieceFlags: number | undefined
  /** High nibble the worst status, low nibble the callee's own. */
  status = 0
  /** Call items announced in it, nested ones included. */
  calls = 0
  /** Of the owner's own record: from receive to respond, in microseconds; 0 for a part of a log. */
  handledUs = 0
  /** Where the owner's service begins, a text, and its method behind it. */
  namesAt = 0

  /** Some process tells of pauses. */
  pauses = false

  /** How many names the item that `next` came to has brought: items of the same owner refer to them. */
  newNames = 0

  // Of the call that `next` came to.
  service = NEW_NAME
  method = NEW_NAME
  /** Undefined while pending. */
  tookUs: number | undefined
  callStatus = 0
  edge = 0
  late = false
  /** Calls below it were lost, or are in a block that is not known here. */
  lost = false
  /** Where the callee's items end; undefined where the callee's block is not here. */
  end: number | undefined

  /** True where the call that `next` came to has nothing at its callee: an operation, or one refused. */
  get isAlone(): boolean {
    return this.edge === DOWN || this.callStatus === REJECTED
  }

  /** Up to the first item; false where the bytes are damaged or of another version. */
  begin(bytes: Uint8Array): boolean {
    if (bytes.length > format.MAX_MESSAGE_BYTES) return false
    const reader = this.#reader
    reader.bytes = bytes
    reader.at = 0
    reader.end = bytes.length
    reader.bad = false
    const first = reader.byte()
    const piece = first === (format.PIECE_MAGIC | format.VERSION)
    if (!piece && first !== (format.BLOCK_MAGIC | format.VERSION)) return false
    if (reader.varint() !== bytes.length - reader.at) return false
    const count = reader.varint()
    this.calls = Math.floor(count / 2)
    this.status = count % 2 === 1 ? reader.byte() : 0
    reader.varint()
    this.pieceFlags = undefined
    if (piece) {
      reader.skip(24)
      this.pieceFlags = reader.byte()
      reader.varint()
    }
    this.#skipOwner()
    this.handledUs = 0
    this.pauses = false
    if (this.pieceFlags === undefined) this.#skipOwn(true)
    else this.#skipPieceRest(this.pieceFlags)
    return !reader.bad
  }

  /** Lets the bytes go. */
  finish(): void {
    this.#reader.bytes = NOTHING
  }

  get at(): number {
    return this.#reader.at
  }

  /** Whether something does not fit; nothing more can be gone through then. */
  get bad(): boolean {
    return this.#reader.bad
  }

  /** Kind of the next item, its fields filled for calls; undefined at the end, or where the rest is `bad`. */
  next(): number | undefined {
    const reader = this.#reader
    if (reader.bad || reader.at >= reader.end) return undefined
    const tag = reader.byte()
    const kind = tag & 3
    this.newNames = 0
    if (kind === format.ITEM_CALL) this.#skipCall(tag)
    else if (kind === format.ITEM_FOLD) this.#skipFold()
    else if (kind === format.ITEM_EXTENSION) this.#skipText()
    else for (let field = 0; field < 4; field++) field < 3 ? reader.varint() : reader.byte()
    return reader.bad ? undefined : kind
  }

  #skipText(): void {
    this.#reader.skip(this.#reader.varint())
  }

  /** Host, pid, service, method, receive. */
  #skipOwner(): void {
    this.#skipText()
    this.#reader.varint()
    this.namesAt = this.#reader.at
    this.#skipText()
    this.#skipText()
    this.#reader.varint()
  }

  #skipPieceRest(flags: number): void {
    const reader = this.#reader
    if ((flags & format.PIECE_PARENT) !== 0) reader.skip(8)
    const relays = (flags & format.PIECE_RELAYS) === 0 ? 0 : reader.varint()
    if (relays > format.MAX_RELAYS) reader.bad = true
    for (let text = 0; text < relays * 3 && !reader.bad; text++) this.#skipText()
    if ((flags & format.PIECE_EXTENSION) !== 0) this.#skipText()
    if ((flags & format.PIECE_OWN) !== 0) this.#skipOwn(true)
    else reader.varint()
  }

  #skipOwn(outermost: boolean): void {
    const reader = this.#reader
    const flags = reader.byte()
    const handledUs = reader.varint()
    if (outermost) this.handledUs = handledUs
    if ((flags & format.OWN_START) !== 0) reader.varint()
    if ((flags & format.OWN_IN_FLIGHT) !== 0) reader.varint()
    if ((flags & format.OWN_CALLS) !== 0) reader.varint()
    if ((flags & format.OWN_ERROR) !== 0) this.#skipText()
    if ((flags & format.OWN_FIRST) !== 0) reader.varint()
    if ((flags & format.OWN_EXTENSION) !== 0) this.#skipExtension()
  }

  #skipExtension(): void {
    const reader = this.#reader
    const length = reader.varint()
    const start = reader.skip(length)
    if (length === 0 || reader.bad) return
    if ((reader.bytes[start]! & format.OWN_MORE_PAUSES) !== 0) this.pauses = true
  }

  #skipCall(tag: number): void {
    const reader = this.#reader
    const more = (tag & format.CALL_MORE) === 0 ? 0 : reader.byte()
    reader.skip(8)
    this.service = this.#skipName()
    this.method = this.#skipName()
    reader.varint()
    this.tookUs = (more & format.MORE_PENDING) === 0 ? reader.varint() : undefined
    this.callStatus = (tag & format.CALL_STATUS) === 0 ? 0 : reader.byte()
    this.edge = more & 3
    this.late = (more & format.MORE_LATE) !== 0
    if ((tag & format.CALL_SEQ) !== 0) reader.varint()
    if ((tag & format.CALL_ATTEMPT) !== 0) reader.varint()
    if ((tag & format.CALL_ERROR) !== 0) this.#skipName()
    this.lost = (more & (format.MORE_MISSING | format.MORE_FOREIGN)) !== 0
    if ((more & format.MORE_MISSING) !== 0) {
      reader.byte()
      reader.varint()
    }
    if ((more & format.MORE_EXTENSION) !== 0) this.#skipText()
    this.end = undefined
    if ((tag & format.CALL_BLOCK) !== 0) this.#skipCalleeHead()
    else if ((more & format.MORE_FOREIGN) !== 0) this.#skipText()
  }

  #skipCalleeHead(): void {
    const reader = this.#reader
    const length = reader.varint()
    this.end = reader.at + length
    if (reader.varint() % 2 === 1) reader.byte()
    const place = reader.varint()
    const code = Math.floor(place / 2)
    if (code === format.PLACE_OTHER_PID) reader.varint()
    if (code === format.PLACE_OTHER_HOST) {
      this.#skipText()
      reader.varint()
    }
    if (place % 2 === 1) {
      this.#skipText()
      this.#skipText()
    }
    reader.varint()
    this.#skipOwn(false)
  }

  #skipName(): number {
    const reader = this.#reader
    const code = reader.byte()
    if (code === format.NAME_LONG_INDEX) return code + reader.varint()
    if (code < format.NAME_NEW) return code
    this.#skipText()
    this.newNames++
    return NEW_NAME
  }

  #skipFold(): void {
    this.#skipName()
    this.#skipName()
    for (let field = 0; field < 7; field++) this.#reader.varint()
  }
}
