import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { withoutSecrets } from './token.ts'

/** Who did something: a token's name, whose it is, and where it came from. */
export interface AuditWho {
  readonly name: string
  readonly tenant: string
  readonly address: string
}

/** One line of the log. */
export interface AuditRecord {
  readonly who: AuditWho
  /** Name of the route's operation, or what the collector did by itself. */
  readonly what: string
  /** `GET /api/traces/{id}`. */
  readonly route?: string | undefined
  /** Parameters of the path and query, as texts; at most 16, of 256 characters. */
  readonly params?: Readonly<Record<string, string>> | undefined
  /** `asked` before a change is made; `ok`, `refused` or `failed` afterwards; else words. */
  readonly result: string
  /** HTTP status of the answer. */
  readonly status?: number | undefined
  /** Joins a change's two lines. */
  readonly id?: string | undefined
}

export interface AuditLogOptions {
  /** A file that is larger is put aside before the next line. @default 8 MiB */
  readonly maxBytes?: number | undefined
  /** How many files there are, the current one included; the oldest goes. @default 8 */
  readonly files?: number | undefined
  readonly nowMs?: (() => number) | undefined
}

/** Lines that may wait for the disk. */
const MOST_WAITING = 1000
const MOST_PARAMS = 16
const LONGEST_TEXT = 256

interface Waiting {
  readonly line: string
  readonly sync: boolean
  readonly done: (error?: Error) => void
}

/**
 * Who did what, when: JSON Lines in `audit.jsonl` of a folder, readable by its owner alone, put aside
 * as `audit.1.jsonl` and so on. Control and invisible characters are escaped, tokens never written.
 */
export class AuditLog implements AsyncDisposable {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #files: number
  readonly #nowMs: () => number
  #file: FileHandle | undefined
  #size = 0
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #problem: string | undefined
  #lost = 0

  constructor(directory: string, options: AuditLogOptions = {}) {
    this.#directory = directory
    this.#maxBytes = options.maxBytes ?? 8 * 1024 * 1024
    this.#files = Math.max(1, options.files ?? 8)
    this.#nowMs = options.nowMs ?? Date.now
  }

  /** Why the last line could not be written, for people; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Lines that were to be written and are not. */
  get lost(): number {
    return this.#lost
  }

  /**
   * Writes a line that must be there before what it tells is done.
   * @throws Error when it is not on the disk
   */
  write(record: AuditRecord): Promise<void> {
    return this.#enter(record, true)
  }

  /** Writes a line of what nobody waits for. One that cannot be written is counted. */
  note(record: AuditRecord): void {
    this.#enter(record, false).catch(() => {})
  }

  /** Resolves when all lines given so far are written or given up. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#file?.close()
    this.#file = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #enter(record: AuditRecord, sync: boolean): Promise<void> {
    const line = lineOf(record, this.#nowMs())
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        if (error === undefined) return resolve()
        this.#lost++
        reject(error)
      }
      if (this.#waiting.length >= MOST_WAITING) {
        done(new Error('the audit log does not keep up'))
        return
      }
      this.#waiting.push({ line, sync, done })
      this.#writing ??= this.#drain()
    })
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      let failure: Error | undefined
      try {
        await this.#append(
          batch.map(({ line }) => line).join(''),
          batch.some(({ sync }) => sync),
        )
        this.#problem = undefined
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        this.#problem = `the audit log cannot be written: ${code ?? String(error)}`
        failure = new Error(this.#problem, { cause: error })
        await this.#abandon()
      }
      for (const { done } of batch) done(failure)
    }
    this.#writing = undefined
  }

  async #append(text: string, sync: boolean): Promise<void> {
    if (this.#file !== undefined && this.#size >= this.#maxBytes) await this.#rotate()
    this.#file ??= await this.#open()
    const file = this.#file
    await file.appendFile(text)
    this.#size += Buffer.byteLength(text)
    if (sync) await file.datasync()
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const file = await open(this.#path(0), 'a', 0o600)
    // One that was there may have had other ideas.
    await file.chmod(0o600)
    this.#size = (await file.stat()).size
    // Where a crash cut a line, the next begins on its own.
    if (this.#size > 0) await file.appendFile('\n')
    return file
  }

  async #rotate(): Promise<void> {
    await this.#abandon()
    for (let number = this.#files - 1; number > 0; number--) {
      await rename(this.#path(number - 1), this.#path(number)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      })
    }
    if (this.#files === 1) await (await open(this.#path(0), 'w', 0o600)).close()
  }

  /** The next line opens the file anew. */
  async #abandon(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => {})
  }

  #path(number: number): string {
    return join(this.#directory, number === 0 ? 'audit.jsonl' : `audit.${number}.jsonl`)
  }
}

function lineOf(record: AuditRecord, nowMs: number): string {
  const { who, what, route, params, result, status, id } = record
  const written = {
    at: new Date(nowMs).toISOString(),
    ...(id !== undefined && { id }),
    who: { name: text(who.name), tenant: text(who.tenant), address: text(who.address) },
    what: text(what),
    ...(route !== undefined && { route: text(route) }),
    ...(params !== undefined && {
      params: Object.entries(params)
        .slice(0, MOST_PARAMS)
        .map(([name, value]) => [text(name), text(value)]),
    }),
    result: text(result),
    ...(status !== undefined && { status }),
  }
  return `${JSON.stringify(written).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)}\n`
}

/** Some code units of a text, without what would let its reader in. */
const text = (value: string) =>
  withoutSecrets(value.slice(0, 8 * LONGEST_TEXT)).slice(0, LONGEST_TEXT)

function escaped(character: string): string {
  let out = ''
  for (let index = 0; index < character.length; index++) {
    out += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }
  return out
}
