import { formatMs } from 'clew/trace'
import {
  COLUMNS,
  type ColumnName,
  FLAGS,
  KINDS,
  type PageContent,
  type PageTrace,
  STATUSES,
} from '../html/format.ts'
import { unpacked } from '../html/unpack.ts'
import { type Lanes, lanesOf } from '../layout/lanes.ts'

/** The rows of a trace in arrays, with what views ask of them. Times are microseconds. */
export class Calls {
  readonly trace: PageTrace
  readonly rows: number
  readonly column: Readonly<Record<ColumnName, Float64Array>>
  /** Of each row: its caller's row (-1), and the row after the last below it. */
  readonly parent: Int32Array
  readonly end: Int32Array
  /** Of each row: time on the critical path. */
  readonly critical: Float64Array
  /** Stretches of the critical path sorted by row, and where each row's begin among them. */
  readonly #stretches: Int32Array
  readonly #firstStretch: Int32Array
  readonly errors: readonly number[]
  readonly #strings: readonly string[]
  readonly #own = new Map<number, readonly (readonly [number, number])[]>()
  #lanes: Lanes | undefined

  constructor(content: PageContent, trace: PageTrace) {
    this.trace = trace
    this.rows = trace.rows
    this.#strings = content.strings
    const columns = COLUMNS.map((name) => [name, unpacked(trace.columns[name], trace.rows)])
    this.column = Object.fromEntries(columns)
    this.parent = new Int32Array(this.rows).fill(-1)
    this.end = new Int32Array(this.rows).fill(this.rows)
    const open: number[] = []
    for (let row = 0; row < this.rows; row++) {
      const depth = this.column.depth[row]!
      for (let last = open.at(-1); last !== undefined && open.length > depth; last = open.at(-1)) {
        this.end[last] = row
        open.pop()
      }
      this.parent[row] = open.at(-1) ?? -1
      open.push(row)
    }
    this.critical = new Float64Array(this.rows)
    const { row: critical, from, to } = trace.critical
    this.#firstStretch = new Int32Array(this.rows + 1)
    for (const [index, row] of critical.entries()) {
      this.critical[row]! += to[index]! - from[index]!
      this.#firstStretch[row + 1]!++
    }
    for (let row = 0; row < this.rows; row++)
      this.#firstStretch[row + 1]! += this.#firstStretch[row]!
    this.#stretches = new Int32Array(critical.length)
    const next = this.#firstStretch.slice()
    for (const [index, row] of critical.entries()) this.#stretches[next[row]!++] = index
    this.errors = [...Array(this.rows).keys()].filter((row) => this.failed(row))
  }

  text(name: ColumnName, row: number): string {
    return this.#strings[this.column[name][row]!] ?? ''
  }

  /** Whether each string of the dictionary passes a test: asked once a string, not once a row. */
  stringsThat(test: (text: string) => boolean): (name: ColumnName, row: number) => boolean {
    const passes = this.#strings.map(test)
    return (name, row) => passes[this.column[name][row]!] === true
  }

  kind(row: number): (typeof KINDS)[number] {
    return KINDS[this.column.kind[row]!] ?? 'call'
  }

  status(row: number): (typeof STATUSES)[number] {
    return STATUSES[this.column.status[row]!] ?? 'ok'
  }

  has(flag: keyof typeof FLAGS, row: number): boolean {
    return (this.column.flags[row]! & FLAGS[flag]) !== 0
  }

  failed(row: number): boolean {
    const status = this.column.status[row]!
    return status > 0 && status < STATUSES.length - 1 && !this.has('placeholder', row)
  }

  from(row: number): number {
    return this.column.offset[row]! || 0
  }

  /** Where the row ends in the picture; what nobody saw end goes on as long as its caller. */
  to(row: number): number {
    const { total, handle } = this.column
    const length = Number.isNaN(total[row]!) ? handle[row]! : total[row]!
    if (!Number.isNaN(length)) return this.from(row) + Math.max(0, length)
    const parent = this.parent[row]!
    return parent < 0 ? this.trace.toUs : Math.max(this.from(row), this.#known(parent))
  }

  /** The end of the nearest caller that has one; without recursion, since a trace may be deep. */
  #known(row: number): number {
    const { total } = this.column
    let at = row
    while (at >= 0 && Number.isNaN(total[at]!)) at = this.parent[at]!
    return at < 0 ? this.trace.toUs : this.from(at) + total[at]!
  }

  /** `service.method`, as people name it. */
  name(row: number): string {
    const [service, method] = [this.text('service', row), this.text('method', row)]
    if (service === '') return method || 'unknown'
    return method === '' ? service : `${service} ${method}`
  }

  total(row: number): string {
    const { total, handle } = this.column
    const us = Number.isNaN(total[row]!) ? handle[row]! : total[row]!
    return Number.isNaN(us) ? '?' : formatMs(us / 1000)
  }

  /** Stretches of the critical path within a row, as indexes of the trace's list, in order of time. */
  stretchesOf(row: number): Int32Array {
    return this.#stretches.subarray(this.#firstStretch[row]!, this.#firstStretch[row + 1]!)
  }

  get lanes(): Lanes {
    this.#lanes ??= lanesOf({
      count: this.rows,
      fromOf: (row) => this.from(row),
      toOf: (row) => this.to(row),
      parentOf: (row) => this.parent[row]!,
    })
    return this.#lanes
  }

  /** Stretches in which the row's own work went on, neither waiting for a call nor on the way. */
  ownWork(row: number): readonly (readonly [number, number])[] {
    const known = this.#own.get(row)
    if (known !== undefined) return known
    const found = this.#ownWork(row)
    this.#own.set(row, found)
    return found
  }

  #ownWork(row: number): readonly (readonly [number, number])[] {
    const { handleOffset, handle } = this.column
    const from = handleOffset[row]!
    if (Number.isNaN(from) || !(handle[row]! > 0)) return []
    const to = from + handle[row]!
    const waits: (readonly [number, number])[] = []
    for (let child = row + 1; child < this.end[row]!; child = this.end[child]!) {
      if (!this.has('detached', child)) waits.push([this.from(child), this.to(child)])
    }
    waits.sort((one, other) => one[0] - other[0])
    const own: (readonly [number, number])[] = []
    let at = from
    for (const [begin, end] of waits) {
      if (begin > at) own.push([at, Math.min(begin, to)])
      at = Math.max(at, end)
      if (at >= to) return own
    }
    own.push([at, to])
    return own
  }
}
