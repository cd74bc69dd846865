import { ByteReader } from './byte-reader.ts'
import * as decode from './decode.ts'
import type { Entry, Missing, Pause, Relay, Trace } from './entry.ts'
import * as format from './format.ts'
import { BlockHead, blockCalls } from './head.ts'
import { normalId } from './ids.ts'
import { Scope } from './items.ts'
import type { CallRecord } from './records.ts'
import { executionOf, type Line, NONE, type Segment, stillMissing, toldAgain } from './segments.ts'
import { finishEntry, requestEntry } from './to-entries.ts'

type PieceMark = Extract<decode.Mark, { readonly kind: 'piece' }>

/** A piece that somebody told of. */
interface Announced {
  readonly parent: string
  readonly calls: number
  /** While it has not come: who told of it. */
  readonly by: Segment[]
}

/** A piece's head: everything before its own record, or before its items. */
interface PieceHead extends decode.Opening {
  readonly trace: string
  readonly callId: string
  readonly flags: number
  readonly piece: number
  readonly first: number
  readonly parent: string | null | undefined
  readonly path: Relay['path']
}

function readPieceHead(bytes: Uint8Array): PieceHead | undefined {
  if (bytes.length > format.MAX_MESSAGE_BYTES) return undefined
  const reader = new ByteReader(bytes)
  if (reader.byte() !== (format.PIECE_MAGIC | format.VERSION)) return undefined
  if (reader.varint() !== bytes.length - reader.at) return undefined
  const count = reader.varint()
  const status = count % 2 === 1 ? reader.byte() : 0
  reader.varint()
  const trace = reader.id(16)
  const callId = reader.id(8)
  const flags = reader.byte()
  const piece = reader.varint()
  const host = reader.text()
  const pid = format.toCount(reader.varint())
  const service = reader.text()
  const method = reader.text()
  const receiveUs = reader.varint()
  const root = (flags & format.PIECE_ROOT) !== 0 ? null : undefined
  const parent = (flags & format.PIECE_PARENT) !== 0 ? reader.id(8) : root
  const path: Relay['path'][number][] = []
  const steps = (flags & format.PIECE_RELAYS) === 0 ? 0 : reader.varint()
  for (let step = 0; step < Math.min(steps, format.MAX_RELAYS) && !reader.bad; step++) {
    const place = { service: reader.text(), method: reader.text() }
    const id = reader.text()
    path.push(id === '' ? place : { ...place, id })
  }
  if ((flags & format.PIECE_EXTENSION) !== 0) reader.skip(reader.varint())
  const first = (flags & format.PIECE_OWN) === 0 ? format.toCount(reader.varint()) : 0
  if (reader.bad || steps > format.MAX_RELAYS) return undefined
  const calls = Math.min(Math.floor(count / 2), bytes.length)
  const own = status & 0x0f
  const names = { service, method, host, pid }
  const bounds = { calls, own, receiveUs, start: reader.at, end: bytes.length }
  return { ...names, ...bounds, trace, callId, flags, piece, first, parent, path }
}

/** The trace that a piece belongs to, by a look at its beginning; undefined when it is no piece. */
export function pieceTraceId(bytes: Uint8Array): string | undefined {
  const reader = new ByteReader(bytes)
  if ((reader.byte() & 0xf0) !== format.PIECE_MAGIC) return undefined
  if (reader.varint() !== bytes.length - reader.at) return undefined
  if (reader.varint() % 2 === 1) reader.byte()
  reader.varint()
  const id = reader.id(16)
  return reader.bad ? undefined : id
}

/** A piece by itself, for pieces that come after their trace was handed over. */
export function readPiece(bytes: Uint8Array): Trace | undefined {
  const trace = pieceTraceId(bytes)
  if (trace === undefined) return undefined
  const assembly = new Assembly(trace)
  if (!assembly.addPiece(bytes)) return undefined
  return { ...assembly.finish({ alone: true }), complete: false }
}

/**
 * Puts one trace together from the root's record, the block of its reply and pieces from the inbox,
 * in whatever order, late or twice. Damaged bytes never make it throw; they become missing calls.
 */
export class Assembly {
  readonly #gathered: decode.Gathered
  readonly #segments: Segment[] = []
  readonly #pieces = new Map<string, Segment>()
  readonly #announced = new Map<string, Announced>()
  /** What is known of the root's own side: of more than one record the one that tells most counts. */
  readonly #roots = new Map<string, { readonly tells: number; readonly segment: Segment }>()
  /** Whole blocks by their call, and everything by the call below which it belongs. */
  readonly #blocks = new Map<string, Segment[]>()
  readonly #below = new Map<string, Segment[]>()
  readonly #relays: Relay[] = []
  /** Calls of pieces that came when there was no room left. */
  #beyond: { -readonly [Key in keyof Missing]: Missing[Key] } | undefined
  #late = false
  #waiting = 0

  /**
   * @param traceId 32 hex digits
   * @param maxCalls calls kept of the trace; the rest is counted as missing. @default 1,000,000
   */
  constructor(traceId: string, maxCalls = format.MAX_CALLS) {
    const trace = normalId(traceId, 16)
    const lists = { folds: [], missing: [], marks: [], pauses: new Map<string, Pause>() }
    this.#gathered = { trace, room: maxCalls, ...lists, bare: new Set(), whole: new Set() }
  }

  /**
   * Adds the call that began the trace, and the block that its reply brought. A `late` record tells
   * of a reply that came when the trace had been handed over; `finish({ alone: true })` then gives
   * what is new only.
   */
  addRoot(
    record: CallRecord,
    caller: { readonly host: string; readonly pid: number },
    block?: Uint8Array | undefined,
  ): void {
    const gathered = this.#gathered
    const id = normalId(record.id, 8)
    const tells = (record.finishUs === undefined ? 0 : 1) + (block === undefined ? 0 : 2)
    const before = record.late ? undefined : this.#roots.get(id)
    if (before !== undefined && before.tells >= tells) return
    const { requestUs, finishUs } = record
    const stamps = { requestUs: format.toStamp(requestUs), finishUs: stampOf(finishUs) }
    const call = { ...record, ...stamps, id }
    const side = { trace: gathered.trace, host: caller.host, pid: caller.pid, parent: null }
    const finish = finishEntry(call, side)
    const lines: Line[] = [decode.callerLine(requestEntry(call, side), call, gathered)]
    gathered.room--
    if (block !== undefined) this.#addRootBlock(call, block, lines)
    else decode.expectCallee(call, gathered)
    if (finish !== undefined) lines.push(decode.callerLine(finish, call, gathered))
    const segment = this.#segment({ key: `root:${id}`, lines })
    if (before !== undefined) this.#segments.splice(this.#segments.indexOf(before.segment), 1)
    if (!record.late) this.#roots.set(id, { tells, segment })
    this.#add(segment)
  }

  #addRootBlock(call: CallRecord, block: Uint8Array, lines: Line[]): void {
    const head = new BlockHead()
    if (!head.fill(block)) {
      decode.lose(this.#gathered, call.id, 'unreadable', blockCalls(block) ?? 1)
      return
    }
    const opening: decode.Opening = {
      service: head.service(call.service),
      method: head.method(call.method),
      host: head.host(''),
      pid: format.toCount(head.pid),
      calls: head.calls,
      own: head.own,
      receiveUs: head.receiveUs,
      start: head.rest,
      end: block.length,
    }
    const reader = new ByteReader(block)
    const at = { call, parent: null, depth: 0 }
    const frame = decode.openBlock(reader, opening, at, this.#gathered, lines)
    if (frame !== undefined) decode.decodeItems(reader, frame, this.#gathered, lines)
  }

  /**
   * Adds a message from the inbox.
   * @returns false when it is not a piece, is damaged beyond its head or belongs to another trace
   */
  addPiece(bytes: Uint8Array): boolean {
    const head = readPieceHead(bytes)
    const gathered = this.#gathered
    if (head === undefined || head.trace !== gathered.trace) return false
    const { callId, receiveUs, parent } = head
    const whole = (head.flags & format.PIECE_OWN) !== 0
    const running = whole && format.statusOf(head.own) === 'pending'
    const key = decode.pieceKey(callId, receiveUs, running ? -2 : whole ? -1 : head.piece)
    if (this.#pieces.has(key) && !running) return true
    if (gathered.room <= 0) {
      // One number for all of them: pieces without end must not cost memory without end.
      this.#beyond ??= { parent: callId, trace: gathered.trace, calls: 0, reason: 'cut' }
      this.#beyond.calls += head.calls + (whole ? 1 : 0)
      return true
    }
    if (whole) gathered.room--
    const lines: Line[] = []
    const reader = new ByteReader(bytes)
    const frame = whole
      ? decode.openBlock(reader, head, { call: { id: callId }, parent, depth: 0 }, gathered, lines)
      : partFrame(head)
    if (frame !== undefined) {
      if (!whole) reader.at = head.start
      decode.decodeItems(reader, frame, gathered, lines)
    }
    const [first] = lines
    const runningMs = first?.kind === 'rpc-receive' ? first.runningMs : undefined
    const execution = whole ? executionOf(callId, receiveUs / 1000) : undefined
    const segment = this.#segment({ key, lines, whole: execution, runningMs })
    this.#pieces.set(key, segment)
    if (this.#announced.has(key)) this.#waiting--
    this.#add(segment)
    if (whole) {
      push(this.#blocks, callId, segment)
      gathered.whole.add(callId)
      gathered.bare.delete(callId)
      if (typeof parent === 'string') push(this.#below, parent, segment)
      if (head.path.length > 0) {
        this.#relays.push({ below: callId, trace: gathered.trace, path: head.path })
      }
    } else {
      push(this.#below, callId, segment)
    }
    return true
  }

  /** With what was gathered since the one before. */
  #segment(parts: Omit<Segment, 'folds' | 'missing' | 'marks'>): Segment {
    const gathered = this.#gathered
    const { folds, missing, marks } = gathered
    if (folds.length > 0) gathered.folds = []
    if (missing.length > 0) gathered.missing = []
    if (marks.length > 0) gathered.marks = []
    return {
      ...parts,
      folds: folds.length > 0 ? folds : NONE,
      missing: missing.length > 0 ? missing : NONE,
      marks: marks.length > 0 ? marks : NONE,
    }
  }

  #add(segment: Segment): void {
    this.#segments.push(segment)
    for (const mark of segment.marks) {
      if (mark.kind === 'piece') this.#announce(mark, segment)
      else this.#late = true
    }
  }

  #announce({ key, parent, calls }: PieceMark, by: Segment): void {
    const known = this.#announced.get(key)
    if (known !== undefined) {
      if (!this.#pieces.has(key)) known.by.push(by)
      return
    }
    this.#announced.set(key, { parent, calls, by: [by] })
    if (!this.#pieces.has(key)) this.#waiting++
  }

  /** Announced pieces that have not come. */
  get waiting(): number {
    return this.#waiting
  }

  /** True when there is a call whose callee brought nothing, so that pieces may come unannounced. */
  get unannounced(): boolean {
    return this.#gathered.bare.size > 0
  }

  /**
   * The trace as far as it has come. May be called again after more pieces.
   * @param options.alone these pieces follow a trace that was handed over: what they only refer to is
   *   there already, so it is neither missing nor told again. @default false
   */
  finish(options: { readonly alone?: boolean } = {}): Trace {
    const { alone = false } = options
    const gathered = this.#gathered
    const again = toldAgain(this.#segments, gathered.whole)
    const kept = this.#segments.filter((segment) => !again.has(segment))
    const missing = stillMissing(kept)
    if (this.#beyond !== undefined) missing.push({ ...this.#beyond })
    if (!alone) {
      for (const [key, { parent, calls, by }] of this.#announced) {
        if (this.#pieces.has(key) || by.every((segment) => again.has(segment))) continue
        missing.push({ parent, trace: gathered.trace, calls, reason: 'lost' })
      }
    }
    return {
      id: gathered.trace,
      entries: this.#inOrder(alone, again),
      folds: kept.flatMap(({ folds }) => folds),
      missing,
      relays: [...this.#relays],
      ...(gathered.pauses.size > 0 && { pauses: [...gathered.pauses.values()] }),
      complete: this.waiting === 0,
    }
  }

  /** All entries, those of pieces put in where they belong. */
  #inOrder(alone: boolean, again: ReadonlySet<Segment>): readonly Entry[] {
    const [only] = this.#segments
    if (this.#segments.length === 1 && isPlain(only!)) return only.lines
    const entries: Entry[] = []
    const used = new Set(again)
    const below = this.#unannounced(again)
    /** How far the pieces below a call have been gone through: there may be very many. */
    const nexts = new Map<string, number>()
    const known = this.#late ? this.#requested() : undefined
    const stack: { readonly segment: Segment; at: number }[] = []
    const open = (segment: Segment | undefined) => {
      if (segment === undefined || used.has(segment)) return false
      used.add(segment)
      stack.push({ segment, at: 0 })
      return true
    }
    for (const start of this.#segments.toSorted(rootsFirst)) {
      open(start)
      while (stack.length > 0) {
        const level = stack.at(-1)!
        const { segment } = level
        if (below.size === 0 && this.#blocks.size === 0 && isPlain(segment)) {
          for (const line of segment.lines) entries.push(line)
          stack.pop()
          continue
        }
        const line = segment.lines[level.at]
        if (line === undefined) {
          stack.pop()
          continue
        }
        if (below.size > 0 && (line.kind === 'rpc-respond' || line.kind === 'rpc-finish')) {
          // What was not announced goes to the end of the call below which it belongs.
          const pieces = below.get(line.id) ?? NONE
          let next = nexts.get(line.id) ?? 0
          while (next < pieces.length && used.has(pieces[next]!)) next++
          nexts.set(line.id, next)
          if (open(pieces[next])) continue
        }
        level.at++
        if (line.kind === 'piece') open(this.#pieces.get(line.key))
        else if (line.kind !== 'late') entries.push(line)
        else if (!alone && !known?.has(line.entry.id)) entries.push(line.entry)
        if (line.kind === 'rpc-request' && this.#blocks.size > 0) {
          for (const block of this.#blocks.get(line.id) ?? NONE) open(block)
        }
      }
    }
    return entries
  }

  /** Pieces that nobody told of who is told himself, by the call below which they belong. */
  #unannounced(again: ReadonlySet<Segment>): ReadonlyMap<string, readonly Segment[]> {
    const found = new Map<string, readonly Segment[]>()
    for (const [id, pieces] of this.#below) {
      const left = pieces.filter(
        ({ key }) => this.#announced.get(key)?.by.every((segment) => again.has(segment)) ?? true,
      )
      if (left.length > 0) found.set(id, left)
    }
    return found
  }

  /** Ids of all calls whose request stands somewhere by itself. */
  #requested(): Set<string> {
    const ids = new Set<string>()
    for (const { lines } of this.#segments) {
      for (const line of lines) if (line.kind === 'rpc-request') ids.add(line.id)
    }
    return ids
  }
}

/** True where nothing but entries came. */
function isPlain(segment: Segment): segment is Segment & { readonly lines: readonly Entry[] } {
  return segment.marks.length === 0
}

/** The root's own message first, then whole blocks of roots, then the rest as it came. */
function rootsFirst(a: Segment, b: Segment): number {
  return rank(a) - rank(b)
}

function rank({ key, lines }: Segment): number {
  if (key.startsWith('root:')) return 0
  const first = lines[0]
  return first !== undefined && 'parent' in first && first.parent === null ? 1 : 2
}

function partFrame(head: PieceHead): decode.Frame {
  const { service, method, host, pid, callId } = head
  const scope = new Scope({ service, method, host, pid }, head.receiveUs, head.first)
  const open = { own: undefined, side: undefined, finish: undefined }
  return { scope, callId, end: head.end, announced: head.calls, met: 0, ...open }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

const stampOf = (us: number | undefined) => (us === undefined ? undefined : format.toStamp(us))
