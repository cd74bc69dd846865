import type { ByteReader } from './byte-reader.ts'
import type { Owner } from './draft.ts'
import type { Entry, Fold, Missing, Pause } from './entry.ts'
import { MAX_DEPTH, MAX_PAUSES } from './format.ts'
import { type CallItem, type ReadOwn, readItem, readOwn, Scope } from './items.ts'
import type { CallRecord, PauseRecord } from './records.ts'
import * as write from './to-entries.ts'

/** A place among the entries of one message that is settled when the trace is put together. */
export type Mark =
  /** Here belong the entries of a piece that was sent by another road. */
  | {
      readonly kind: 'piece'
      readonly key: string
      readonly parent: string
      readonly calls: number
    }
  /** A caller's entry that stands somewhere already, unless that was lost. */
  | { readonly kind: 'late'; readonly entry: Entry }

/** What the messages of one trace have brought so far. */
export interface Gathered {
  readonly trace: string
  /** Calls that may still be kept. */
  room: number
  folds: Fold[]
  missing: Missing[]
  /** By process and moment: every call that a pause fell into brings it. */
  readonly pauses: Map<string, Pause>
  /** Calls whose callee brought nothing although it answered, or may still be working. */
  readonly bare: Set<string>
  /** Calls whose own block came as a piece. */
  readonly whole: Set<string>
  /** Marks put among the entries, one after the other. */
  marks: Mark[]
}

/** One level of the walk: the items between a callee's own entries. */
export interface Frame {
  readonly scope: Scope
  readonly callId: string
  readonly end: number
  /** Calls that the head announced, and how many of them were met. */
  readonly announced: number
  met: number
  /** The callee's record, and whose it is; undefined in a part, which has none. */
  readonly own: ReadOwn | undefined
  readonly side: write.CalleeSide | undefined
  /** What follows its last entry. */
  finish: Entry | Mark | undefined
}

/** Names a piece within its trace: redelivered calls have logs, and numbers, of their own. */
export const pieceKey = (callId: string, receiveUs: number, piece: number) =>
  `${callId}:${receiveUs}:${piece}`

/**
 * Reads the items of one message, nested blocks included, without recursion. Damage ends the
 * innermost block and is told as missing calls; what surrounds it is read on.
 */
export function decodeItems(
  reader: ByteReader,
  outermost: Frame,
  gathered: Gathered,
  into: (Entry | Mark)[],
): void {
  const frames: Frame[] = [outermost]
  while (frames.length > 0) {
    const frame = frames.at(-1)!
    if (reader.at >= frame.end) {
      const { own, side, finish } = frame
      if (own !== undefined) respond(own, side!, frame.scope.records, into)
      if (finish !== undefined) into.push(finish)
      frames.pop()
      reader.at = frame.end
      continue
    }
    reader.end = frame.end
    const item = gathered.room > 0 ? readItem(reader, frame.scope) : undefined
    if (item === undefined) {
      const reason = gathered.room > 0 ? 'unreadable' : 'cut'
      lose(gathered, frame.callId, reason, Math.max(1, frame.announced - frame.met))
      reader.bad = false
      reader.at = frame.end
    } else if (item.kind === 'call') {
      const inner = enter(reader, item, frame, frames.length, gathered, into)
      if (inner !== undefined) frames.push(inner)
    } else if (item.kind === 'pointer') {
      const { piece, calls } = item.pointer
      const key = pieceKey(frame.callId, frame.scope.receiveUs, piece)
      into.push(marked({ kind: 'piece', key, parent: frame.callId, calls }, gathered))
    } else if (item.kind === 'fold') {
      const { edge, minUs, medianUs, maxUs, sumUs, requestUs, ...fold } = item.fold
      gathered.folds.push({
        parent: frame.callId,
        trace: gathered.trace,
        host: frame.scope.owner.host,
        ...fold,
        ...(edge === 'call' ? {} : { edge }),
        minMs: minUs / 1000,
        medianMs: medianUs / 1000,
        maxMs: maxUs / 1000,
        sumMs: sumUs / 1000,
        timeMs: requestUs / 1000,
      })
    } else if (item.kind === 'missing') {
      lose(gathered, frame.callId, item.loss.reason, item.loss.calls)
    }
  }
}

export function lose(
  gathered: Gathered,
  parent: string,
  reason: Missing['reason'],
  calls: number,
): void {
  gathered.missing.push({ parent, trace: gathered.trace, calls, reason })
}

/** Puts down a call's first entries; gives the frame of its block where there is one to go into. */
function enter(
  reader: ByteReader,
  item: CallItem,
  frame: Frame,
  depth: number,
  gathered: Gathered,
  into: (Entry | Mark)[],
): Frame | undefined {
  const { record, child, loss, foreign } = item
  const { host, pid } = frame.scope.owner
  const parent = frame.callId
  const side: write.Side = { trace: gathered.trace, host, pid, parent }
  if (!record.late) {
    gathered.room--
    frame.met++
  }
  frame.met += child?.calls ?? foreign?.calls ?? 0
  into.push(callerLine(write.requestEntry(record, side), record, gathered))
  if (loss !== undefined) lose(gathered, record.id, loss.reason, loss.calls)
  if (foreign !== undefined) lose(gathered, record.id, 'unreadable', foreign.calls)
  const ending = write.finishEntry(record, side)
  const finish = ending && callerLine(ending, record, gathered)
  const inner = child && openBlock(reader, child, { call: record, parent, depth }, gathered, into)
  if (inner !== undefined) {
    inner.finish = finish
    return inner
  }
  if (finish !== undefined) into.push(finish)
  if (child === undefined && loss === undefined && foreign === undefined) {
    expectCallee(record, gathered)
  }
  return undefined
}

/** An entry of a caller, as it stands in a message. */
export function callerLine(entry: Entry, { late }: CallRecord, gathered: Gathered): Entry | Mark {
  return late === true ? marked({ kind: 'late', entry }, gathered) : entry
}

function marked(mark: Mark, gathered: Gathered): Mark {
  gathered.marks.push(mark)
  return mark
}

function respond(
  own: ReadOwn,
  side: write.CalleeSide,
  calls: number,
  into: (Entry | Mark)[],
): void {
  const entry = write.respondEntry(own, side, calls)
  if (entry !== undefined) into.push(entry)
}

/** Notes a call whose callee may have entries that come by another road than the reply. */
export function expectCallee({ id, edge, status }: CallItem['record'], gathered: Gathered): void {
  if (edge === 'down' || status === 'rejected' || gathered.whole.has(id)) return
  gathered.bare.add(id)
}

/** A block, wherever it was found: its head was read, its own record is next. */
export interface Opening extends Owner {
  readonly calls: number
  readonly own: number
  readonly receiveUs: number
  readonly start: number
  readonly end: number
}

/**
 * Reads the callee's own record and puts down its first entries. Gives its frame where items follow;
 * else it puts down the last entry as well.
 */
export function openBlock(
  reader: ByteReader,
  block: Opening,
  at: {
    readonly call: {
      readonly id: string
      readonly edge?: Entry['edge']
      readonly late?: boolean | undefined
    }
    readonly parent: string | null | undefined
    readonly depth: number
  },
  gathered: Gathered,
  into: (Entry | Mark)[],
): Frame | undefined {
  const { call, parent, depth } = at
  const { service, method, host, pid, receiveUs, end } = block
  if (depth >= MAX_DEPTH) {
    lose(gathered, call.id, 'cut', block.calls)
    return undefined
  }
  reader.at = block.start
  reader.end = end
  const own = readOwn(reader, receiveUs, block.own)
  if (reader.bad) {
    reader.bad = false
    reader.at = end
    lose(gathered, call.id, 'unreadable', block.calls)
    return undefined
  }
  const late = call.late === true
  const edge = call.edge ?? own.edge
  const { trace } = gathered
  const side = { trace, host, pid, parent, id: call.id, service, method, late, edge }
  if (own.pauses !== undefined) {
    for (const pause of own.pauses) takePause(gathered, pause, host, pid)
  }
  into.push(write.receiveEntry(own, side))
  const start = write.startEntry(own, side)
  if (start !== undefined) into.push(start)
  // Most calls make none.
  if (reader.at >= end) {
    respond(own, side, 0, into)
    return undefined
  }
  const scope = new Scope(block, receiveUs, own.first)
  const { id: callId } = call
  return { scope, callId, end, announced: block.calls, met: 0, own, side, finish: undefined }
}

function takePause(
  { trace, pauses }: Gathered,
  { kind, fromUs, us }: PauseRecord,
  host: string,
  pid: number,
): void {
  const key = `${kind} ${fromUs} ${pid} ${host}`
  if (pauses.has(key) || pauses.size >= MAX_PAUSES) return
  pauses.set(key, { kind, trace, host, pid, timeMs: fromUs / 1000, ms: us / 1000 })
}
