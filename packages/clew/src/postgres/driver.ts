/** What a statement brought. */
export interface SqlResult {
  readonly rows: readonly object[]
  /** Rows returned, inserted, changed or deleted. */
  readonly count: number
}

/** One connection to a database, lent to one worker at a time. */
export interface SqlSession {
  /** Rejects with whatever the database's library throws. */
  run(text: string, values: readonly unknown[]): Promise<SqlResult>
  /**
   * Gives it back, once. Broken: nobody knows what it is doing; what it runs is cancelled, what it has
   * open is rolled back, and nobody gets it as it is.
   */
  release(broken: boolean): void
}

/** How statements reach a database: one for each dependency. */
export interface SqlDriver {
  /** Sessions that it lends at a time. */
  readonly sessions: number
  /** Lends a session, as soon as one is free. Rejects when the database cannot be reached. */
  acquire(): Promise<SqlSession>
  /** Closes what is open, once nothing is lent any more. */
  close(): Promise<void>
}

/** What a driver may be told. */
export interface DriverOptions {
  readonly url: string
  readonly sessions: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  /** Shown in the server's list of sessions. */
  readonly application: string
}
