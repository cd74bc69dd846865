import type { Edge, Missing, Pause, Status } from './entry.ts'

/** Version of the blocks and pieces that this code writes. See docs/format.md for the history. */
export const VERSION = 1

/** High nibble of a block's first byte; the low nibble is the version. */
export const BLOCK_MAGIC = 0xc0
/** High nibble of a piece's first byte; the low nibble is the version. */
export const PIECE_MAGIC = 0xd0

/** Most bytes that a reader accepts in one reply's block or one inbox message. */
export const MAX_MESSAGE_BYTES = 65_536
/** Most levels of blocks within blocks that a reader follows in one message. */
export const MAX_DEPTH = 256
/** Most calls that a reader keeps of one trace. */
export const MAX_CALLS = 1_000_000
/** Longest text in bytes; longer ones are cut and end in `…`. */
export const MAX_TEXT_BYTES = 256
/** Most steps of a path through services that keep no entries. */
export const MAX_RELAYS = 64

/** Largest stamp, in microseconds since 1970 (the year 2112): twice it is still an exact double. */
export const MAX_STAMP = 2 ** 52 - 1
export const MAX_COUNT = 2 ** 31 - 1

/** By severity, so that the worst of several is their greatest code. The order is part of the format. */
export const STATUSES: readonly Status[] = [
  'ok',
  'pending',
  'cancelled',
  'rejected',
  'error',
  'timeout',
  'lost',
]
export const EDGES: readonly Edge[] = ['call', 'event', 'down', 'next']
export const REASONS: readonly Missing['reason'][] = ['lost', 'unreadable', 'cut']

/** Codes that a newer writer may use read as `error`: something is wrong, and nobody here knows what. */
export const statusOf = (code: number): Status => STATUSES[code] ?? 'error'

export function statusCode(status: Status): number {
  if (status === 'ok') return 0
  const code = STATUSES.indexOf(status)
  return code < 0 ? 4 : code
}

/** The two lowest bits of an item's first byte. */
export const ITEM_CALL = 0
export const ITEM_POINTER = 1
export const ITEM_FOLD = 2
export const ITEM_EXTENSION = 3

/** Flags of a call item's first byte. */
export const CALL_MORE = 0x04
export const CALL_BLOCK = 0x08
export const CALL_STATUS = 0x10
export const CALL_SEQ = 0x20
export const CALL_ATTEMPT = 0x40
export const CALL_ERROR = 0x80

/** Flags of a call item's second byte, present with CALL_MORE; the two lowest bits are the edge. */
export const MORE_LATE = 0x04
export const MORE_PENDING = 0x08
export const MORE_BACKWARD = 0x10
export const MORE_FOREIGN = 0x20
export const MORE_MISSING = 0x40
export const MORE_EXTENSION = 0x80

/** Flags of the callee's own record. */
export const OWN_START = 0x01
export const OWN_REDELIVERED = 0x02
export const OWN_IN_FLIGHT = 0x04
export const OWN_CALLS = 0x08
export const OWN_ERROR = 0x10
export const OWN_BACKWARD = 0x20
export const OWN_FIRST = 0x40
export const OWN_EXTENSION = 0x80

/** Flags of the own record's extension; the two lowest bits are the edge. */
export const OWN_MORE_FOREIGN = 0x04
export const OWN_MORE_ATTEMPT = 0x08
export const OWN_MORE_BUSY = 0x10
export const OWN_MORE_VERSION = 0x20
export const OWN_MORE_PAUSES = 0x40
export const OWN_MORE_VALUES = 0x80

/** By code; readers pass over codes that they do not know. */
export const PAUSES: readonly Pause['kind'][] = ['gc', 'event-loop']
/** Most pauses that a record tells of its process, and that are kept of a trace. */
export const MOST_PAUSES = 8
/** Most values of arguments and results that a record tells. */
export const MOST_VALUES = 16
export const MAX_PAUSES = 10_000

/** Where the edge of merged calls stands in a fold's first byte. */
export const FOLD_EDGE_SHIFT = 2

/** Flags of a piece. */
export const PIECE_OWN = 0x01
export const PIECE_PARENT = 0x02
export const PIECE_ROOT = 0x04
export const PIECE_RELAYS = 0x08
export const PIECE_EXTENSION = 0x80

/** Extension items: calls known to be missing directly below the owner. */
export const EXTENSION_MISSING = 0

/** Where the callee of a call ran, told against the place of its caller. */
export const PLACE_SAME = 0
export const PLACE_OTHER_PID = 1
export const PLACE_OTHER_HOST = 2
export const PLACE_KNOWN = 3

/** Name codes below stand for an index; from 0x80 on for a new name and the length of its shared prefix. */
export const NAME_LONG_INDEX = 0x7f
export const NAME_NEW = 0x80

/** Whole microseconds within the format's range, whatever came. */
export function toStamp(us: number): number {
  return us > 0 ? (us < MAX_STAMP ? Math.round(us) : MAX_STAMP) : 0
}

/** A count within the format's range, whatever came. */
export function toCount(count: number): number {
  return count >= 1 ? (count < MAX_COUNT ? Math.floor(count) : MAX_COUNT) : 0
}
