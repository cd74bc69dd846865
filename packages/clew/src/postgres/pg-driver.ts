import pg from 'pg'
import type { DriverOptions, SqlDriver, SqlResult, SqlSession } from './driver.ts'

/** Unused connections are closed after so long. */
const IDLE_MS = 30_000

/** PostgreSQL over the network. A connection that broke is replaced when the next one is asked for. */
export function pgDriver(options: DriverOptions): SqlDriver {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.sessions,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: IDLE_MS,
    // The server's own limit: what outlives the worker that asked for it ends there as well.
    statement_timeout: options.statementTimeoutMs,
    application_name: options.application,
    keepAlive: true,
    allowExitOnIdle: true,
  })
  // An unused connection broke; the pool has dropped it already.
  pool.on('error', () => {})
  return {
    sessions: options.sessions,
    async acquire() {
      return sessionOf(pool, await pool.connect())
    },
    close: () => pool.end(),
  }
}

function sessionOf(pool: pg.Pool, client: pg.PoolClient): SqlSession {
  // One that breaks while it is lent tells the statement that runs, and nobody else.
  const ignore = () => {}
  client.on('error', ignore)
  let running = 0
  return {
    async run(text, values) {
      running++
      try {
        // Without values several statements may stand in one text; the last one's result counts.
        const answer: pg.QueryResult | pg.QueryResult[] = await client.query({
          text,
          ...(values.length > 0 && { values: [...values] }),
        })
        return resultOf(Array.isArray(answer) ? answer.at(-1) : answer)
      } finally {
        running--
      }
    },
    release(broken) {
      client.off('error', ignore)
      if (broken && running > 0) cancel(pool, client)
      client.release(broken)
    },
  }
}

function resultOf(answer: pg.QueryResult | undefined): SqlResult {
  return { rows: answer?.rows ?? [], count: answer?.rowCount ?? 0 }
}

/** The server would find out that nobody listens only when it answers; locks are held until then. */
function cancel(pool: pg.Pool, client: pg.PoolClient): void {
  const { processID } = client as pg.PoolClient & { readonly processID?: number | null }
  if (typeof processID !== 'number') return
  client.on('error', () => {})
  pool.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => {})
}
