import type { WorkerContext } from '../service/index.ts'
import { DatabaseError } from './errors.ts'
import type { Lent, Source } from './source.ts'
import { normaliseStatement } from './statement.ts'

/** Runs statements with parameters `$1`, `$2`, … which are sent apart from the text. */
export interface Statements {
  /**
   * The rows that a statement returns. What a column's value becomes is up to PostgreSQL's library:
   * `numeric` and `bigint` are strings, timestamps are Dates.
   * @throws DatabaseUnavailable, DatabaseTimeout, ConstraintError, DatabaseError
   */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>
  /** Runs a statement for its effect: how many rows it inserted, changed or deleted. @throws as `query` */
  execute(text: string, values?: readonly unknown[]): Promise<number>
}

export interface TransactionOptions {
  /** @default the server's: read committed */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
}

/** A database in a worker's name: its statements belong to the worker's call. */
export interface Database extends Statements {
  /**
   * Runs `work` within a transaction: committed when it resolves, rolled back when it rejects, when a
   * statement in it failed (unless rolled back to a savepoint), or when the worker ends before it.
   * @throws what `work` throws; DatabaseError
   */
  transaction<T>(work: (tx: Statements) => Promise<T>, options?: TransactionOptions): Promise<T>
}

/** @param service how traces name the database: `orders.db` */
export function databaseOf(source: Source, worker: WorkerContext, service: string): Database {
  const down = <T>(text: string, operation: () => Promise<T>) =>
    worker.down(service, normaliseStatement(text), operation)
  const alone = (text: string, values: readonly unknown[]) =>
    down(text, async () => {
      const lent = await source.lend(worker)
      try {
        return await lent.run(text, values)
      } finally {
        lent.release()
      }
    })
  return {
    ...statements(alone),
    async transaction(work, options = {}) {
      const begin = beginning(options)
      const lent = await down(begin, async () => {
        const session = await source.lend(worker)
        await session.run(begin, [])
        return session
      })
      return transact(lent, work, { worker, down })
    },
  }
}

type Run = (
  text: string,
  values: readonly unknown[],
) => Promise<{ readonly rows: readonly object[]; readonly count: number }>

function statements(run: Run): Statements {
  return {
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      return (await run(text, values)).rows as readonly Row[]
    },
    async execute(text, values = []) {
      return (await run(text, values)).count
    },
  }
}

interface Surroundings {
  readonly worker: WorkerContext
  readonly down: <T>(text: string, operation: () => Promise<T>) => Promise<T>
}

async function transact<T>(
  lent: Lent,
  work: (tx: Statements) => Promise<T>,
  { worker, down }: Surroundings,
): Promise<T> {
  let over = false
  let failure: unknown
  const run: Run = (text, values) =>
    down(text, async () => {
      if (over) {
        throw new DatabaseError('rejected', 'the transaction is over; await what is done in it.')
      }
      try {
        const result = await lent.run(text, values)
        if (/^\s*rollback\s+to\b/i.test(text)) failure = undefined
        return result
      } catch (error) {
        failure = error
        throw error
      }
    })
  // `work` may wait for something else, and never come back.
  const abandon = () => lent.release(true)
  worker.signal.addEventListener('abort', abandon, { once: true })
  try {
    const result = await work(statements(run))
    // PostgreSQL answers a COMMIT of a failed transaction with a rollback, and no error.
    if (failure !== undefined) throw failure
    over = true
    await down('COMMIT', () => lent.run('COMMIT', []))
    return result
  } catch (error) {
    over = true
    await rollBack(lent, down)
    throw error
  } finally {
    worker.signal.removeEventListener('abort', abandon)
    lent.release()
  }
}

async function rollBack(lent: Lent, down: Surroundings['down']): Promise<void> {
  try {
    await down('ROLLBACK', () => lent.run('ROLLBACK', []))
  } catch {
    // The connection is closed then, and the server rolls back by itself.
    lent.release(true)
  }
}

function beginning({ isolation }: TransactionOptions): string {
  return isolation === undefined ? 'BEGIN' : `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`
}
