import { type CallNode, type CallTree, criticalPath } from 'clew/trace'
import { conditionOf, isDetached, isFailed, isOperation } from '../outline/condition.ts'
import { visible } from '../visible.ts'
import { counted } from '../words.ts'
import { chosenCalls } from './choose.ts'
import {
  COLUMNS,
  type Column,
  type ColumnName,
  EDGES,
  FLAGS,
  KINDS,
  type PageTrace,
  STATUSES,
} from './format.ts'

type Values = Partial<Record<ColumnName, number | null>>

/** What a column holds where a row says nothing. */
const REST: Readonly<Partial<Record<ColumnName, number | null>>> = {
  ...{ depth: 0, kind: 0, edge: 0, status: 0, attempt: 1, flags: 0, count: 1 },
  ...{ id: -1, service: -1, method: -1, host: -1, callerHost: -1, error: -1, note: -1 },
  ...{ presence: -1, version: -1, attributes: -1 },
}

/** Strings of a page, each once. */
export class Dictionary {
  readonly strings: string[] = []
  readonly #indexes = new Map<string, number>()

  /** The index of a text made harmless; -1 for none. */
  of(text: string | undefined): number {
    if (text === undefined || text === '') return -1
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    const index = this.strings.push(visible(text)) - 1
    this.#indexes.set(text, index)
    return index
  }
}

export type Rows = Pick<PageTrace, 'rows' | 'columns' | 'critical'>

/** A tree as rows, with at most as many calls; what is beyond is folded into rows that say so. */
export function rowsOf(tree: CallTree, most: number, dictionary: Dictionary): Rows {
  const kept = chosenCalls(tree, most)
  const writer = new RowWriter(tree, dictionary)
  const rowOf = new Map<CallNode, number>()
  const open: { readonly call: CallNode; readonly depth: number }[] = [
    { call: tree.root, depth: 0 },
  ]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { call, depth } = at
    rowOf.set(call, writer.addCall(call, depth))
    const dropped: CallNode[] = []
    for (let index = call.calls.length - 1; index >= 0; index--) {
      const child = call.calls[index]!
      if (kept === undefined || kept.has(child)) open.push({ call: child, depth: depth + 1 })
      else dropped.push(child)
    }
    writer.addBelow(call, depth + 1)
    if (dropped.length === 0) continue
    const row = writer.addFolded(dropped, depth + 1)
    for (const { call: hidden } of below(dropped)) rowOf.set(hidden, row)
  }
  const critical = { row: [] as number[], from: [] as number[], to: [] as number[] }
  for (const { call, startMs, endMs } of criticalPath(tree)) {
    const row = rowOf.get(call)
    if (row === undefined) continue
    critical.row.push(row)
    critical.from.push(micros(startMs) ?? 0)
    critical.to.push(micros(endMs) ?? 0)
  }
  return { rows: writer.rows, columns: writer.columns(), critical }
}

/** Calls and all below them, without recursion. */
function* below(calls: readonly CallNode[]): Generator<{ readonly call: CallNode }> {
  const open = [...calls]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    yield { call }
    for (const child of call.calls) open.push(child)
  }
}

/** Microseconds are the finest that any clock here tells; what is no time is null. */
export function micros(ms: number | undefined): number | null {
  if (ms === undefined || !Number.isFinite(ms)) return null
  const us = Math.round(ms * 1000)
  return Math.abs(us) <= Number.MAX_SAFE_INTEGER ? us : null
}

class RowWriter {
  readonly #values = Object.fromEntries(COLUMNS.map((name) => [name, []])) as unknown as Record<
    ColumnName,
    (number | null)[]
  >
  readonly #tree: CallTree
  readonly #dictionary: Dictionary
  rows = 0

  constructor(tree: CallTree, dictionary: Dictionary) {
    this.#tree = tree
    this.#dictionary = dictionary
  }

  addCall(call: CallNode, depth: number): number {
    const { detail } = conditionOf(call, depth === 0)
    return this.#add({
      ...{ depth, attempt: call.attempt, flags: flagsOf(call) },
      ...{ edge: EDGES.indexOf(call.edge), status: STATUSES.indexOf(call.status) },
      ...this.#namesOf(call, detail),
      ...{ pid: call.pid ?? null, inFlight: call.inFlight ?? null },
      busy: call.busy === undefined ? null : Math.round(call.busy * 1000),
      ...{ offset: micros(call.offsetMs) ?? 0, handleOffset: micros(call.handleOffsetMs) },
      ...{ total: micros(call.totalMs), handle: micros(call.handleMs), self: micros(call.selfMs) },
      ...{ request: this.#stamp(call.requestMs), receive: this.#stamp(call.receiveMs) },
      ...{ start: this.#stamp(call.startMs), respond: this.#stamp(call.respondMs) },
      finish: this.#stamp(call.finishMs),
      ...{ requestLeg: micros(call.requestLegMs), replyLeg: micros(call.replyLegMs) },
      legError: micros(call.legErrorMs),
    })
  }

  #namesOf(call: CallNode, detail: string): Values {
    const { attributes } = call
    const written = attributes === undefined ? undefined : Object.entries(attributes)
    return {
      ...{ id: this.#text(call.id), service: this.#text(call.service) },
      ...{ method: this.#text(call.method), host: this.#text(call.host) },
      ...{ callerHost: this.#text(call.callerHost), error: this.#text(call.error) },
      ...{ note: this.#text(detail), presence: this.#text(call.presence) },
      version: this.#text(call.version),
      attributes: this.#text(written?.map(([name, value]) => `${name} = ${value}`).join('  ·  ')),
    }
  }

  /** What is known of calls that did not come one by one. */
  addBelow(call: CallNode, depth: number): void {
    for (const fold of call.folds) {
      this.#add({
        ...{ depth, kind: KINDS.indexOf('merged'), count: fold.count },
        ...{ edge: EDGES.indexOf(fold.edge), service: this.#text(fold.service) },
        ...{ method: this.#text(fold.method), offset: micros(fold.offsetMs) ?? 0 },
        ...{ total: micros(fold.maxMs), note: this.#text('merged where they were made') },
      })
    }
    if (call.missingCalls > 0) {
      this.#add({
        ...{ depth, kind: KINDS.indexOf('missing'), count: call.missingCalls },
        ...{ method: this.#text(`${counted(call.missingCalls, 'call')} missing`) },
        ...{ offset: micros(call.offsetMs) ?? 0, note: this.#text('nothing came home') },
      })
    }
  }

  addFolded(dropped: readonly CallNode[], depth: number): number {
    let [count, failed, from, to] = [0, 0, Number.POSITIVE_INFINITY, 0]
    for (const { call } of below(dropped)) {
      count++
      if (isFailed(call)) failed++
      from = Math.min(from, call.offsetMs)
      to = Math.max(to, call.offsetMs + (call.totalMs ?? 0))
    }
    const failures = failed === 0 ? '' : `, ${failed} of them failed`
    return this.#add({
      ...{ depth, kind: KINDS.indexOf('folded'), count },
      method: this.#text(`+${counted(count, 'call')}`),
      ...{ offset: micros(from) ?? 0, total: micros(to - from) },
      note: this.#text(`folded to keep the page quick${failures}`),
    })
  }

  columns(): Readonly<Record<ColumnName, Column>> {
    const packed = COLUMNS.map((name) => [name, pack(this.#values[name], REST[name] ?? null)])
    return Object.fromEntries(packed)
  }

  #add(values: Values): number {
    for (const name of COLUMNS) this.#values[name].push(values[name] ?? REST[name] ?? null)
    return this.rows++
  }

  #text = (text: string | undefined): number => this.#dictionary.of(text)

  #stamp = (ms: number | undefined): number | null =>
    ms === undefined ? null : micros(ms - this.#tree.startedMs)
}

function flagsOf(call: CallNode): number {
  return (
    (call.redelivered ? FLAGS.redelivered : 0) |
    (call.late ? FLAGS.late : 0) |
    (call.placeholder ? FLAGS.placeholder : 0) |
    (isDetached(call) ? FLAGS.detached : 0) |
    (isOperation(call) ? FLAGS.operation : 0)
  )
}

/** Columns that hardly ever differ from their usual value are written as where they do. */
function pack(values: readonly (number | null)[], rest: number | null): Column {
  const at: number[] = []
  for (const [index, value] of values.entries()) if (value !== rest) at.push(index)
  if (at.length * 2 > values.length) return values
  return { at, values: at.map((index) => values[index]!), rest }
}
