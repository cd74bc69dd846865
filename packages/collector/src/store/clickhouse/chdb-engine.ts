import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from 'chdb'
import { StoreError } from '../store-error.ts'
import type { Effort } from '../trace-store.ts'
import { literal, wholeLiteral } from './literal.ts'
import { type Column, encodeBlock } from './native-block.ts'
import { type SqlEngine, TIMEOUT_MS } from './sql-engine.ts'
import { storeErrorOf } from './sql-errors.ts'

export interface ChdbOptions {
  /**
   * Questions that may run at a time, beside two inserts; more wait in order. Each takes a thread of
   * Node's pool: with more, start Node with a larger `UV_THREADPOOL_SIZE` (as `clew collect` does).
   * @default 2
   */
  readonly readers?: number | undefined
  /** Most memory the engine takes, in bytes; a question that needs more than half of it fails. @default 1 GiB */
  readonly maxMemoryBytes?: number | undefined
}

/** Opens the engine on a folder that this process has for itself. @throws StoreError */
export async function chdbEngine(dir: string, options: ChdbOptions = {}): Promise<SqlEngine> {
  const { readers = 2, maxMemoryBytes = 1024 ** 3 } = options
  const chdb = await load()
  const spool = join(dir, 'spool')
  const config = join(dir, 'engine.xml')
  const written = configOf(maxMemoryBytes)
  // On a full disk what is there is enough to read.
  if ((await readFile(config, 'utf8').catch(() => '')) !== written) {
    await writeFile(config, written, { mode: 0o600 })
  }
  const open = () =>
    new Lane(new chdb.Session(join(dir, 'tables'), { connectionArgs: [`--config-file=${config}`] }))
  const lanes: Lane[] = []
  try {
    for (let count = readers + WRITERS + 1; count > 0; count--) lanes.push(open())
    // Whoever opened the engine has the folder: what lies in the spool was left by a crash.
    await rm(spool, { recursive: true, force: true })
    await mkdir(spool, { recursive: true, mode: 0o700 })
    return new ChdbEngine(lanes, { spool, maxMemoryBytes })
  } catch (error) {
    for (const { session } of lanes) session.cleanup()
    throw storeErrorOf(error)
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

/** What has come becomes durable while what came before is settled. */
const WRITERS = 2

const leastBusy = (lanes: readonly Lane[]) =>
  lanes.reduce((least, one) => (one.waiting < least.waiting ? one : least))

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
  readonly #lanes: readonly Lane[]
  readonly #writers: readonly Lane[]
  /** Ends questions of the others. */
  readonly #control: Lane
  readonly #readers: readonly Lane[]
  readonly #spool: string
  readonly #bounds: string
  #questions = 0

  constructor(
    lanes: readonly Lane[],
    { spool, maxMemoryBytes }: { readonly spool: string; readonly maxMemoryBytes: number },
  ) {
    this.#lanes = lanes
    this.#control = lanes[0]!
    this.#writers = lanes.slice(1, 1 + WRITERS)
    this.#readers = lanes.slice(1 + WRITERS)
    this.#spool = spool
    const [half, quarter] = [maxMemoryBytes / 2, maxMemoryBytes / 4].map(wholeLiteral)
    this.#bounds = `max_memory_usage=${half}, max_bytes_before_external_group_by=${quarter}, max_bytes_before_external_sort=${quarter}, output_format_json_quote_64bit_integers=0`
  }

  async query<Row>(sql: string, { signal, timeoutMs = TIMEOUT_MS }: Effort = {}): Promise<Row[]> {
    const lane = leastBusy(this.#readers)
    const mark = `/* clew ${++this.#questions} */`
    return await lane.run(async (session) => {
      if (signal?.aborted) throw cancelled()
      let withdrawn = false
      const kill = () => {
        withdrawn = true
        void this.#kill(mark)
      }
      signal?.addEventListener('abort', kill, { once: true })
      try {
        const seconds = (timeoutMs / 1000).toFixed(3)
        const whole = `${mark} ${sql} SETTINGS max_execution_time=${seconds}, ${this.#bounds}`
        const result = await session.queryAsync(whole, { format: 'JSONEachRow' })
        return rowsIn<Row>(result.text())
      } catch (error) {
        throw withdrawn ? cancelled() : storeErrorOf(error)
      } finally {
        signal?.removeEventListener('abort', kill)
      }
    })
  }

  async command(sql: string): Promise<void> {
    await leastBusy(this.#writers).run(async (session) => {
      try {
        await session.queryAsync(sql)
      } catch (error) {
        throw storeErrorOf(error)
      }
    })
  }

  async insert(table: string, columns: readonly Column[]): Promise<void> {
    if ((columns[0]?.rows ?? 0) === 0) return
    const path = join(this.#spool, `${randomUUID()}.native`)
    try {
      await writeFile(path, encodeBlock(columns), { mode: 0o600 })
      const named = columns.map(({ name }) => name).join(', ')
      await this.command(
        `INSERT INTO ${table} (${named}) SELECT ${named} FROM file(${literal(path)}, Native) SETTINGS ${ONE_PART}`,
      )
    } catch (error) {
      throw storeErrorOf(error)
    } finally {
      await rm(path, { force: true })
    }
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) await lane.run(async (session) => session.cleanup())
  }

  /** A session that is told to stop does not: another one ends what it does. */
  async #kill(mark: string): Promise<void> {
    await this.#control.run(async (session) => {
      const query = `KILL QUERY WHERE startsWith(query, ${literal(mark)}) ASYNC`
      await session.queryAsync(query).catch(() => {})
    })
  }
}

/**
 * One part for each insert, whole or not at all. The engine's own memory of what was inserted is not
 * asked: killed at the wrong moment it knows an insert that is not there, and would skip it the next time.
 */
const ONE_PART =
  'insert_deduplicate=0, min_insert_block_size_rows=10000000, min_insert_block_size_bytes=1073741824, max_insert_threads=1'

function rowsIn<Row>(text: string): Row[] {
  const rows: Row[] = []
  for (const line of text.split('\n')) if (line !== '') rows.push(JSON.parse(line) as Row)
  return rows
}

const cancelled = () => new StoreError('cancelled', 'the question was withdrawn')
