import { ByteWriter, varintSize } from './byte-writer.ts'
import type { Edge, Fold, Missing } from './entry.ts'
import * as format from './format.ts'
import { BlockHead, blockCalls, blockVersion } from './head.ts'
import type { CallRecord, Pointer } from './records.ts'
import { cutText, sharedPrefix } from './text.ts'

/** Whose items these are: names and places within them are told against the owner's. */
export interface Owner {
  readonly service: string
  readonly method: string
  readonly host: string
  readonly pid: number
}

/** A callee's block as it stands in a log, or is about to. */
export interface Child {
  readonly calls: number
  readonly worst: number
  readonly own: number
  readonly depth: number
  readonly host: string
  readonly pid: number
  readonly service: string
  readonly method: string
  readonly receiveUs: number
  readonly bytes: Uint8Array
  /** Bounds within `bytes` of what is copied as it is. */
  readonly start: number
  readonly end: number
}

/** What became of the callee's side, where there is no block of ours to write. */
export interface Loss {
  readonly reason: Missing['reason']
  readonly calls: number
}

/** Times of merged calls in whole microseconds. */
export interface FoldRecord
  extends Omit<
    Fold,
    'parent' | 'trace' | 'host' | 'edge' | 'minMs' | 'medianMs' | 'maxMs' | 'sumMs' | 'timeMs'
  > {
  readonly edge: Edge
  readonly minUs: number
  readonly medianUs: number
  readonly maxUs: number
  readonly sumUs: number
  readonly requestUs: number
}

/** More names than this are looked up in a map instead of one by one. */
const FEW = 8

const head = new BlockHead()
const edgeCode = (edge: Edge) => Math.max(0, format.EDGES.indexOf(edge))
const NO_OWNER: Owner = { service: '', method: '', host: '', pid: 0 }

/** Items under way: what a log has written since it was made, or since its last piece. */
export class Draft {
  readonly out = new ByteWriter(1_024)
  /** Calls held, nested ones included. */
  calls = 0
  /** Greatest status code seen. */
  worst = 0
  /** Levels of blocks below the owner's. */
  depth = 0
  /** Call items written, those of late replies not counted. */
  records = 0
  /** Position of the first record among all calls that the worker made. */
  first = 0
  owner: Owner = NO_OWNER
  receiveUs = 0
  #pid = 0
  // The lists keep their length from one owner to the next; what counts is how much of them is valid.
  readonly #names: string[] = []
  #nameCount = 0
  #index: Map<string, number> | undefined
  readonly #hosts: string[] = []
  readonly #pids: number[] = []
  #places = 0

  /** Makes the draft an empty one of this owner's. */
  reset(owner: Owner, receiveUs: number, first: number): void {
    this.out.at = 0
    this.calls = 0
    this.worst = 0
    this.depth = 0
    this.records = 0
    this.first = first
    this.owner = owner
    this.#pid = format.toCount(owner.pid)
    this.receiveUs = receiveUs
    this.#nameCount = 0
    this.#index = undefined
    this.#places = 0
  }

  /** Makes the draft what another one is now. */
  copy(other: Draft): void {
    this.reset(other.owner, other.receiveUs, other.first)
    this.out.bytes(other.out.buffer, 0, other.out.at)
    this.calls = other.calls
    this.worst = other.worst
    this.depth = other.depth
    this.records = other.records
    this.#nameCount = other.#nameCount
    for (let at = 0; at < other.#nameCount; at++) this.#names[at] = other.#names[at]!
    this.#places = other.#places
    for (let at = 0; at < other.#places; at++) {
      this.#hosts[at] = other.#hosts[at]!
      this.#pids[at] = other.#pids[at]!
    }
  }

  /** Lets go of what it was used for: a kept draft keeps no more alive than a few names. */
  clear(): void {
    this.owner = NO_OWNER
    this.#index = undefined
    if (this.#names.length > FEW) this.#names.length = 0
  }

  /** Writes a call with the block that its reply brought, whatever those bytes are. */
  call(record: CallRecord, block: Uint8Array | undefined): void {
    if (block === undefined) this.#call(record, 0, undefined)
    else if (!head.fill(block)) this.#strange(record, block)
    else if (head.depth >= format.MAX_DEPTH) {
      this.#call(record, 0, { reason: 'cut', calls: head.calls })
    } else {
      this.#call(record, format.CALL_BLOCK, undefined)
      this.#blockOfReply(record, block)
    }
    head.clear()
  }

  /** Another version's block is kept for readers that know it; a damaged one is left out. */
  #strange(record: CallRecord, block: Uint8Array): void {
    const calls = blockCalls(block)
    const other = blockVersion(block) !== format.VERSION
    if (calls !== undefined && other && block.length <= format.MAX_MESSAGE_BYTES) {
      this.foreign(record, block, 0, block.length, calls)
    } else {
      this.#call(record, 0, { reason: 'unreadable', calls: calls ?? 1 })
    }
  }

  /** Writes a call with a block that was read before, or with word of what became of it. */
  again(record: CallRecord, child: Child | undefined, loss: Loss | undefined): void {
    this.#call(record, child === undefined ? 0 : format.CALL_BLOCK, loss)
    if (child !== undefined) this.#block(record, child)
  }

  /** Writes a call with a block of another version as it is. */
  foreign(record: CallRecord, bytes: Uint8Array, start: number, end: number, calls: number): void {
    this.#call(record, 0, undefined, true)
    this.out.varint(end - start)
    this.out.bytes(bytes, start, end)
    this.calls += calls
    if (this.depth < 1) this.depth = 1
  }

  pointer(pointer: Pointer): void {
    const { out } = this
    out.byte(format.ITEM_POINTER)
    out.varint(format.toCount(pointer.piece))
    out.varint(format.toCount(pointer.calls))
    out.varint(format.toCount(pointer.bytes))
    const worst = format.statusCode(pointer.worst)
    out.byte(worst)
    if (worst > this.worst) this.worst = worst
  }

  fold(fold: FoldRecord): void {
    const { out } = this
    out.byte(format.ITEM_FOLD | (edgeCode(fold.edge) << format.FOLD_EDGE_SHIFT))
    this.#name(fold.service, this.owner.service)
    this.#name(fold.method, this.owner.method)
    out.varint(fold.count)
    out.varint(fold.calls)
    out.varint(fold.minUs)
    out.varint(fold.medianUs)
    out.varint(fold.maxUs)
    out.varint(fold.sumUs)
    out.zigzag(fold.requestUs - this.receiveUs)
  }

  /** Says that calls of the owner itself are missing. */
  missing(loss: Loss): void {
    const calls = format.toCount(loss.calls)
    this.out.byte(format.ITEM_EXTENSION | (format.EXTENSION_MISSING << 2))
    this.out.varint(1 + varintSize(calls))
    this.out.byte(format.REASONS.indexOf(loss.reason))
    this.out.varint(calls)
  }

  #call(record: CallRecord, flags: number, loss: Loss | undefined, foreign = false): void {
    const { out } = this
    const late = record.late === true
    const request = format.toStamp(record.requestUs)
    const pending = record.finishUs === undefined
    const took = pending ? 0 : format.toStamp(record.finishUs!) - request
    const status = format.statusCode(record.status)
    const skipped = format.toCount(record.seq) - (this.first + this.records)
    const attempt = record.attempt > 1 ? format.toCount(record.attempt) : 1
    let more = edgeCode(record.edge)
    if (late) more |= format.MORE_LATE
    if (pending) more |= format.MORE_PENDING
    if (took < 0) more |= format.MORE_BACKWARD
    if (foreign) more |= format.MORE_FOREIGN
    if (loss !== undefined) more |= format.MORE_MISSING
    let tag = format.ITEM_CALL | flags
    if (more !== 0) tag |= format.CALL_MORE
    if (status !== 0) tag |= format.CALL_STATUS
    if (skipped !== 0) tag |= format.CALL_SEQ
    if (attempt > 1) tag |= format.CALL_ATTEMPT
    if (record.error !== undefined) tag |= format.CALL_ERROR
    out.byte(tag)
    if (more !== 0) out.byte(more)
    out.id(record.id, 8)
    this.#name(record.service, this.owner.service)
    this.#name(record.method, this.owner.method)
    out.zigzag(request - this.receiveUs)
    if (!pending) out.varint(Math.abs(took))
    if (status !== 0) out.byte(status)
    if (skipped !== 0) out.zigzag(skipped)
    if (attempt > 1) out.varint(attempt)
    if (record.error !== undefined) this.#name(record.error, '')
    if (loss !== undefined) {
      out.byte(format.REASONS.indexOf(loss.reason))
      out.varint(format.toCount(loss.calls))
    }
    if (status > this.worst) this.worst = status
    if (late) return
    this.records++
    this.calls++
  }

  #blockOfReply(record: CallRecord, block: Uint8Array): void {
    const { out } = this
    const lengthAt = this.#begin(head.calls, head.worst, head.own, head.depth)
    const service = head.service(record.service)
    const method = head.method(record.method)
    const named = service !== record.service || method !== record.method
    this.#place(this.#replyHost(), head.pid, named)
    if (named) {
      out.text(service)
      out.text(method)
    }
    out.zigzag(format.toStamp(head.receiveUs) - format.toStamp(record.requestUs))
    this.#end(lengthAt, block, head.rest, block.length)
  }

  /** The host of the block in hand: a string that is known already, where it is one. */
  #replyHost(): string {
    const { host } = this.owner
    if (head.hostIs(host)) return host
    for (let index = 0; index < this.#places; index++) {
      const known = this.#hosts[index]!
      if (head.hostIs(known)) return known
    }
    return head.host(host)
  }

  #block(record: CallRecord, child: Child): void {
    const { out } = this
    const lengthAt = this.#begin(child.calls, child.worst, child.own, child.depth)
    const named = child.service !== record.service || child.method !== record.method
    this.#place(child.host, child.pid, named)
    if (named) {
      out.text(child.service)
      out.text(child.method)
    }
    out.zigzag(child.receiveUs - format.toStamp(record.requestUs))
    this.#end(lengthAt, child.bytes, child.start, child.end)
  }

  #begin(calls: number, worst: number, own: number, depth: number): number {
    const { out } = this
    const lengthAt = out.at
    out.byte(0)
    const status = worst * 16 + own
    out.varint(calls * 2 + (status === 0 ? 0 : 1))
    if (status !== 0) out.byte(status)
    this.calls += calls
    if (worst > this.worst) this.worst = worst
    if (own > this.worst) this.worst = own
    if (depth > this.depth) this.depth = depth
    return lengthAt
  }

  /** Writes the opaque remainder, and the length, for which one byte was kept free. */
  #end(lengthAt: number, bytes: Uint8Array, start: number, end: number): void {
    const { out } = this
    const length = out.at - lengthAt - 1 + end - start
    const extra = varintSize(length) - 1
    if (extra > 0) {
      out.room(extra)
      out.buffer.copyWithin(lengthAt + 1 + extra, lengthAt + 1, out.at)
    }
    const behind = out.at + extra
    out.at = lengthAt
    out.varint(length)
    out.at = behind
    out.bytes(bytes, start, end)
  }

  #place(host: string, pid: number, named: boolean): void {
    const { out, owner } = this
    const flag = named ? 1 : 0
    if (pid === this.#pid && host === owner.host) {
      out.varint(format.PLACE_SAME * 2 + flag)
      return
    }
    for (let index = 0; index < this.#places; index++) {
      if (this.#pids[index] === pid && this.#hosts[index] === host) {
        out.varint((format.PLACE_KNOWN + index) * 2 + flag)
        return
      }
    }
    this.#pids[this.#places] = pid
    this.#hosts[this.#places++] = host
    if (host === owner.host) {
      out.varint(format.PLACE_OTHER_PID * 2 + flag)
      out.zigzag(pid - this.#pid)
    } else {
      out.varint(format.PLACE_OTHER_HOST * 2 + flag)
      out.text(host)
      out.varint(pid)
    }
  }

  #name(name: string, own: string): void {
    const { out } = this
    const index = this.#find(name)
    if (index < 0) {
      this.#names[this.#nameCount++] = name
      this.#index?.set(name, this.#nameCount + 1)
      const kept = cutText(name)
      const shared = sharedPrefix(kept, own)
      out.byte(format.NAME_NEW | shared)
      out.text(kept, shared)
    } else if (index < format.NAME_LONG_INDEX) {
      out.byte(index)
    } else {
      out.byte(format.NAME_LONG_INDEX)
      out.varint(index - format.NAME_LONG_INDEX)
    }
  }

  #find(name: string): number {
    if (name === this.owner.service) return 0
    if (name === this.owner.method) return 1
    const count = this.#nameCount
    if (count <= FEW) {
      for (let index = 0; index < count; index++) if (name === this.#names[index]) return index + 2
      return -1
    }
    if (this.#index === undefined) {
      this.#index = new Map()
      for (let index = 0; index < count; index++) this.#index.set(this.#names[index]!, index + 2)
    }
    return this.#index.get(name) ?? -1
  }
}
