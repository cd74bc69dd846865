import { joinParts } from 'clew/formats'
import { callTree, type Trace, type TraceProblem } from 'clew/trace'
import { spokenPath } from './collector-source.ts'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { harmless } from './harmless.ts'
import { Joining } from './joining.ts'
import { problemsOf } from './problems-of-files.ts'
import { readDocuments } from './read-documents.ts'
import { tracePaths } from './trace-paths.ts'

/** Which trace of a file is meant: its number in the list, from 1, or a part of its id. */
export type Selector = { readonly number: number } | { readonly idPart: string }

/** A line of the list of a file's traces. */
export interface TraceSummary {
  readonly number: number
  readonly id: string
  readonly service: string
  readonly method: string
  readonly startedMs: number
  readonly totalMs: number
  readonly calls: number
  readonly failed: number
  readonly complete: boolean
}

/** What a file held: the one trace that was asked for, or all of them in a list. */
export interface TraceFile {
  /** The chosen trace, or the only one. */
  readonly trace: Trace | undefined
  readonly summaries: readonly TraceSummary[]
  /** What could not be read. */
  readonly problems: readonly TraceProblem[]
}

/** Ids shown when several begin alike. */
const MOST_SHOWN = 5

/**
 * Reads trace files piece by piece, in any format. Parts of one trace, and the same trace twice, are one,
 * as long as no more than two million entries are held, or 250,000 of a single file.
 * @param paths `-` for stdin; of a directory, all files below it
 * @throws Fault when one cannot be opened, when nothing in them could be read (exit code 7), or when
 *   the trace asked for is not in them (exit code 3) or not the only one (exit code 2)
 */
export async function readTraceFile(
  paths: readonly string[],
  selector?: Selector,
): Promise<TraceFile> {
  const gathering = new Gathering(selector)
  const single = (await tracePaths(paths)).length === 1
  const joining = new Joining((trace) => gathering.take(trace), single)
  const documents = await readDocuments(paths, (trace) => joining.add(trace))
  joining.end()
  const problems = problemsOf(documents)
  if (gathering.summaries.length === 0) throw nothingReadable(paths, problems)
  return { trace: gathering.chosen(paths), summaries: gathering.summaries, problems }
}

/** `17`, or a part of an id. A trace id has 32 digits, so short numbers are numbers. */
export function parseSelector(text: string): Selector {
  return /^\d{1,7}$/.test(text) ? { number: Number(text) } : { idPart: text.toLowerCase() }
}

/** What is read, in a word: the name of the only file, or how many there are. */
export function nameOf(paths: readonly string[]): string {
  const [path = ''] = paths
  if (paths.length !== 1) return `these ${paths.length} files`
  return spokenPath(path)
}

/** Keeps a line of every trace, and of one of them everything. */
class Gathering {
  readonly summaries: TraceSummary[] = []
  readonly #selector: Selector | undefined
  readonly #numbers = new Map<string, number>()
  /** Parts of the traces that may be the chosen one, by their number. */
  readonly #kept = new Map<number, Trace>()

  constructor(selector: Selector | undefined) {
    this.#selector = selector
  }

  take(trace: Trace): void {
    // Traces without an id are told apart by where they stand; all others may come in several parts.
    const known = trace.id === '' ? undefined : this.#numbers.get(trace.id)
    const number = known ?? this.summaries.length + 1
    if (trace.id !== '') this.#numbers.set(trace.id, number)
    const wanted = this.#isWanted(number, trace.id)
    const before = this.#kept.get(number)
    const whole = before === undefined ? trace : joinParts([before, trace])
    if (wanted) this.#kept.set(number, whole)
    const summary = summaryOf(number, whole)
    this.summaries[number - 1] =
      known === undefined || before !== undefined
        ? summary
        : continued(this.summaries[number - 1]!, summary)
    // Without a selector a trace is chosen only if it is the only one.
    if (this.#selector === undefined && this.summaries.length > 1) this.#kept.clear()
  }

  chosen(paths: readonly string[]): Trace | undefined {
    if (this.#kept.size === 1) return [...this.#kept.values()][0]
    if (this.#selector === undefined) return undefined
    throw this.#kept.size === 0
      ? noSuchTrace(paths, this.#selector, this.summaries.length)
      : ambiguous(
          this.#selector,
          [...this.#kept.values()].map(({ id }) => id),
        )
  }

  #isWanted(number: number, id: string): boolean {
    const selector = this.#selector
    if (selector === undefined) return number === 1
    if ('number' in selector) return number === selector.number
    return id.toLowerCase().includes(selector.idPart)
  }
}

function summaryOf(number: number, trace: Trace): TraceSummary {
  const tree = callTree(trace)
  let failed = 0
  const open = [tree.root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    for (const child of call.calls) open.push(child)
    if (call.status !== 'ok' && call.status !== 'pending') failed++
  }
  return {
    number,
    id: trace.id,
    service: tree.root.service,
    method: tree.root.method,
    startedMs: tree.startedMs,
    totalMs: tree.totalMs,
    calls: tree.calls,
    failed,
    complete: tree.complete,
  }
}

/** A trace whose first part is not kept any more: what a later part adds to its line. */
function continued(first: TraceSummary, more: TraceSummary): TraceSummary {
  return { ...first, calls: first.calls + more.calls, failed: first.failed + more.failed }
}

export function nothingReadable(
  paths: readonly string[],
  problems: readonly TraceProblem[],
): Fault {
  const name = nameOf(paths)
  const told = problems.slice(0, 3).map(({ message }) => message)
  const more = problems.length > 3 ? [`and ${problems.length - 3} more of the kind`] : []
  return problems.length === 0
    ? new Fault(`${name} is empty`, {
        exit: EXIT.partial,
        code: 'empty_file',
        next: ['clew call SERVICE.METHOD -o FILE   writes a trace'],
      })
    : new Fault(`nothing in ${name} could be read as a trace`, {
        exit: EXIT.partial,
        code: 'no_trace',
        why: [...told, ...more].join('\n'),
        next: [
          'a file of Clew’s, OTLP, Jaeger or Zipkin; what is written for other tools is not read',
        ],
      })
}

function noSuchTrace(paths: readonly string[], selector: Selector, count: number): Fault {
  const asked =
    'number' in selector ? `number ${selector.number}` : `${harmless(selector.idPart)} in its id`
  const [has, it] = paths.length === 1 ? ['has', 'it has'] : ['have', 'they have']
  return new Fault(`${nameOf(paths)} ${has} no trace with ${asked}`, {
    exit: EXIT.notFound,
    code: 'no_such_trace',
    why: count === 1 ? `${it} one trace` : `${it} ${count} traces`,
    next: paths.includes('-') ? [] : [`clew show ${paths.join(' ')}   to list them`],
  })
}

function ambiguous(selector: Selector, ids: readonly string[]): Fault {
  const part = 'idPart' in selector ? harmless(selector.idPart) : ''
  return new Fault(`${ids.length} traces have ${part} in their id`, {
    exit: EXIT.usage,
    code: 'ambiguous_trace',
    meant: ids.slice(0, MOST_SHOWN),
  })
}
