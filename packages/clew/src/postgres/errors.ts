/** What became of a statement that failed. */
export type DatabaseErrorCode =
  /** The database cannot be reached, or takes nobody in. */
  | 'unavailable'
  /** It took longer than it may; a statement that writes may have done so. */
  | 'timeout'
  /** The worker that asked for it has ended. */
  | 'cancelled'
  /** A constraint of the schema does not allow it. */
  | 'constraint'
  /** It met another transaction (deadlock, serialization): the whole transaction can be tried again. */
  | 'conflict'
  /** The database did not understand or allow it: a mistake in the statement or its values. */
  | 'rejected'

/** What a database said of an error, where it did. */
export interface DatabaseErrorDetails {
  /** PostgreSQL's five characters, such as `23505`. */
  readonly sqlState?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly constraint?: string | undefined
}

/** A statement failed. */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode
  /** PostgreSQL's five characters; undefined where the server said nothing. */
  readonly sqlState: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined
  /** Name of the constraint that was violated. */
  readonly constraint: string | undefined

  constructor(
    code: DatabaseErrorCode,
    message: string,
    { sqlState, table, column, constraint }: DatabaseErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'DatabaseError'
    this.code = code
    this.sqlState = sqlState
    this.table = table
    this.column = column
    this.constraint = constraint
  }
}

/** The database cannot be reached, or takes nobody in. */
export class DatabaseUnavailable extends DatabaseError {
  constructor(message: string, details?: DatabaseErrorDetails, options?: ErrorOptions) {
    super('unavailable', message, details, options)
    this.name = 'DatabaseUnavailable'
  }
}

/** The statement, or the wait for a connection, took longer than it may. */
export class DatabaseTimeout extends DatabaseError {
  constructor(message: string, details?: DatabaseErrorDetails, options?: ErrorOptions) {
    super('timeout', message, details, options)
    this.name = 'DatabaseTimeout'
  }
}

export type ConstraintKind = 'unique' | 'foreign_key' | 'not_null' | 'check' | 'exclusion' | 'other'

/** What was to be written breaks a rule of the schema. */
export class ConstraintError extends DatabaseError {
  readonly kind: ConstraintKind
  constructor(
    kind: ConstraintKind,
    message: string,
    details?: DatabaseErrorDetails,
    options?: ErrorOptions,
  ) {
    super('constraint', message, details, options)
    this.name = 'ConstraintError'
    this.kind = kind
  }
}

const CONSTRAINTS: Readonly<Record<string, ConstraintKind>> = {
  '23502': 'not_null',
  '23503': 'foreign_key',
  '23505': 'unique',
  '23514': 'check',
  '23P01': 'exclusion',
}

const STATE = /^(?!E[A-Z]{4}$)[0-9A-Z]{5}$/
/** Classes of states (connection, operator intervention, authorization, database name, resources). */
const UNAVAILABLE = /^(?:08|57P|28|3D|53)/
const TIMEOUT = /^(?:57014|55P03|25P0[34])$/
const CONFLICT = /^40/

/** The fields in which PostgreSQL's libraries keep what the server said. */
interface ServerError extends Error {
  readonly code?: unknown
  readonly table?: unknown
  readonly column?: unknown
  readonly constraint?: unknown
}

/**
 * What a library threw, as an error that says what to do.
 * @param database how to name it in messages
 */
export function toDatabaseError(thrown: unknown, database: string): DatabaseError {
  if (thrown instanceof DatabaseError) return thrown
  const error: ServerError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const options = { cause: thrown }
  const state = typeof error.code === 'string' ? error.code : ''
  if (!STATE.test(state)) {
    if (!isOfConnection(error, state)) {
      return new DatabaseError('rejected', error.message, {}, options)
    }
    return new DatabaseUnavailable(`${database} cannot be reached: ${wordsOf(error)}`, {}, options)
  }
  const details = {
    sqlState: state,
    table: textOf(error.table),
    column: textOf(error.column),
    constraint: textOf(error.constraint),
  }
  if (state.startsWith('23')) {
    return new ConstraintError(CONSTRAINTS[state] ?? 'other', error.message, details, options)
  }
  if (TIMEOUT.test(state)) return new DatabaseTimeout(error.message, details, options)
  if (CONFLICT.test(state)) return new DatabaseError('conflict', error.message, details, options)
  if (UNAVAILABLE.test(state)) {
    const message = `${database} takes no statements: ${error.message}`
    return new DatabaseUnavailable(message, details, options)
  }
  return new DatabaseError('rejected', error.message, details, options)
}

/** Apart from a value that the library could not encode. */
function isOfConnection(error: Error, code: string): boolean {
  if (/^E[A-Z_]+$/.test(code) || error instanceof AggregateError) return true
  return /connect|terminat|queryable|closed|hang up/i.test(error.message)
}

/** Node gives an error without a message where a name has several addresses. */
function wordsOf(error: Error): string {
  if (error.message !== '') return error.message
  const { errors } = error as Partial<AggregateError>
  return errors?.map((one: Error) => one.message).join('; ') ?? error.name
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
