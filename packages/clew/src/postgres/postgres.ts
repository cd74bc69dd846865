import { ConfigError, shownAddress } from '../call/index.ts'
import {
  atLeastOne,
  type Configured,
  Dependency,
  gotInstead,
  inject,
  optionsFor,
  type WorkerContext,
} from '../service/index.ts'
import { type Database, databaseOf } from './database.ts'
import type { DriverOptions, SqlDriver } from './driver.ts'
import { Source } from './source.ts'

export interface PostgresOptions {
  /**
   * `postgres://user:password@host:5432/database`, or `pglite:`, `pglite:name` (in this process's
   * memory), `pglite:./folder`. SQLAlchemy's `postgresql+psycopg2:` is understood.
   * @default what the configuration's DB_URIS (as nameko-sqlalchemy's) has for `{service}:Base`
   */
  readonly url?: string
  /** Connections at a time; statements wait for a free one. @default 10; PGlite has one */
  readonly connections?: number
  /** Milliseconds to wait for a connection, free or new. @default 5000 */
  readonly connectTimeoutMs?: number
  /** Milliseconds that a statement may take; never more than the worker's caller still waits. @default 30000 */
  readonly statementTimeoutMs?: number
  /**
   * Makes the schema ready, such as by migrations: runs when the service starts and before any
   * statement of a worker. When it fails the service starts all the same, and the next statement
   * tries again.
   */
  readonly prepare?: (
    run: (
      text: string,
      values?: readonly unknown[],
    ) => Promise<{ readonly rows: readonly object[] }>,
  ) => Promise<void>
  /** Some other way to a database. @default by `url` */
  readonly driver?: SqlDriver
}

/**
 * Declares a field that holds a PostgreSQL database, bound to the worker: statements appear in its
 * trace one layer down, named `{service}.{field}`, without values. Connections are made when needed
 * and replaced when they broke, so services start, and go on after, an outage.
 * @param options or a function of the configuration given to `run`
 */
export function postgres(options: Configured<PostgresOptions> = {}): Database {
  return inject(new Postgres(options))
}

class Postgres extends Dependency<Database> {
  readonly #configured: Configured<PostgresOptions>
  #source: Source | undefined

  constructor(configured: Configured<PostgresOptions>) {
    super()
    this.#configured = configured
  }

  override async setup(): Promise<void> {
    const { service, config } = this.host
    const options = optionsFor(this.#configured, this.host)
    const name = `${service}.${this.field}`
    const sessions = atLeastOne(name, 'connections', options.connections ?? 10)
    const connectTimeoutMs = atLeastOne(name, 'connectTimeoutMs', options.connectTimeoutMs ?? 5000)
    const statementTimeoutMs = atLeastOne(
      name,
      'statementTimeoutMs',
      options.statementTimeoutMs ?? 30_000,
    )
    const url = options.driver === undefined ? addressOf(options.url, config, service) : ''
    const driver =
      options.driver ??
      (await driverFor({ url, sessions, connectTimeoutMs, statementTimeoutMs, application: name }))
    this.#source = new Source({
      driver,
      name: url === '' ? name : `${name} (${shownAddress(url)})`,
      connectTimeoutMs,
      statementTimeoutMs,
      prepare: options.prepare,
    })
    if (options.prepare === undefined) return
    await this.#source.prepare(undefined).catch((error: unknown) => {
      const message = `${name} is not ready; the next statement tries again`
      this.host.log({ level: 'warn', message, service, error })
    })
  }

  override get(worker: WorkerContext): Database {
    return databaseOf(this.#source!, worker, `${this.host.service}.${this.field}`)
  }

  override stop(): Promise<void> | undefined {
    return this.#source?.close()
  }

  override kill(): Promise<void> | undefined {
    return this.#source?.close()
  }
}

async function driverFor(options: DriverOptions): Promise<SqlDriver> {
  const isHere = options.url.startsWith('pglite:')
  try {
    if (isHere) {
      const { pgliteDriver } = await import('./pglite-driver.ts')
      return pgliteDriver(options.url)
    }
    const { pgDriver } = await import('./pg-driver.ts')
    return pgDriver(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const needed = isHere ? '@electric-sql/pglite' : 'pg'
    const message = `${options.application}: ${shownAddress(options.url)} needs the package ${needed}, which is not installed: "npm install ${needed}".`
    throw new ConfigError(message, { cause: error })
  }
}

function addressOf(
  given: string | undefined,
  config: Readonly<Record<string, unknown>>,
  service: string,
): string {
  const key = `${service}:Base`
  const uris = config.DB_URIS as Readonly<Record<string, unknown>> | undefined
  const url: unknown = given ?? uris?.[key]
  if (typeof url !== 'string' || !/^(?:postgres(?:ql)?(?:\+\w+)?:\/\/|pglite:)/.test(url)) {
    const got = gotInstead(url)
    throw new ConfigError(
      `Service ${service} needs the address of its database: postgres({ url }), or DB_URIS[${JSON.stringify(key)}] in the configuration, such as postgres://user:password@localhost:5432/${service}, or pglite: for one in memory. Got ${got}.`,
    )
  }
  return url.replace(/^postgresql\+\w+:/, 'postgresql:')
}
