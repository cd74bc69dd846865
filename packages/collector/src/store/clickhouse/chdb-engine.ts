import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from 'chdb'
import { StoreError } from '../store-error.ts'
import type { Effort } from '../trace-store.ts'
import { type Column, encodeBlock } from './native-block.ts'
import type { SqlEngine } from './sql-engine.ts'

export interface ChdbOptions {
  /** Questions that may run at a time, beside one insert. @default 2 */
  readonly readers?: number | undefined
  /** Most memory the engine takes, in bytes; questions that need more fail. @default 1 GiB */
  readonly maxMemoryBytes?: number | undefined
}

/** How long a question may take where it does not say, in milliseconds. */
const TIMEOUT_MS = 10_000

/** Opens the engine on a folder that this process has for itself. @throws StoreError */
export async function chdbEngine(dir: string, options: ChdbOptions = {}): Promise<SqlEngine> {
  const { readers = 2, maxMemoryBytes = 1024 ** 3 } = options
  const chdb = await load()
  const spool = join(dir, 'spool')
  await rm(spool, { recursive: true, force: true })
  await mkdir(spool, { recursive: true, mode: 0o700 })
  const config = join(dir, 'engine.xml')
  await writeFile(config, configOf(maxMemoryBytes), { mode: 0o600 })
  const open = () =>
    new chdb.Session(join(dir, 'tables'), { connectionArgs: [`--config-file=${config}`] })
  try {
    const writer = new Lane(open())
    const rest = Array.from({ length: readers }, () => new Lane(open()))
    return new ChdbEngine(writer, rest, spool)
  } catch (error) {
    throw translated(error)
  }
}

async function load(): Promise<typeof import('chdb')> {
  try {
    return await import('chdb')
  } catch (error) {
    throw new StoreError(
      'failed',
      'the embedded engine is not installed on this machine (package chdb, which there is for Linux with glibc and macOS). Install it with `npm install chdb`, or use a ClickHouse server: `clew collect --clickhouse URL`.',
      { cause: error },
    )
  }
}

/** Few background threads: the machine is there for the services. */
const configOf = (maxMemoryBytes: number) => `<clickhouse>
  <max_server_memory_usage>${maxMemoryBytes}</max_server_memory_usage>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <mark_cache_size>67108864</mark_cache_size>
  <logger><level>none</level></logger>
</clickhouse>
`

/** A session does one thing at a time; what waits for it waits in order. */
class Lane {
  readonly session: Session
  #last: Promise<unknown> = Promise.resolve()
  waiting = 0

  constructor(session: Session) {
    this.session = session
  }

  async run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.waiting++
    const turn = this.#last.then(() => work(this.session))
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.waiting--
    }
  }
}

class ChdbEngine implements SqlEngine {
  readonly #writer: Lane
  readonly #readers: readonly Lane[]
  readonly #spool: string

  constructor(writer: Lane, readers: readonly Lane[], spool: string) {
    this.#writer = writer
    this.#readers = readers
    this.#spool = spool
  }

  async query<Row>(sql: string, { signal, timeoutMs = TIMEOUT_MS }: Effort = {}): Promise<Row[]> {
    const [first, ...others] = this.#readers
    const lane = others.reduce((least, one) => (one.waiting < least.waiting ? one : least), first!)
    return await lane.run(async (session) => {
      signal?.throwIfAborted()
      try {
        const seconds = (timeoutMs / 1000).toFixed(3)
        const whole = `${sql} SETTINGS max_execution_time=${seconds}, output_format_json_quote_64bit_integers=0`
        const result = await session.queryAsync(whole, { format: 'JSONEachRow' })
        return rowsIn<Row>(result.text())
      } catch (error) {
        throw translated(error)
      }
    })
  }

  async command(sql: string): Promise<void> {
    await this.#writer.run(async (session) => {
      try {
        await session.queryAsync(sql)
      } catch (error) {
        throw translated(error)
      }
    })
  }

  async insert(table: string, columns: readonly Column[], token: string): Promise<void> {
    if ((columns[0]?.rows ?? 0) === 0) return
    const path = join(this.#spool, `${randomUUID()}.native`)
    try {
      await writeFile(path, encodeBlock(columns), { mode: 0o600 })
      const named = columns.map(({ name }) => name).join(', ')
      await this.command(
        `INSERT INTO ${table} (${named}) SELECT ${named} FROM file('${path}', Native) SETTINGS ${DURABLE}, insert_deduplication_token='${token}'`,
      )
    } catch (error) {
      throw translated(error)
    } finally {
      await rm(path, { force: true })
    }
  }

  async close(): Promise<void> {
    for (const lane of [this.#writer, ...this.#readers]) {
      await lane.run(async (session) => session.cleanup())
    }
  }
}

/** One part for each insert, whole or not at all. */
const DURABLE =
  'min_insert_block_size_rows=10000000, min_insert_block_size_bytes=1073741824, max_insert_threads=1'

function rowsIn<Row>(text: string): Row[] {
  const rows: Row[] = []
  for (const line of text.split('\n')) if (line !== '') rows.push(JSON.parse(line) as Row)
  return rows
}

function translated(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = /NOT_ENOUGH_SPACE|No space left/u.test(message)
    ? 'full'
    : /Cannot lock file/u.test(message)
      ? 'locked'
      : /TIMEOUT_EXCEEDED/u.test(message)
        ? 'timeout'
        : /MEMORY_LIMIT_EXCEEDED|TOO_MANY_ROWS/u.test(message)
          ? 'costly'
          : 'failed'
  return new StoreError(code, message.slice(0, 500), { cause: error })
}
