import {
  GRANT_HEADER,
  type Headers,
  type HeaderTable,
  NewTable,
  type Problem,
} from '../call/index.ts'
import { addEntry, beginTable, TableReader, takeTable } from './field-table.ts'

/** Told of damage that costs no call; must not throw. */
export type Tell = (problem: Problem) => void

/** A table without entries. */
export const NO_ENTRIES: Headers = Object.freeze(new NewTable())

const TIMEOUT_HEADER = 'clew-timeout'

/** How often a message was tried before it was put aside. */
export const ATTEMPT_HEADER = 'clew-attempt'
/** Where a message that was put aside had been published to. */
export const EXCHANGE_HEADER = 'clew-exchange'
export const KEY_HEADER = 'clew-routing-key'
/** When a message that waits is due: milliseconds since 1970, as digits. */
export const DUE_HEADER = 'clew-due'
/** Why it was put aside. */
export const REASON_HEADER = 'clew-reason'
/** As kombu's: how the body is compressed. */
export const COMPRESSION_HEADER = 'compression'

// About one message on its way, not about the work: handed on they would lie, and Nameko hands on
// whatever it receives. A grant handed on would let others see what its holder may.
const HOP_ONLY: ReadonlySet<string> = new Set([
  ...[TIMEOUT_HEADER, ATTEMPT_HEADER, EXCHANGE_HEADER, KEY_HEADER, REASON_HEADER],
  ...[DUE_HEADER, GRANT_HEADER],
  ...['x-death', 'x-first-death-exchange', 'x-first-death-queue', 'x-first-death-reason'],
  ...['x-last-death-exchange', 'x-last-death-queue', 'x-last-death-reason'],
])

/**
 * Headers as they are and the context under Nameko's prefix, where no header has that name.
 * @throws TableError for what AMQP cannot carry
 */
export function encodeHeaders(
  headers: Headers,
  context: Headers,
  timeoutMs: number | undefined,
): Buffer {
  beginTable()
  let hasPrefixed = false
  let own = false
  for (const key in headers) {
    if (key === TIMEOUT_HEADER || !Object.hasOwn(headers, key)) continue
    const value = headers[key]
    if (value === undefined) continue
    addEntry(key, value, false)
    own = true
    if (key.startsWith('nameko.')) hasPrefixed = true
  }
  for (const key in context) {
    const value = context[key]
    if (value === null || value === undefined || !Object.hasOwn(context, key)) continue
    if (own && Object.hasOwn(headers, key)) continue
    if (hasPrefixed && Object.hasOwn(headers, `nameko.${key}`)) continue
    addEntry(key, value, true)
  }
  if (timeoutMs !== undefined) addEntry(TIMEOUT_HEADER, timeoutMs, false)
  return takeTable()
}

/** What the headers of a message say. */
export interface ReadHeaders {
  /** What is handed on: everything, without Nameko's prefix, but for what concerns this message alone. */
  readonly context: Headers
  /** Those without the prefix. */
  readonly headers: Headers
  /** How long the caller waits; `Infinity` where nothing says so. */
  readonly timeoutMs: number
}

const NOTHING_READ: ReadHeaders = {
  context: NO_ENTRIES,
  headers: NO_ENTRIES,
  timeoutMs: Number.POSITIVE_INFINITY,
}

/** Reads a header table. Never throws: a damaged one is told, and counts as empty. */
export function readHeaders(
  table: Buffer | undefined,
  tell: Tell,
  routingKey: string,
): ReadHeaders {
  if (table === undefined || table.length === 0) return NOTHING_READ
  let context: HeaderTable | undefined
  let headers: HeaderTable | undefined
  let timeoutMs = Number.POSITIVE_INFINITY
  try {
    const reader = new TableReader(table)
    while (reader.next()) {
      const { key, value } = reader
      if (key === TIMEOUT_HEADER && typeof value === 'number') {
        timeoutMs = Math.min(timeoutMs, Math.max(0, value))
      }
      if (!reader.prefixed) {
        headers ??= new NewTable()
        headers[key] = value
      }
      if (HOP_ONLY.has(key) || (key === COMPRESSION_HEADER && !reader.prefixed)) continue
      context ??= new NewTable()
      if (reader.prefixed || !(key in context)) context[key] = value
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    tell({
      kind: 'malformed_headers',
      message: `the headers of a message to ${routingKey} were dropped: ${reason}`,
      error,
    })
    return NOTHING_READ
  }
  return { context: context ?? NO_ENTRIES, headers: headers ?? NO_ENTRIES, timeoutMs }
}
