import type { Effort } from '../trace-store.ts'
import type { Column } from './native-block.ts'

/** How long a question may take where it does not say, in milliseconds. */
export const TIMEOUT_MS = 10_000

/**
 * A ClickHouse, embedded or a server: the one dialect of every SQL store. Values never become part of a
 * statement but through `literal()`.
 */
export interface SqlEngine {
  /**
   * Rows of a query, 64-bit numbers as texts.
   * @throws StoreError
   */
  query<Row>(sql: string, effort?: Effort): Promise<Row[]>
  /** @throws StoreError */
  command(sql: string): Promise<void>
  /**
   * Appends columns of equal length, durable when it resolves. What was inserted with the same token
   * before is not inserted again.
   * @throws StoreError
   */
  insert(table: string, columns: readonly Column[], token: string): Promise<void>
  close(): Promise<void>
}
