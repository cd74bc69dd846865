import type { ColumnName } from '../html/format.ts'
import type { Calls } from './calls.ts'

type Test = (row: number) => boolean

/** Columns that a bare word is looked for in. */
const ANYWHERE: readonly ColumnName[] = [
  ...(['service', 'method', 'host', 'error', 'id', 'note', 'version', 'attributes'] as const),
]

const FIELDS: Readonly<Record<string, readonly ColumnName[]>> = {
  service: ['service'],
  method: ['method'],
  host: ['host', 'callerHost'],
  error: ['error'],
  id: ['id'],
}

const UNITS: Readonly<Record<string, number>> = { us: 1, µs: 1, ms: 1000, s: 1_000_000 }

/**
 * Rows that all words of a query hold for: `orders`, `service:orders`, `method:get*`, `err:1`, `err:0`,
 * `dur:>200ms`, `self:>5ms`.
 */
export function matching(calls: Calls, query: string): readonly number[] {
  const tests = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => testOf(calls, word))
  if (tests.length === 0) return []
  const found: number[] = []
  for (let row = 0; row < calls.rows; row++) {
    if (tests.every((test) => test(row))) found.push(row)
  }
  return found
}

function testOf(calls: Calls, word: string): Test {
  const [, field = '', value = ''] = /^([a-z]+):(.*)$/.exec(word) ?? []
  if (field === 'err') {
    const wanted = value !== '0'
    return (row) => calls.failed(row) === wanted
  }
  const times =
    field === 'dur' ? calls.column.total : field === 'self' ? calls.column.self : undefined
  const bound = /^([<>]?)=?([\d.]+)(us|µs|ms|s)?$/.exec(value)
  if (times !== undefined && bound !== null) {
    const us = Number(bound[2]) * UNITS[bound[3] ?? 'ms']!
    return bound[1] === '<' ? (row) => times[row]! < us : (row) => times[row]! >= us
  }
  const columns = FIELDS[field]
  const part = (columns === undefined ? word : value).replaceAll('*', '')
  const passes = calls.stringsThat((text) => text.toLowerCase().includes(part))
  return (row) => (columns ?? ANYWHERE).some((column) => passes(column, row))
}
