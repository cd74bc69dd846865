import { createReadStream } from 'node:fs'
import { formatOf, formatReader } from 'clew/formats'
import type { Trace, TraceProblem } from 'clew/trace'
import { readSource, sourceIn, spokenPath } from './collector-source.ts'
import { Fault, fileFault } from './fault.ts'
import { DamagedFile, type InflateBounds, inflateBounds, inflated } from './inflate.ts'
import { interruptible } from './interruption.ts'
import { ReadingProgress } from './reading-progress.ts'
import { type TracePath, tracePaths } from './trace-paths.ts'

/** What was found in one file. */
export interface ReadDocument {
  readonly path: string
  /** Traces in it. */
  readonly traces: number
  /** Without the file's name. */
  readonly problems: readonly TraceProblem[]
  /** Found in a directory and no trace: passed over. */
  readonly passedOver: boolean
}

/** Bytes by which a format is told. */
const HEAD_BYTES = 65_536

/**
 * Reads the traces of files and of all files in directories, in any format, compressed by gzip or zstd
 * or not, and tells on a terminal how far it has come.
 * @throws Fault when a file that was named cannot be opened, or becomes too large
 */
export async function readDocuments(
  paths: readonly string[],
  take: (trace: Trace) => void,
): Promise<readonly ReadDocument[]> {
  const files = await tracePaths(paths)
  const bounds = inflateBounds(process.env)
  const sizes = files.map(({ bytes }) => bytes)
  const known = sizes.every((bytes) => bytes !== undefined)
  const sum = known ? sizes.reduce((all, bytes) => all + bytes!, 0) : undefined
  const progress = new ReadingProgress(sum)
  try {
    return await interruptible(
      () => progress.clear(),
      async () => {
        const documents: ReadDocument[] = []
        for (const file of files) documents.push(await readDocument(file, take, progress, bounds))
        return documents
      },
    )
  } finally {
    progress.clear()
  }
}

async function readDocument(
  { path, found }: TracePath,
  take: (trace: Trace) => void,
  progress: ReadingProgress,
  bounds: InflateBounds,
): Promise<ReadDocument> {
  const reading = new Reading((trace) => {
    progress.traces++
    take(trace)
  }, found)
  const damage: TraceProblem[] = []
  try {
    const name = spokenPath(path)
    for await (const bytes of inflated(counted(path, progress), name, bounds)) {
      if (!reading.push(bytes)) break
    }
  } catch (error) {
    if (error instanceof Fault) throw error
    if (error instanceof DamagedFile) damage.push({ kind: 'unreadable', message: error.message })
    else if (!found) throw fileFault('read', spokenPath(path), error)
    else damage.push({ kind: 'unreadable', message: fileFault('read', path, error).message })
  }
  reading.end()
  const { traces, passedOver } = reading
  const problems = [...reading.problems, ...damage]
  if (reading.isWithoutTraces && problems.length === 0) {
    problems.push({ kind: 'unreadable', message: 'it lists no traces' })
  }
  return { path, traces, problems, passedOver }
}

async function* counted(path: string, progress: ReadingProgress): AsyncGenerator<Uint8Array> {
  const source = sourceIn(path)
  const stream =
    source !== undefined
      ? readSource(source)
      : path === '-'
        ? process.stdin
        : createReadStream(path)
  for await (const bytes of stream as AsyncIterable<Uint8Array>) {
    progress.read += bytes.length
    progress.tell()
    yield bytes
  }
}

/** One document: its format is told by its beginning. */
class Reading {
  readonly #take: (trace: Trace) => void
  readonly #optional: boolean
  #head: Uint8Array[] = []
  #headBytes = 0
  #reader: ReturnType<typeof formatReader> | undefined
  traces = 0
  passedOver = false

  /** @param optional where it is of no known format, it is not read */
  constructor(take: (trace: Trace) => void, optional: boolean) {
    this.#take = take
    this.#optional = optional
  }

  get problems(): readonly TraceProblem[] {
    return this.#reader?.problems ?? []
  }

  /** True of a document that is well, and has none. */
  get isWithoutTraces(): boolean {
    return this.traces === 0 && this.#headBytes > 0 && !this.passedOver
  }

  /** @returns false when no more is wanted */
  push(bytes: Uint8Array): boolean {
    if (this.#reader !== undefined) {
      this.#hand(this.#reader.push(bytes))
      return true
    }
    this.#head.push(bytes)
    this.#headBytes += bytes.length
    if (this.#headBytes >= HEAD_BYTES) this.#begin()
    return !this.passedOver
  }

  end(): void {
    if (this.#reader === undefined && !this.passedOver) this.#begin()
    if (this.#reader !== undefined) this.#hand(this.#reader.end())
  }

  #begin(): void {
    const head = Buffer.concat(this.#head)
    this.#head = []
    const format = formatOf(head)
    this.passedOver = format === undefined && this.#optional
    if (this.passedOver) return
    // Our own reader says best of a file that is nothing known what is wrong with it.
    this.#reader = formatReader(format ?? 'clew')
    this.#hand(this.#reader.push(head))
  }

  #hand(traces: readonly Trace[]): void {
    this.traces += traces.length
    for (const trace of traces) this.#take(trace)
  }
}
