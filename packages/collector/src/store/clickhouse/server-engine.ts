import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client'
import { StoreError } from '../store-error.ts'
import type { Effort } from '../trace-store.ts'
import { literal } from './literal.ts'
import { type Column, encodeBlock } from './native-block.ts'
import { type SqlEngine, TIMEOUT_MS } from './sql-engine.ts'
import { storeErrorOf } from './sql-errors.ts'

export interface ServerOptions {
  /** `http://` or `https://`, the port of ClickHouse's HTTP interface: `http://localhost:8123`. */
  readonly url: string
  /** @default the one in the URL, else `default` */
  readonly user?: string | undefined
  /** @default the one in the URL, else none */
  readonly password?: string | undefined
  /** PEM of who signed the server's certificate. @default whom Node trusts */
  readonly ca?: string | undefined
  /** Requests at a time; what is more waits. @default 16 */
  readonly connections?: number | undefined
}

/** A server that does not even answer that a question took too long is given up after so much more. */
const GRACE_MS = 2_000
const LONGEST_MS = 120_000
/** An insert that the network lost is tried so often: its token lets the server know it again. */
const TRIES = 4
const FIRST_RETRY_MS = 100
/** What a question may hold in memory on the server, beside the server's own limit. */
const MOST_MEMORY = 4 * 1024 ** 3

/** The tables are sharded by trace: what is joined by trace lies on one shard. */
const BY_SHARD = "distributed_product_mode='local'"
const WHOLE =
  'distributed_foreground_insert=1, min_insert_block_size_rows=10000000, min_insert_block_size_bytes=1073741824, max_insert_threads=1'

/**
 * A ClickHouse server or cluster, by its HTTP interface.
 * @throws StoreError where it cannot be reached, or does not let this user in
 */
export async function serverEngine(options: ServerOptions): Promise<SqlEngine> {
  const { url, ca, connections = 16 } = options
  if (!/^https?:\/\//u.test(url)) {
    throw new StoreError(
      'failed',
      `${JSON.stringify(url)} is no address of a ClickHouse: write http://HOST:8123`,
    )
  }
  const address = new URL(url)
  const { user = decodeURIComponent(address.username) || 'default' } = options
  const { password = decodeURIComponent(address.password) } = options
  address.username = ''
  address.password = ''
  const client = createClient({
    ...{ url: address, username: user, password, application: 'clew' },
    ...{ request_timeout: LONGEST_MS, max_open_connections: connections },
    log: { level: ClickHouseLogLevel.OFF },
    ...(ca !== undefined && { tls: { ca_cert: Buffer.from(ca) } }),
  })
  const engine = new ServerEngine(client)
  try {
    await engine.query('SELECT 1 AS one')
    return engine
  } catch (error) {
    await engine.close()
    const { code, message } = storeErrorOf(error)
    throw new StoreError(code, `ClickHouse at ${address.host}: ${message}`, { cause: error })
  }
}

class ServerEngine implements SqlEngine {
  readonly #client: ClickHouseClient

  constructor(client: ClickHouseClient) {
    this.#client = client
  }

  async query<Row>(sql: string, { signal, timeoutMs = TIMEOUT_MS }: Effort = {}): Promise<Row[]> {
    check(signal)
    const late = AbortSignal.timeout(Math.ceil(timeoutMs) + GRACE_MS)
    const settings = `max_execution_time=${(timeoutMs / 1000).toFixed(3)}, max_memory_usage=${MOST_MEMORY}, output_format_json_quote_64bit_integers=0, ${BY_SHARD}`
    try {
      const result = await this.#client.query({
        query: `${sql} SETTINGS ${settings}`,
        format: 'JSONEachRow',
        abort_signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        // Whatever the statement says, it changes nothing; and it ends when nobody waits for it.
        clickhouse_settings: { readonly: '2', cancel_http_readonly_queries_on_client_close: 1 },
      })
      return await result.json<Row>()
    } catch (error) {
      check(signal)
      if (late.aborted)
        throw new StoreError('timeout', 'the server did not answer', { cause: error })
      throw storeErrorOf(error)
    }
  }

  async command(sql: string): Promise<void> {
    try {
      await this.#client.command({ query: sql })
    } catch (error) {
      throw storeErrorOf(error)
    }
  }

  async insert(table: string, columns: readonly Column[], token: string): Promise<void> {
    if ((columns[0]?.rows ?? 0) === 0) return
    const named = columns.map(({ name }) => name).join(', ')
    const query = `INSERT INTO ${table} (${named}) SETTINGS ${WHOLE}, insert_deduplication_token=${literal(token)} FORMAT Native`
    const block = encodeBlock(columns)
    for (let tries = 1, waitMs = FIRST_RETRY_MS; ; tries++, waitMs *= 3) {
      try {
        const values = Readable.from([block], { objectMode: false })
        const { stream } = await this.#client.exec({ query, values })
        await text(stream)
        return
      } catch (error) {
        // What the server itself says no to, it would say no to again.
        if (tries === TRIES || error instanceof ClickHouseError) throw storeErrorOf(error)
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/** @throws StoreError `cancelled` */
function check(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  throw new StoreError('cancelled', 'whoever asked went away', { cause: signal.reason })
}
