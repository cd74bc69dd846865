import type { TraceProblem } from './call-node.ts'
import type { Entry, Fold, Missing, Pause, Relay, Trace, TraceSource } from './entry.ts'
import { Interning } from './interning.ts'
import { type Line, readLine } from './lines.ts'
import { ListSplitter } from './list-splitter.ts'
import { Problems } from './problems.ts'

export { encodeEntries, encodeTrace } from './lines.ts'

export interface TraceReaderOptions {
  /** Longest line, or element of a list, in UTF-16 units; longer ones are passed over. @default 1,048,576 */
  readonly maxLineLength?: number | undefined
  /**
   * Lines after which a trace of which nothing more came is handed over. What comes still later is
   * handed over as another trace of the same id.
   * @default 10,000
   */
  readonly linger?: number | undefined
  /** Entries held at a time; beyond, the traces that were silent for longest are handed over. @default 5,000,000 */
  readonly maxEntries?: number | undefined
}

/** Everything read of one trace so far. */
interface Open {
  readonly id: string
  readonly number: number
  readonly entries: Entry[]
  readonly folds: Fold[]
  readonly missing: Missing[]
  readonly relays: Relay[]
  readonly pauses: Pause[]
  source: TraceSource | undefined
  weight: number
  complete: boolean
  touched: number
  size: number
}

/**
 * Reads a trace file piece by piece, in bounded memory. Lines of several traces may interleave. A
 * JSON list of entries, over however many lines, is read as well; entries in it that name no trace
 * are one trace. Damaged lines are passed over and told in `problems`.
 */
export class TraceReader {
  readonly #maxLineLength: number
  readonly #linger: number
  readonly #maxEntries: number
  readonly #problems = new Problems()
  /** In order of last mention. */
  readonly #open = new Map<string, Open>()
  #handedOver: Trace[] = []
  #rest = ''
  #list: ListSplitter | undefined
  #lists = 0
  #listLine = 0
  #line = 1
  #told = 0
  #numbers = 0
  #held = 0
  #last: Open | undefined
  readonly #texts = new Interning()
  /** In the middle of a line that is too long already. */
  #skipping = false

  constructor(options: TraceReaderOptions = {}) {
    const { maxLineLength = 1_048_576, linger = 10_000, maxEntries = 5_000_000 } = options
    this.#maxLineLength = maxLineLength
    this.#linger = linger
    this.#maxEntries = maxEntries
  }

  /** What could not be read so far, with line numbers. */
  get problems(): readonly TraceProblem[] {
    return this.#problems.list()
  }

  /** Takes the next text of the file, cut anywhere. Returns traces of which nothing more is expected. */
  push(text: string): Trace[] {
    let at = 0
    while (at < text.length)
      at = this.#list === undefined ? this.#pushLine(text, at) : this.#pushList(text, at)
    return this.#take()
  }

  /** Ends the file. Returns all traces not yet handed over, in order of their first line. */
  end(): Trace[] {
    if (this.#list !== undefined) {
      this.#problems.add('unreadable', `line ${this.#listLine}: a list that never ends`)
      this.#list = undefined
    }
    this.#endLine()
    const open = [...this.#open.values()].sort((a, b) => a.number - b.number)
    this.#open.clear()
    this.#last = undefined
    for (const trace of open) this.#handOver(trace)
    return this.#take()
  }

  #take(): Trace[] {
    const taken = this.#handedOver
    this.#handedOver = []
    return taken
  }

  #pushLine(chunk: string, at: number): number {
    // Most lines begin with a brace, and at their beginning: no need to look further for a list.
    if (!this.#skipping && chunk[at] !== '{' && this.#rest.trim() === '') {
      let found = at
      while (found < chunk.length && chunk[found]!.trim() === '') found++
      if (chunk[found] === '[') {
        for (let i = at; i < found; i++) if (chunk[i] === '\n') this.#line++
        this.#list = new ListSplitter(this.#maxLineLength)
        this.#lists++
        this.#listLine = this.#line
        this.#rest = ''
        return found + 1
      }
    }
    const end = chunk.indexOf('\n', at)
    const stop = end < 0 ? chunk.length : end
    if (!this.#skipping) {
      if (this.#rest.length + stop - at > this.#maxLineLength) {
        this.#skipping = true
        this.#rest = ''
        this.#problems.add('limit', `line ${this.#line}: longer than ${this.#maxLineLength}`)
      } else {
        this.#rest += chunk.slice(at, stop)
      }
    }
    if (end < 0) return stop
    this.#endLine()
    this.#line++
    return end + 1
  }

  #endLine(): void {
    const text = this.#rest.trim()
    this.#rest = ''
    this.#skipping = false
    if (text !== '') this.#read(text, '')
  }

  #pushList(chunk: string, at: number): number {
    const list = this.#list!
    const name = `list ${this.#lists}`
    const end = list.push(chunk, at, {
      element: (text) => this.#read(text, name),
      line: () => this.#line++,
      tooLong: () => {
        this.#problems.add('limit', `line ${this.#line}: longer than ${this.#maxLineLength}`)
      },
      stray: (text) => {
        this.#problems.add('unreadable', `line ${this.#line}: ${JSON.stringify(text)} in a list`)
      },
      broken: () => this.#problems.add('unreadable', `line ${this.#listLine} is not JSON`),
    })
    if (list.closed) this.#list = undefined
    return end
  }

  /** @param anonymous under which key entries are gathered that name no trace */
  #read(text: string, anonymous: string): void {
    this.#told++
    const line = readLine(text, this.#texts)
    if (typeof line === 'string') {
      this.#problems.add('unreadable', `line ${this.#line} ${line}`)
      return
    }
    const open = this.#openOf(line.trace ?? '', anonymous)
    open.touched = this.#told
    if (this.#held >= this.#maxEntries && !this.#makeRoom(open)) return
    this.#held++
    open.size++
    put(open, line)
    this.#handOverSilent()
  }

  /** The trace that a line belongs to, which has been mentioned last then. */
  #openOf(id: string, anonymous: string): Open {
    const last = this.#last
    if (last !== undefined && last.id === id && id !== '') return last
    const key = id === '' ? `?${anonymous}` : `=${id}`
    let open = this.#open.get(key)
    if (open === undefined) open = newTrace(id, this.#numbers++)
    else this.#open.delete(key)
    this.#open.set(key, open)
    this.#last = open
    return open
  }

  #makeRoom(current: Open): boolean {
    const [oldest] = this.#open
    if (oldest === undefined || oldest[1] === current) {
      this.#problems.add('limit', `line ${this.#line}: more than ${this.#maxEntries} entries held`)
      return false
    }
    this.#open.delete(oldest[0])
    this.#handOver(oldest[1])
    return true
  }

  #handOverSilent(): void {
    for (const [key, open] of this.#open) {
      if (this.#told - open.touched <= this.#linger) return
      this.#open.delete(key)
      this.#handOver(open)
    }
  }

  #handOver(open: Open): void {
    this.#held -= open.size
    if (open === this.#last) this.#last = undefined
    const { id, entries, folds, missing, relays, pauses, source, weight, complete } = open
    const more = {
      ...(pauses.length > 0 && { pauses }),
      ...(source !== undefined && { source }),
      ...(weight > 1 && { weight }),
    }
    this.#handedOver.push({ id, entries, folds, missing, relays, ...more, complete })
  }
}

function newTrace(id: string, number: number): Open {
  const lists = { entries: [], folds: [], missing: [], relays: [], pauses: [] }
  return { id, number, ...lists, source: undefined, weight: 1, complete: true, touched: 0, size: 0 }
}

function put(open: Open, line: Line): void {
  if ('entry' in line) open.entries.push(line.entry)
  else if ('fold' in line) open.folds.push(line.fold)
  else if ('missing' in line) open.missing.push(line.missing)
  else if ('relay' in line) open.relays.push(line.relay)
  else if ('pause' in line) open.pauses.push(line.pause)
  else if ('source' in line) open.source = line.source
  else if ('weight' in line) open.weight = Math.max(open.weight, line.weight)
  else open.complete = false
}

/**
 * Reads a whole trace file, or the paper's plain list, into traces in order of their first line.
 * Entries of one trace are gathered wherever they stand.
 */
export function parseTraces(text: string): {
  readonly traces: Trace[]
  readonly problems: readonly TraceProblem[]
} {
  const unbounded = Number.POSITIVE_INFINITY
  const reader = new TraceReader({ linger: unbounded, maxEntries: unbounded })
  const traces = [...reader.push(text), ...reader.end()]
  return { traces, problems: reader.problems }
}
