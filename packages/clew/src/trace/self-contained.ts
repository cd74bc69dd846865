import { ByteReader } from './byte-reader.ts'
import * as format from './format.ts'

const DOWN = format.EDGES.indexOf('down')
const REJECTED = format.STATUSES.indexOf('rejected')

/** Used again and again: a reply that brings a block must not cost an object for looking at it. */
const reader = new ByteReader(new Uint8Array(0))

/**
 * True when nothing of a block, or of a piece that is a whole block, can come by another road: it
 * announces no piece, and each of its calls brought its callee's block, or has none. Goes through the
 * bytes once and makes nothing of them; false too where they are damaged or of another version, and
 * an `Assembly` should say what is the matter.
 */
export function isSelfContained(bytes: Uint8Array): boolean {
  if (bytes.length > format.MAX_MESSAGE_BYTES) return false
  reader.bytes = bytes
  reader.at = 0
  reader.end = bytes.length
  reader.bad = false
  const first = reader.byte()
  const piece = first === (format.PIECE_MAGIC | format.VERSION)
  if (!piece && first !== (format.BLOCK_MAGIC | format.VERSION)) return false
  if (reader.varint() !== bytes.length - reader.at) return false
  skipStatus()
  reader.varint()
  const contained = (!piece || skipPieceHead()) && skipOwner() && skipOwn() && skipItems()
  reader.bytes = NOTHING
  return contained
}

const NOTHING = new Uint8Array(0)

function skipStatus(): void {
  if (reader.varint() % 2 === 1) reader.byte()
}

function skipText(): void {
  reader.skip(reader.varint())
}

/** Up to the owner; false where it is a part, whose rest is elsewhere. */
function skipPieceHead(): boolean {
  reader.skip(24)
  const flags = reader.byte()
  reader.varint()
  // Only roots by themselves: what else comes as a piece belongs to something.
  return flags === (format.PIECE_OWN | format.PIECE_ROOT)
}

/** Host, pid, service, method, receive. */
function skipOwner(): boolean {
  skipText()
  reader.varint()
  skipText()
  skipText()
  reader.varint()
  return !reader.bad
}

function skipOwn(): boolean {
  const flags = reader.byte()
  reader.varint()
  if ((flags & format.OWN_START) !== 0) reader.varint()
  if ((flags & format.OWN_IN_FLIGHT) !== 0) reader.varint()
  if ((flags & format.OWN_CALLS) !== 0) reader.varint()
  if ((flags & format.OWN_ERROR) !== 0) skipText()
  if ((flags & format.OWN_FIRST) !== 0) reader.varint()
  if ((flags & format.OWN_EXTENSION) !== 0) skipText()
  return !reader.bad
}

/** Nested items end where their call item does, so that all of them are one list. */
function skipItems(): boolean {
  while (reader.at < reader.end) {
    const tag = reader.byte()
    const kind = tag & 3
    if (kind === format.ITEM_POINTER) return false
    if (kind === format.ITEM_FOLD) skipFold()
    else if (kind === format.ITEM_EXTENSION) skipText()
    else if (!skipCall(tag)) return false
    if (reader.bad) return false
  }
  return true
}

function skipFold(): void {
  skipName()
  skipName()
  for (let field = 0; field < 7; field++) reader.varint()
}

/** Up to the items of its callee; false where the callee's records are not here. */
function skipCall(tag: number): boolean {
  const more = (tag & format.CALL_MORE) === 0 ? 0 : reader.byte()
  reader.skip(8)
  skipName()
  skipName()
  reader.varint()
  if ((more & format.MORE_PENDING) === 0) reader.varint()
  const status = (tag & format.CALL_STATUS) === 0 ? 0 : reader.byte()
  if ((tag & format.CALL_SEQ) !== 0) reader.varint()
  if ((tag & format.CALL_ATTEMPT) !== 0) reader.varint()
  if ((tag & format.CALL_ERROR) !== 0) skipName()
  const lost = (more & format.MORE_MISSING) !== 0
  if (lost) {
    reader.byte()
    reader.varint()
  }
  if ((more & format.MORE_EXTENSION) !== 0) skipText()
  if ((tag & format.CALL_BLOCK) !== 0) return skipCalleeHead()
  const foreign = (more & format.MORE_FOREIGN) !== 0
  if (foreign) skipText()
  return foreign || lost || (more & 3) === DOWN || status === REJECTED
}

function skipCalleeHead(): boolean {
  reader.varint()
  skipStatus()
  const place = reader.varint()
  const code = Math.floor(place / 2)
  if (code === format.PLACE_OTHER_PID) reader.varint()
  if (code === format.PLACE_OTHER_HOST) {
    skipText()
    reader.varint()
  }
  if (place % 2 === 1) {
    skipText()
    skipText()
  }
  reader.varint()
  return skipOwn()
}

function skipName(): void {
  const code = reader.byte()
  if (code >= format.NAME_NEW) skipText()
  else if (code === format.NAME_LONG_INDEX) reader.varint()
}
