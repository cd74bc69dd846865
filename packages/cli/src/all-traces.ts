import type { Trace, TraceProblem } from 'clew/trace'
import { EXIT } from './exit.ts'
import { Fault } from './fault.ts'
import { problemsOf } from './problems-of-files.ts'
import { readDocuments } from './read-documents.ts'
import { joined, nothingReadable } from './trace-file.ts'
import { tracePaths } from './trace-paths.ts'

/** Entries held at a time, so that parts of a trace can be joined; beyond, the oldest trace is handed over. */
const MOST_ENTRIES = 2_000_000
/** The same of a single file, which reading has joined as far as parts of a trace stand near each other. */
const MOST_OF_ONE_FILE = 250_000

/**
 * Reads all traces of several files and directories, in any format, as one: what several processes wrote of a trace is joined, wherever
 * it stands, as long as no more than two million entries are held, or 250,000 of a single file.
 * @param take told of each trace, once
 * @returns what could not be read, with the names of the files where there are several
 * @throws Fault when a file cannot be opened, or in none of them anything could be read (exit code 7)
 */
export async function readAllTraces(
  paths: readonly string[],
  take: (trace: Trace) => void,
): Promise<readonly TraceProblem[]> {
  const single = (await tracePaths(paths)).length === 1
  const joining = new Joining(take, single ? MOST_OF_ONE_FILE : MOST_ENTRIES)
  const documents = await readDocuments(paths, (trace) => joining.add(trace))
  const problems = problemsOf(documents)
  if (joining.traces === 0 && documents.length <= 1) {
    throw nothingReadable(documents[0] === undefined ? paths : [documents[0].path], problems)
  }
  if (joining.traces === 0) {
    const why = problems.slice(0, 3).map(({ message }) => message)
    const message = `nothing in ${documents.length} files could be read as a trace`
    throw new Fault(message, { exit: EXIT.partial, code: 'no_trace', why: why.join('\n') })
  }
  joining.end()
  return problems
}

class Joining {
  readonly #take: (trace: Trace) => void
  readonly #mostEntries: number
  /** By id, in order of their first part. */
  readonly #held = new Map<string, Trace>()
  #entries = 0
  traces = 0

  constructor(take: (trace: Trace) => void, mostEntries: number) {
    this.#take = take
    this.#mostEntries = mostEntries
  }

  add(trace: Trace): void {
    this.traces++
    if (trace.id === '') {
      this.#take(trace)
      return
    }
    const before = this.#held.get(trace.id)
    this.#held.set(trace.id, before === undefined ? trace : joined(before, trace))
    this.#entries += trace.entries.length
    for (const [id, oldest] of this.#held) {
      if (this.#entries <= this.#mostEntries) return
      this.#held.delete(id)
      this.#entries -= oldest.entries.length
      this.#take(oldest)
    }
  }

  end(): void {
    for (const trace of this.#held.values()) this.#take(trace)
    this.#held.clear()
  }
}
