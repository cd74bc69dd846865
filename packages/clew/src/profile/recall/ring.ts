import { copyBytes } from '../../trace/byte-writer.ts'
import { hexAt, putId } from '../../trace/ids.ts'
import type { LogOwner } from '../../trace/records.ts'

/** What an entry holds: the block of a reply, a piece, or a packet. */
export type RingKind = 'block' | 'piece' | 'packet'

/** Something that was kept, as a copy. */
export interface Kept {
  readonly kind: RingKind
  readonly traceId: string
  readonly callId: string
  /** The end of Nameko's id of the call of the worker that made it, a UUID; empty where none was told. */
  readonly parent: string
  readonly bytes: Uint8Array
}

const KINDS: readonly RingKind[] = ['block', 'piece', 'packet']
/** Size, kind, length of the parent's id; then trace id and call id. */
const HEAD = 4 + 1 + 1
const TRACE_BYTES = 16
const CALL_BYTES = 8
const IDS = TRACE_BYTES + CALL_BYTES
/** Where in a trace's id that is which ids of one process differ in. */
const OWN_PART = 8
/** A UUID's: what stands before it, names, is long and says nothing new. */
const LONGEST_PARENT = 36

/**
 * The last that was put into it, in a fixed number of bytes: what is new takes the place of the oldest.
 * Everything is copied, so that nothing else is kept alive, and nothing is looked at before somebody
 * asks.
 */
export class Ring {
  readonly bytes: number
  /** Entries that were not kept because they are too large. */
  tooLarge = 0
  #buffer: Buffer | undefined
  #next = 0
  #oldest = 0
  /** Where the entries end that lie behind `#next`. */
  #end = Number.POSITIVE_INFINITY
  #count = 0

  constructor(bytes: number) {
    this.bytes = bytes
  }

  /** Entries held. */
  get count(): number {
    return this.#count
  }

  put(
    kind: RingKind,
    owner: Pick<LogOwner, 'traceId' | 'callId'>,
    parent: string,
    bytes: Uint8Array,
  ): void {
    const told = Math.min(parent.length, LONGEST_PARENT)
    const size = HEAD + IDS + told + bytes.length
    if (size > this.bytes / 4) {
      this.tooLarge++
      return
    }
    // Pages that were never written to cost nothing, so a process that records little takes little.
    this.#buffer ??= Buffer.allocUnsafeSlow(this.bytes)
    const buffer = this.#buffer
    let at = this.#claim(size)
    buffer.writeUInt32LE(size, at)
    buffer[at + 4] = KINDS.indexOf(kind)
    buffer[at + 5] = told
    at += HEAD
    at = putId(buffer, at, owner.traceId, TRACE_BYTES)
    at = putId(buffer, at, owner.callId, CALL_BYTES)
    // For every call: a loop, since what copies short texts and blocks faster takes longer to begin.
    for (let from = parent.length - told; from < parent.length; from++) {
      buffer[at++] = parent.charCodeAt(from)
    }
    copyBytes(bytes, 0, bytes.length, buffer, at)
  }

  /** What is kept of these traces, the oldest first. */
  find(traceIds: ReadonlySet<string>): Kept[] {
    const found: Kept[] = []
    const buffer = this.#buffer
    if (buffer === undefined) return found
    const likely = new Set(Array.from(traceIds, (id) => Number.parseInt(id.slice(16, 24), 16)))
    let at = this.#oldest
    for (let entry = 0; entry < this.#count; entry++) {
      const size = buffer.readUInt32LE(at)
      const ids = at + HEAD
      const traceId = likely.has(buffer.readUInt32BE(ids + OWN_PART))
        ? hexAt(buffer, ids, TRACE_BYTES)
        : ''
      if (traceIds.has(traceId)) {
        const parentAt = ids + IDS
        const contents = parentAt + buffer[at + 5]!
        found.push({
          kind: KINDS[buffer[at + 4]!]!,
          traceId,
          callId: hexAt(buffer, ids + TRACE_BYTES, CALL_BYTES),
          parent: buffer.toString('latin1', parentAt, contents),
          bytes: new Uint8Array(buffer.subarray(contents, at + size)),
        })
      }
      at = this.#after(at, size)
    }
    return found
  }

  #after(at: number, size: number): number {
    return at + size >= this.#end ? 0 : at + size
  }

  #claim(size: number): number {
    if (this.#next + size > this.bytes) {
      while (this.#count > 0 && this.#oldest >= this.#next) this.#forget()
      this.#end = this.#next
      this.#next = 0
      if (this.#count === 0) this.#oldest = 0
    }
    while (this.#count > 0 && this.#oldest >= this.#next && this.#oldest < this.#next + size) {
      this.#forget()
    }
    const at = this.#next
    this.#next += size
    this.#count++
    return at
  }

  #forget(): void {
    const size = this.#buffer!.readUInt32LE(this.#oldest)
    this.#oldest = this.#after(this.#oldest, size)
    if (this.#oldest === 0) this.#end = Number.POSITIVE_INFINITY
    this.#count--
  }
}
