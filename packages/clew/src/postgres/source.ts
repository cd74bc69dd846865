import { boundedWait, type WorkerContext } from '../service/index.ts'
import type { SqlDriver, SqlResult, SqlSession } from './driver.ts'
import { DatabaseError, DatabaseTimeout, toDatabaseError } from './errors.ts'
import { normaliseStatement } from './statement.ts'

export interface SourceOptions {
  readonly driver: SqlDriver
  /** How messages name it, without a password. */
  readonly name: string
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  /** Makes the schema ready; runs before anything else, again after it failed. */
  readonly prepare: ((run: RunStatement) => Promise<void>) | undefined
}

export type RunStatement = (text: string, values?: readonly unknown[]) => Promise<SqlResult>

/** A session lent to one worker, or to nobody's worker while the schema is made ready. */
export interface Lent {
  run(text: string, values: readonly unknown[]): Promise<SqlResult>
  /** Gives it back; what is broken, or runs late, is given up. Only the first call counts. */
  release(broken?: boolean): void
}

/** A database as a dependency knows it: bounds every wait and speaks in our errors. */
export class Source {
  readonly #options: SourceOptions
  #prepared: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(options: SourceOptions) {
    this.#options = options
  }

  /** Lends a session once the schema is ready. @throws DatabaseError */
  async lend(worker: WorkerContext | undefined): Promise<Lent> {
    if (this.#options.prepare !== undefined) await this.prepare(worker)
    return this.#lend(worker)
  }

  /** @throws DatabaseError, or what `prepare` throws */
  prepare(worker: WorkerContext | undefined): Promise<void> {
    const { connectTimeoutMs, statementTimeoutMs, name } = this.#options
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined
      throw error
    })
    const prepared = this.#prepared
    const timeoutMs = connectTimeoutMs + statementTimeoutMs
    return boundedWait(
      { timeoutMs, worker, what: `making ${name} ready`, error: limitError },
      () => prepared,
    )
  }

  close(): Promise<void> {
    this.#closed ??= this.#options.driver.close()
    return this.#closed
  }

  async #prepare(): Promise<void> {
    const lent = await this.#lend(undefined)
    try {
      await this.#options.prepare!((text, values = []) => lent.run(text, values))
    } catch (error) {
      lent.release(true)
      throw error
    }
    lent.release()
  }

  async #lend(worker: WorkerContext | undefined): Promise<Lent> {
    const { driver, name, connectTimeoutMs } = this.#options
    const pending = driver.acquire()
    try {
      const what = `waiting for a connection to ${name}`
      const limits = { timeoutMs: connectTimeoutMs, worker, what, error: limitError }
      const session = await boundedWait(limits, () => pending)
      return this.#lent(session, worker)
    } catch (error) {
      // It may come when nobody wants it any more.
      pending.then(
        (session) => session.release(false),
        () => {},
      )
      throw this.#explained(error)
    }
  }

  #explained(error: unknown): Error {
    const { driver, name } = this.#options
    const known = toDatabaseError(error, name)
    const late = known instanceof DatabaseTimeout || /timeout/i.test(known.message)
    if (!late) return known
    const { sessions } = driver
    const most = sessions === 1 ? 'its one connection is' : `all its ${sessions} connections are`
    const hint = `${known.message} Does it answer, or is it that ${most} in use? Inside a transaction use what the transaction is given.`
    return new DatabaseTimeout(hint, {}, { cause: error })
  }

  #lent(session: SqlSession, worker: WorkerContext | undefined): Lent {
    const { name, statementTimeoutMs } = this.#options
    let released = false
    const release = (broken = false) => {
      if (released) return
      released = true
      session.release(broken)
    }
    const run = async (text: string, values: readonly unknown[]) => {
      const what = `"${normaliseStatement(text)}" on ${name}`
      const limits = { timeoutMs: statementTimeoutMs, worker, what, error: limitError }
      try {
        return await boundedWait(limits, () => session.run(text, values))
      } catch (thrown) {
        const error = toDatabaseError(thrown, name)
        // Nobody knows what the session does now.
        if (['timeout', 'cancelled', 'unavailable'].includes(error.code)) release(true)
        throw error
      }
    }
    return { run, release }
  }
}

function limitError(code: 'timeout' | 'cancelled', message: string): DatabaseError {
  return code === 'timeout' ? new DatabaseTimeout(message) : new DatabaseError(code, message)
}
