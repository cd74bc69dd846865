import {
  asksForCalls,
  type Condition,
  FIELDS,
  type Filter,
  patternParts,
  type Value,
} from '../../filter/index.ts'
import type { Period, Question } from '../trace-store.ts'
import { literal, wholeLiteral } from './literal.ts'
import { DATABASE } from './schema.ts'
import { hourOf } from './settlement.ts'

/** A period in microseconds since 1970. */
const startsWithin = ({ fromMs, toMs }: Period): string =>
  `start >= ${us(fromMs)} AND start < ${us(toMs)}`

const us = (ms: number) => wholeLiteral(Math.max(0, Math.round(ms * 1_000)))

/** Rows of traces that began in a period, by what they are sorted by. */
const hoursWithin = ({ fromMs, toMs }: Period): string =>
  `hour BETWEEN ${wholeLiteral(hourOf(Math.max(0, fromMs) * 1_000))} AND ${wholeLiteral(hourOf(Math.max(0, toMs) * 1_000))}`

/**
 * Rows of a tenant that no later summary has taken the place of. Each table tells of its own: a merge lets
 * rows and those that take them back vanish from one table while another still has both.
 */
function live(table: 'traces' | 'calls', { tenant, period }: Omit<Question, 'filter'>): string {
  const rows = `tenant = ${literal(tenant)} AND ${hoursWithin(period)}`
  return `${rows} AND sign = 1 AND (trace_id, version) NOT IN (SELECT trace_id, version FROM ${DATABASE}.${table} WHERE ${rows} AND sign = -1)`
}

/** Which rows of the table of traces are asked for. */
export function tracesWhere(question: Question): string {
  const { filter } = question
  const conditions = [live('traces', question), startsWithin(question.period)]
  conditions.push(...traceConditions(filter))
  if (asksForCalls(filter)) {
    const calls = [live('calls', question), startsWithin(question.period)]
    calls.push(...callConditions(filter))
    conditions.push(
      `trace_id IN (SELECT trace_id FROM ${DATABASE}.calls WHERE ${calls.join(' AND ')})`,
    )
  }
  return conditions.join(' AND ')
}

/** Which rows of the table of calls are asked for, of traces that are. */
export function callsWhere(question: Question): string {
  const { filter } = question
  const conditions = [live('calls', question), startsWithin(question.period)]
  conditions.push(...callConditions(filter))
  const traces = traceConditions(filter)
  if (traces.length > 0) {
    const where = [live('traces', question), ...traces].join(' AND ')
    conditions.push(`trace_id IN (SELECT trace_id FROM ${DATABASE}.traces WHERE ${where})`)
  }
  return conditions.join(' AND ')
}

/** Conditions of a filter about traces, on the columns of that table. */
export const traceConditions = ({ conditions }: Filter): readonly string[] =>
  conditions.filter(({ field }) => FIELDS[field].of === 'trace').map(traceCondition)

/** Conditions of a filter about calls, on the columns of that table. */
export const callConditions = ({ conditions }: Filter): readonly string[] =>
  conditions.filter(({ field }) => FIELDS[field].of === 'call').map(callCondition)

const TRACE_COLUMNS: Readonly<Record<string, string>> = {
  type: "concat(service, '.', method)",
  total: 'total',
  failed: "status NOT IN ('ok', 'pending')",
  calls: 'calls',
  services: 'services',
  depth: 'depth',
  complete: 'complete = 1',
  source: 'source',
}

const CALL_COLUMNS: Readonly<Record<string, string>> = {
  service: 'service',
  method: 'method',
  caller: 'caller_service',
  host: 'host',
  version: 'program_version',
  status: 'status',
  error: 'error',
  edge: 'edge',
  duration: 'total',
  self: 'self',
  'in-flight': 'in_flight',
  origin: 'origin = 1',
  straggler: 'straggler = 1',
}

function traceCondition(condition: Condition): string {
  if (condition.field !== 'id') return compared(condition, TRACE_COLUMNS[condition.field]!)
  const id = 'lower(hex(trace_id))'
  const found = condition.values.flatMap((value) => {
    const digits = literal(String(value).toLowerCase())
    return [`startsWith(${id}, ${digits})`, `endsWith(${id}, ${digits})`]
  })
  return negatable(condition, found)
}

function callCondition(condition: Condition): string {
  if (condition.field === 'attribute') return attributeCondition(condition)
  if (condition.field !== 'name') return compared(condition, CALL_COLUMNS[condition.field]!)
  return negatable(
    condition,
    condition.values.flatMap((value) => [fits('service', value), fits('method', value)]),
  )
}

function attributeCondition(condition: Condition): string {
  const name = literal(condition.attribute!)
  const value = `attributes[${name}]`
  const there = `mapContains(attributes, ${name})`
  const found = condition.values.map((wanted) =>
    condition.comparison === '='
      ? `${there} AND ${fits(value, wanted)}`
      : `${there} AND match(${value}, '^-?[0-9]+(\\\\.[0-9]+)?$') AND toFloat64OrZero(${value}) ${condition.comparison} ${number(wanted)}`,
  )
  return negatable(condition, found)
}

function compared(condition: Condition, column: string): string {
  const { field, comparison, values } = condition
  const found = values.map((value) =>
    comparison === '=' ? fits(column, value) : `${column} ${comparison} ${number(value)}`,
  )
  // What is not known is -1, and fits nothing.
  const known = FIELDS[field].kind === 'duration' ? `${column} >= 0 AND ` : ''
  return negatable(condition, known === '' ? found : found.map((one) => `${known}${one}`))
}

const negatable = ({ negated }: Condition, found: readonly string[]) =>
  `${negated ? 'NOT ' : ''}(${found.map((one) => `(${one})`).join(' OR ')})`

function fits(column: string, value: Value): string {
  if (typeof value === 'number') return `${column} = ${number(value)}`
  if (typeof value === 'boolean') return `(${column}) = ${value ? 1 : 0}`
  const parts = patternParts(value)
  if (parts.length === 1) return `${column} = ${literal(parts[0]!)}`
  const escaped = parts.map((part) => part.replace(/[\\%_]/gu, '\\$&'))
  return `${column} LIKE ${literal(escaped.join('%'))}`
}

function number(value: Value): string {
  const told = Number(value)
  return Number.isFinite(told)
    ? Number.isInteger(told)
      ? wholeLiteral(told)
      : told.toFixed(9)
    : '0'
}
