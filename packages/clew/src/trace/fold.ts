import { ByteReader } from './byte-reader.ts'
import type { Draft, FoldRecord, Loss } from './draft.ts'
import * as format from './format.ts'
import { type CallItem, readItem, Scope } from './items.ts'
import type { CallRecord, Pointer } from './records.ts'
import { standingOut } from './straggling.ts'

/** About what a fold takes, and what is left of a block that was cut: only to plan with. */
const FOLD_BYTES = 40
const CUT_BYTES = 3

/** A call of the log, and what is to become of it. */
interface Held {
  readonly item: CallItem
  readonly size: number
  /** Calls that go when it goes: itself and all below. */
  readonly calls: number
  readonly blockBytes: number
  readonly tookUs: number
  readonly sound: boolean
  fate: 'whole' | 'cut' | 'merged' | 'gone'
}

interface Contents {
  readonly calls: Held[]
  readonly folds: FoldRecord[]
  readonly pointers: Pointer[]
  lost: Loss[]
}

/**
 * Writes what `from` holds into the empty draft `into`, within `maxBytes` as far as that is possible
 * at all: pointers and word of what is missing always stay.
 */
export function foldDraft(from: Draft, into: Draft, maxBytes: number): void {
  const { owner, receiveUs, first } = from
  let target = maxBytes
  // The plan goes by sizes in the old log; a name that moves to another item costs a little more.
  for (let spare = 16; ; spare *= 2) {
    const contents = contentsOf(from)
    const size = plan(contents, from.out.at, target)
    into.reset(owner, receiveUs, first)
    write(contents, into)
    into.worst = Math.max(into.worst, from.worst)
    into.depth = from.depth
    if (into.out.at <= maxBytes || size === 0) return
    target = Math.max(0, target - (into.out.at - maxBytes) - spare)
  }
}

function contentsOf(draft: Draft): Contents {
  const contents: Contents = { calls: [], folds: [], pointers: [], lost: [] }
  const { service, method, host, pid } = draft.owner
  const owner = { service, method, host, pid: format.toCount(pid) }
  const scope = new Scope(owner, draft.receiveUs, draft.first)
  const reader = new ByteReader(draft.out.buffer, 0, draft.out.at)
  while (reader.at < reader.end) {
    const start = reader.at
    const item = readItem(reader, scope)
    if (item === undefined) break
    if (item.kind === 'call') contents.calls.push(held(item, reader.at - start))
    else if (item.kind === 'pointer') contents.pointers.push(item.pointer)
    else if (item.kind === 'fold') contents.folds.push(item.fold)
    else if (item.kind === 'missing') contents.lost.push(item.loss)
  }
  return contents
}

function held(item: CallItem, size: number): Held {
  const { record, child, loss, foreign } = item
  const block = child ?? foreign
  const below = (block?.calls ?? 0) + (loss?.calls ?? 0)
  const quiet = child === undefined || (child.worst === 0 && child.own === 0)
  return {
    item,
    size,
    calls: below + (record.late ? 0 : 1),
    blockBytes: block === undefined ? 0 : block.end - block.start,
    tookUs: record.finishUs === undefined ? 0 : Math.max(0, record.finishUs - record.requestUs),
    sound: record.status === 'ok' && !record.late && quiet && loss === undefined,
    fate: 'whole',
  }
}

/** Decides what goes until `target` is met; gives 0 when there is nothing left that could go. */
function plan(contents: Contents, size: number, target: number): number {
  let left = size
  const { calls } = contents
  const slowest = calls.reduce<Held | undefined>(
    (most, call) => (most === undefined || call.tookUs > most.tookUs ? call : most),
    undefined,
  )
  for (const { group, saved } of mergeable(contents, slowest)) {
    if (left <= target) return left
    for (const call of group) call.fate = 'merged'
    left -= saved
  }
  const rest = calls.filter((call) => call.fate === 'whole')
  // What matters least goes first: sound before failed, and the slowest at the very end.
  const rank = (call: Held) => (call === slowest ? 2 : call.sound ? 0 : 1)
  for (const call of rest.toSorted((a, b) => rank(a) - rank(b) || b.blockBytes - a.blockBytes)) {
    if (left <= target) return left
    if (call.blockBytes <= CUT_BYTES) continue
    call.fate = 'cut'
    left -= call.blockBytes - CUT_BYTES
  }
  for (const call of rest.toSorted((a, b) => rank(a) - rank(b) || a.tookUs - b.tookUs)) {
    if (left <= target) return left
    left -= call.fate === 'cut' ? call.size - call.blockBytes : call.size
    call.fate = 'gone'
  }
  if (left <= target || calls.every((call) => call.fate !== 'merged')) {
    if (left <= target || contents.folds.length === 0) return left <= target ? left : 0
  }
  for (const call of calls) call.fate = 'gone'
  contents.lost.push(...contents.folds.map((fold): Loss => ({ reason: 'cut', calls: fold.calls })))
  contents.folds.length = 0
  return 0
}

const groupKey = ({ edge, service, method }: CallRecord | FoldRecord) =>
  `${edge}\0${service}\0${method}`

interface Group {
  readonly group: readonly Held[]
  readonly saved: number
}

/** Groups of siblings that tell little by themselves, the one that saves most first. */
function mergeable(contents: Contents, slowest: Held | undefined): Group[] {
  const groups = new Map<string, Held[]>()
  for (const call of contents.calls) {
    const { edge } = call.item.record
    if (!call.sound || edge === 'event' || edge === 'next') continue
    const key = groupKey(call.item.record)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [call])
    else group.push(call)
  }
  const folded = new Set(contents.folds.map(groupKey))
  const useful: Group[] = []
  for (const [key, all] of groups) {
    const { indices } = standingOut(all.map((call) => call.tookUs / 1000))
    const standing = new Set(indices.map((index) => all[index]))
    const group = all.filter((call) => call !== slowest && !standing.has(call))
    const bytes = group.reduce((sum, call) => sum + call.size, 0)
    const saved = bytes - (folded.has(key) ? 0 : FOLD_BYTES)
    const several = group.length > 1 || folded.has(key)
    if (saved > 0 && several) useful.push({ group, saved })
  }
  return useful.toSorted((a, b) => b.saved - a.saved)
}

function write(contents: Contents, into: Draft): void {
  const merged = new Map<string, Held[]>()
  const gone: Loss[] = [...contents.lost]
  for (const call of contents.calls) {
    const { record, child, loss, foreign } = call.item
    if (call.fate === 'gone') {
      gone.push({ reason: 'cut', calls: call.calls })
    } else if (call.fate === 'merged') {
      const key = groupKey(record)
      const group = merged.get(key)
      if (group === undefined) merged.set(key, [call])
      else group.push(call)
    } else if (call.fate === 'cut') {
      into.again(record, undefined, { reason: 'cut', calls: (child ?? foreign)?.calls ?? 0 })
    } else if (foreign !== undefined) {
      into.foreign(record, foreign.bytes, foreign.start, foreign.end, foreign.calls)
    } else {
      into.again(record, child, loss)
    }
  }
  for (const fold of contents.folds) {
    const key = groupKey(fold)
    into.fold(mergedFold(merged.get(key) ?? [], fold))
    merged.delete(key)
  }
  for (const group of merged.values()) into.fold(mergedFold(group, undefined))
  for (const pointer of contents.pointers) into.pointer(pointer)
  for (const reason of format.REASONS) {
    const calls = gone.reduce((sum, loss) => sum + (loss.reason === reason ? loss.calls : 0), 0)
    if (calls > 0) into.missing({ reason, calls })
  }
}

/** One fold of calls and of what was folded before. Then the median is that of medians, by weight. */
function mergedFold(group: readonly Held[], before: FoldRecord | undefined): FoldRecord {
  if (before !== undefined && group.length === 0) return before
  const { edge, service, method } = before ?? group[0]!.item.record
  const weights = group.map((call) => ({ us: call.tookUs, weight: 1 }))
  if (before !== undefined) weights.push({ us: before.medianUs, weight: before.count })
  weights.sort((a, b) => a.us - b.us)
  const count = weights.reduce((sum, { weight }) => sum + weight, 0)
  let passed = 0
  const middle = weights.find(({ weight }) => {
    passed += weight
    return passed * 2 >= count
  })
  let minUs = before?.minUs ?? Number.POSITIVE_INFINITY
  let maxUs = before?.maxUs ?? 0
  let sumUs = before?.sumUs ?? 0
  let calls = before?.calls ?? 0
  let requestUs = before?.requestUs ?? Number.POSITIVE_INFINITY
  for (const call of group) {
    minUs = Math.min(minUs, call.tookUs)
    maxUs = Math.max(maxUs, call.tookUs)
    sumUs = Math.min(format.MAX_STAMP, sumUs + call.tookUs)
    calls += call.calls
    requestUs = Math.min(requestUs, call.item.record.requestUs)
  }
  return {
    edge,
    service,
    method,
    count,
    calls,
    minUs,
    medianUs: middle?.us ?? 0,
    maxUs,
    sumUs,
    requestUs,
  }
}
