import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { encodeTrace, type Trace } from '../trace/index.ts'
import type { Sink, SinkCounts } from './sink.ts'

export interface FileSinkOptions {
  /** Traces waiting to be written, in bytes of text; what comes beyond is dropped and counted. @default 8388608 */
  readonly maxBufferBytes?: number
  /** Begin with an empty file instead of adding to it. @default false */
  readonly truncate?: boolean
  /** Told once for each run of failures. @default a line on stderr */
  readonly onProblem?: (message: string, error: unknown) => void
}

/**
 * Writes traces to a file as JSON Lines, one entry a line (`docs/format.md`): the paper's client
 * file. Never blocks a call: text is made and written after the event loop's current turn, and a
 * full buffer drops the newest trace, counted.
 */
export function fileSink(path: string, options: FileSinkOptions = {}): Sink {
  return new FileSink(path, options)
}

class FileSink implements Sink {
  readonly #path: string
  readonly #maxBufferBytes: number
  readonly #onProblem: (message: string, error: unknown) => void
  readonly #flags: string
  #waiting: Trace[] = []
  #waitingBytes = 0
  #file: FileHandle | undefined
  #writing: Promise<void> | undefined
  #failing = false
  #torn = false
  #closed = false
  #taken = 0
  #written = 0
  #dropped = 0

  constructor(path: string, options: FileSinkOptions) {
    this.#path = path
    this.#maxBufferBytes = options.maxBufferBytes ?? 8 * 1024 * 1024
    this.#flags = options.truncate === true ? 'w' : 'a'
    this.#onProblem =
      options.onProblem ?? ((message) => void process.stderr.write(`clew warn: ${message}\n`))
  }

  get counts(): SinkCounts {
    return { taken: this.#taken, written: this.#written, dropped: this.#dropped }
  }

  take(trace: Trace): void {
    const bytes = estimate(trace)
    this.#taken++
    if (this.#closed) {
      this.#dropped++
      return
    }
    if (this.#waitingBytes + bytes > this.#maxBufferBytes) {
      this.#drop(1, `the buffer of ${this.#path} is full`, undefined)
      return
    }
    this.#waiting.push(trace)
    this.#waitingBytes += bytes
    this.#writing ??= this.#writeAll()
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
    await this.#file?.close()
    this.#file = undefined
  }

  async #writeAll(): Promise<void> {
    // Let the calls of this turn of the event loop go first.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const traces = this.#waiting
      this.#waiting = []
      this.#waitingBytes = 0
      try {
        this.#file ??= await openFile(this.#path, this.#flags)
        // What failed may have left half a line behind.
        const begin = this.#torn ? '\n' : ''
        await this.#file.appendFile(begin + traces.map(encodeTrace).join(''))
        this.#written += traces.length
        this.#failing = false
        this.#torn = false
      } catch (error) {
        this.#torn = this.#file !== undefined
        this.#drop(traces.length, `cannot write ${this.#path}`, error)
      }
    }
    this.#writing = undefined
  }

  #drop(traces: number, why: string, error: unknown): void {
    this.#dropped += traces
    if (this.#failing) return
    this.#failing = true
    const reason = error instanceof Error ? `${why}: ${error.message}` : why
    const message = `${reason}; traces are dropped and counted until it can be written again.`
    try {
      this.#onProblem(message, error)
    } catch {
      // A listener's failure is no reason to lose more traces.
    }
  }
}

/** About the length of a trace's text: an entry is some 200 characters. */
function estimate(trace: Trace): number {
  return 200 * (trace.entries.length + trace.folds.length + trace.missing.length + 1)
}

async function openFile(path: string, flags: string): Promise<FileHandle> {
  await makeDirectory(dirname(path))
  return open(path, flags)
}

/** One level at a time: Node's `recursive` never returns for some paths, such as those in /proc. */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path)
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined || parent === path) return
  await makeDirectory(parent)
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    // Another process may have made it meanwhile.
    if (error.code !== 'EEXIST') throw error
  })
}
