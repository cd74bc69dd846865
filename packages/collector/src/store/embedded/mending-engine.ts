import type { Column } from '../clickhouse/native-block.ts'
import type { SqlEngine } from '../clickhouse/sql-engine.ts'
import { StoreError } from '../store-error.ts'
import type { Effort } from '../trace-store.ts'
import { damageIn, putAsideDamage } from './damage.ts'

/** A look for damage reads everything: at most one in this time. */
const REST_MS = 60_000

/**
 * An engine that gets over data that cannot be read: it puts them aside, tells of it, and tries once
 * more. What began to fail by itself, by merges, ends in too many parts and is mended then.
 */
export class MendingEngine implements SqlEngine {
  readonly #engine: SqlEngine
  readonly #dir: string
  /** What was put aside, for people. */
  damage: readonly string[] = []
  #mending: Promise<boolean> | undefined
  #mended = Number.NEGATIVE_INFINITY

  /** @param dir the store's folder, in which damage is told */
  constructor(engine: SqlEngine, dir: string) {
    this.#engine = engine
    this.#dir = dir
  }

  /** Looks at what the engine found by itself when it started. */
  async look(): Promise<void> {
    this.damage = await damageIn(this.#engine, this.#dir)
  }

  query<Row>(sql: string, effort?: Effort): Promise<Row[]> {
    return this.#tried(() => this.#engine.query<Row>(sql, effort))
  }

  command(sql: string): Promise<void> {
    return this.#tried(() => this.#engine.command(sql))
  }

  insert(table: string, columns: readonly Column[], token: string): Promise<void> {
    return this.#tried(() => this.#engine.insert(table, columns, token))
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  async #tried<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#mending ??= this.#mend().finally(() => {
        this.#mending = undefined
      })
      if (!(await this.#mending)) throw error
      return await work()
    }
  }

  async #mend(): Promise<boolean> {
    const now = performance.now()
    if (now - this.#mended < REST_MS) return false
    this.#mended = now
    const found = await putAsideDamage(this.#engine)
    await this.look()
    return found > 0
  }
}

const isDamage = (error: unknown) =>
  error instanceof StoreError &&
  (error.code === 'damaged' || /TOO_MANY_PARTS|UNFINISHED/u.test(error.message))
