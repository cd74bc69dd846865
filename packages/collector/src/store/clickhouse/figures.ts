import type { Layer } from 'clew/trace'
import { asksForCalls, EVERYTHING, type Field } from '../../filter/index.ts'
import type { CallStatisticsRow, LinkRow, PartRow, RequestRow, TimeBucket } from '../answers.ts'
import { type Bins, sketchOf } from '../bins.ts'
import { StoreError } from '../store-error.ts'
import type { Effort, NamedField, Period, Question } from '../trace-store.ts'
import { callConditions, callsWhere, traceConditions, tracesWhere } from './conditions.ts'
import { literal, wholeLiteral } from './literal.ts'
import { BUCKET_S, binOf, DATABASE } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

const BUCKET_MS = BUCKET_S * 1_000

/** What rollups of calls can tell apart. */
const ROLLED_CALLS: ReadonlySet<Field> = new Set(['service', 'method', 'caller', 'edge', 'name'])
const ROLLED_TRACES: ReadonlySet<Field> = new Set(['type'])

const FAILED = "status NOT IN ('ok', 'pending')"
const NO_BINS = "CAST(map(), 'Map(Int16, Float64)')"
const binsOf = (column: string) => `if(${column} >= 0, map(${binOf(column)}, weight), ${NO_BINS})`

type JsonBins = Readonly<Record<string, number>>

/** A table to count rows of, with which conditions; all have the same columns of sums. */
interface Source {
  readonly sums: string
  readonly from: string
  readonly where: string
}

/** What is summed of calls, by the rollup's columns that have these sums already. */
type Sums = Readonly<Record<string, string>>

const LINK_SUMS: Sums = {
  calls: 'weight',
  failed: `(${FAILED}) * weight`,
  total_sum: 'greatest(total, 0) * weight',
  total_bins: binsOf('total'),
}

const METHOD_SUMS: Sums = {
  ...LINK_SUMS,
  origins: 'origin * weight',
  critical: 'critical * weight',
  self_sum: 'greatest(self, 0) * weight',
  in_flight_sum: 'in_flight * weight',
  in_flight_calls: '(in_flight > 0) * weight',
  self_bins: binsOf('self'),
}

const summed = (sums: Sums, of: 'rollup' | 'table'): string =>
  Object.entries(sums)
    .map(([column, expression]) => {
      const sum = column.endsWith('_bins') ? 'sumMap' : 'sum'
      return `${sum}(${of === 'rollup' ? column : expression}) AS ${column}`
    })
    .join(', ')

interface CallSums {
  readonly calls: number
  readonly failed: number
  readonly origins: number
  readonly critical: number
  readonly total_sum: number
  readonly self_sum: number
  readonly in_flight_sum: number
  readonly in_flight_calls: number
  readonly total_bins: JsonBins
  readonly self_bins: JsonBins
}

/** Rows of sums by key, from rollups as far as they tell what is asked, else from the tables. */
async function callSumsBy<Key>(
  engine: SqlEngine,
  [keys, sums]: readonly [keys: string, sums: Sums],
  question: Question,
  effort?: Effort,
): Promise<(Key & CallSums)[]> {
  const sources = sourcesOf(question, ROLLED_CALLS, {
    rollup: 'calls_rollup',
    table: 'calls',
    conditions: callConditions(question.filter),
    where: (part) => callsWhere(part),
  }).map(({ of, ...rest }) => ({ ...rest, sums: summed(sums, of) }))
  return await engine.query<Key & CallSums>(
    `SELECT ${keys}, ${summed(sums, 'rollup')} FROM (${union(sources, keys)}) GROUP BY ${keys} HAVING calls > 0.000001 ORDER BY calls DESC LIMIT ${MOST_ROWS}`,
    effort,
  )
}

const union = (sources: readonly Source[], keys: string) =>
  sources
    .map(
      ({ sums, from, where }) =>
        `SELECT ${keys}, ${sums} FROM ${DATABASE}.${from} WHERE ${where} GROUP BY ${keys}`,
    )
    .join(' UNION ALL ')

/** Rows that an answer has at most: those that count most. */
const MOST_ROWS = 20_000

/** From which tables a question about a period is answered: whole buckets from rollups, the rest not. */
function sourcesOf(
  question: Question,
  rolled: ReadonlySet<Field>,
  about: {
    readonly rollup: string
    readonly table: string
    readonly conditions: readonly string[]
    readonly where: (question: Question) => string
  },
): readonly { readonly of: 'rollup' | 'table'; readonly from: string; readonly where: string }[] {
  const { tenant, period, filter } = question
  const first = Math.ceil(period.fromMs / BUCKET_MS)
  const last = Math.floor(period.toMs / BUCKET_MS)
  const isRolled = filter.conditions.every(({ field }) => rolled.has(field))
  if (!isRolled || last <= first) {
    return [{ of: 'table', from: about.table, where: about.where(question) }]
  }
  const buckets = `bucket >= ${wholeLiteral(first)} AND bucket < ${wholeLiteral(last)}`
  const where = [`tenant = ${literal(tenant)}`, buckets, ...about.conditions].join(' AND ')
  const edges: readonly Period[] = [
    { fromMs: period.fromMs, toMs: first * BUCKET_MS },
    { fromMs: last * BUCKET_MS, toMs: period.toMs },
  ].filter(({ fromMs, toMs }) => fromMs < toMs)
  return [
    { of: 'rollup', from: about.rollup, where },
    ...edges.map((edge) => ({
      ...{ of: 'table' as const, from: about.table },
      where: about.where({ ...question, period: edge }),
    })),
  ]
}

/** Rate, errors and durations of each method. */
export async function statisticsOf(
  engine: SqlEngine,
  question: Question,
  effort?: Effort,
): Promise<readonly CallStatisticsRow[]> {
  type Key = { readonly service: string; readonly method: string }
  const rows = await callSumsBy<Key>(engine, ['service, method', METHOD_SUMS], question, effort)
  return rows.map((row) => ({
    ...{ service: row.service, method: row.method, calls: row.calls, failed: row.failed },
    ...{ origins: row.origins, criticalMs: row.critical / 1000, inFlight: meanOf(row) },
    total: sketchOf(binsIn(row.total_bins), row.total_sum),
    self: sketchOf(binsIn(row.self_bins), row.self_sum),
  }))
}

/** Undefined where no call told. */
const meanOf = ({ in_flight_sum, in_flight_calls }: CallSums) =>
  in_flight_calls > 0.000001 ? in_flight_sum / in_flight_calls : undefined

/** Who calls whom. */
export async function linksOf(
  engine: SqlEngine,
  question: Question,
  effort?: Effort,
): Promise<readonly LinkRow[]> {
  type Key = Readonly<
    Record<'caller_service' | 'caller_method' | 'service' | 'method' | 'edge', string>
  >
  const keys = 'caller_service, caller_method, service, method, edge'
  const rows = await callSumsBy<Key>(engine, [keys, LINK_SUMS], question, effort)
  return rows.map((row) => ({
    ...{ callerService: row.caller_service, callerMethod: row.caller_method },
    ...{ service: row.service, method: row.method, edge: row.edge },
    ...{ calls: row.calls, failed: row.failed },
    total: sketchOf(binsIn(row.total_bins), row.total_sum),
  }))
}

/** Kinds of request. */
export async function requestsOf(
  engine: SqlEngine,
  question: Question,
  effort?: Effort,
): Promise<readonly RequestRow[]> {
  const keys = 'service, method'
  const rolledSums =
    'sum(requests) AS requests, sum(failed) AS failed, sum(total_sum) AS total_sum, sumMap(total_bins) AS total_bins'
  const sources = traceSources(question, 'requests_rollup').map(({ of, ...rest }) => ({
    ...rest,
    sums:
      of === 'rollup'
        ? rolledSums
        : `sum(weight) AS requests, sum((${FAILED}) * weight) AS failed, sum(greatest(total, 0) * weight) AS total_sum, sumMap(${binsOf('total')}) AS total_bins`,
  }))
  const rows = await engine.query<{
    readonly service: string
    readonly method: string
    readonly requests: number
    readonly failed: number
    readonly total_sum: number
    readonly total_bins: JsonBins
  }>(
    `SELECT ${keys}, ${rolledSums} FROM (${union(sources, keys)}) GROUP BY ${keys} HAVING requests > 0.000001 ORDER BY requests DESC LIMIT ${MOST_ROWS}`,
    effort,
  )
  return rows.map(({ service, method, requests, failed, total_sum, total_bins }) => ({
    ...{ service, method, requests, failed },
    total: sketchOf(binsIn(total_bins), total_sum),
  }))
}

/** Where the time of each kind of request goes. */
export async function partsOf(
  engine: SqlEngine,
  question: Question,
  effort?: Effort,
): Promise<readonly PartRow[]> {
  const keys = 'request_service, request_method, its_service, its_layer'
  const rolledSums = 'sum(requests) AS requests, sum(sum_us) AS sum_us, sumMap(bins) AS bins'
  const selects = traceSources(question, 'parts_rollup', {
    service: 'request_service',
    method: 'request_method',
  }).map(({ of, from, where }) =>
    of === 'rollup'
      ? `SELECT request_service, request_method, service AS its_service, layer AS its_layer, sum(requests) AS requests, sum(sum) AS sum_us, sumMap(bins) AS bins FROM ${DATABASE}.${from} WHERE ${where} GROUP BY ${keys}`
      : `SELECT service AS request_service, method AS request_method, part.1 AS its_service, part.2 AS its_layer, sum(weight) AS requests, sum(part.3 * weight) AS sum_us, sumMap(map(${binOf('part.3')}, weight)) AS bins FROM ${DATABASE}.${from} ARRAY JOIN arrayZip(part_service, part_layer, part_us) AS part WHERE ${where} GROUP BY ${keys}`,
  )
  const rows = await engine.query<{
    readonly request_service: string
    readonly request_method: string
    readonly its_service: string
    readonly its_layer: string
    readonly sum_us: number
    readonly bins: JsonBins
  }>(
    `SELECT ${keys}, ${rolledSums} FROM (${selects.join(' UNION ALL ')}) GROUP BY ${keys} HAVING requests > 0.000001 ORDER BY requests DESC LIMIT ${MOST_ROWS}`,
    effort,
  )
  return rows.map((row) => ({
    ...{ requestService: row.request_service, requestMethod: row.request_method },
    ...{ service: row.its_service, layer: row.its_layer as Layer },
    times: sketchOf(binsIn(row.bins), row.sum_us),
  }))
}

function traceSources(
  question: Question,
  rollup: string,
  columns?: { readonly service: string; readonly method: string },
) {
  const { filter } = question
  const conditions = asksForCalls(filter) ? [] : traceConditions(filter)
  return sourcesOf(question, ROLLED_TRACES, {
    ...{ rollup, table: 'traces', where: tracesWhere },
    conditions:
      columns === undefined
        ? conditions
        : conditions.map((one) =>
            one.replace(
              "concat(service, '.', method)",
              `concat(${columns.service}, '.', ${columns.method})`,
            ),
          ),
  })
}

const MOST_BUCKETS = 1_000

/** Requests over time. @throws StoreError `costly` where there would be too many buckets */
export async function timelineOf(
  engine: SqlEngine,
  question: Question,
  bucketMs: number,
  effort?: Effort,
): Promise<readonly TimeBucket[]> {
  const { fromMs, toMs } = question.period
  if (!(bucketMs > 0) || (toMs - fromMs) / bucketMs > MOST_BUCKETS) {
    throw new StoreError('costly', `a timeline has at most ${MOST_BUCKETS} buckets`)
  }
  const rows = await engine.query<{
    readonly at: number
    readonly requests: number
    readonly failed: number
    readonly total_sum: number
    readonly bins: JsonBins
  }>(
    `SELECT intDiv(start - ${wholeLiteral(fromMs * 1000)}, ${wholeLiteral(bucketMs * 1000)}) AS at, sum(weight) AS requests, sum((${FAILED}) * weight) AS failed, sum(greatest(total, 0) * weight) AS total_sum, sumMap(${binsOf('total')}) AS bins FROM ${DATABASE}.traces WHERE ${tracesWhere(question)} GROUP BY at ORDER BY at`,
    effort,
  )
  return rows.map(({ at, requests, failed, total_sum, bins }) => ({
    ...{ fromMs: fromMs + at * bucketMs, requests, failed },
    total: sketchOf(binsIn(bins), total_sum),
  }))
}

interface Names {
  readonly table: 'calls' | 'traces'
  readonly expression: string
  /** Where the names are counted already, by which column. */
  readonly rollup?: string
  readonly counted?: string
}

const NAMED: Readonly<Record<NamedField, Names>> = {
  service: { table: 'calls', expression: 'service', rollup: 'calls_rollup', counted: 'calls' },
  method: { table: 'calls', expression: 'method', rollup: 'calls_rollup', counted: 'calls' },
  host: { table: 'calls', expression: 'host' },
  type: {
    ...{ table: 'traces', expression: "concat(service, '.', method)" },
    ...{ rollup: 'requests_rollup', counted: 'requests' },
  },
}

/** Names that occur, the most frequent first. */
export async function namesOf(
  engine: SqlEngine,
  { tenant, period }: Pick<Question, 'tenant' | 'period'>,
  field: NamedField,
  limit: number,
): Promise<readonly string[]> {
  const { table, expression, rollup, counted } = NAMED[field]
  const question = { tenant, period, filter: EVERYTHING }
  const where = table === 'calls' ? callsWhere : tracesWhere
  const sources =
    rollup === undefined
      ? [{ of: 'table', from: table, where: where(question) }]
      : sourcesOf(question, ROLLED_CALLS, { rollup, table, conditions: [], where })
  const selects = sources.map(
    (source) =>
      `SELECT ${expression} AS name, sum(${source.of === 'rollup' ? counted : 'weight'}) AS times FROM ${DATABASE}.${source.from} WHERE ${source.where} GROUP BY name`,
  )
  const rows = await engine.query<{ readonly name: string }>(
    `SELECT name, round(sum(times), 6) AS often FROM (${selects.join(' UNION ALL ')}) GROUP BY name HAVING name != '' AND often > 0 ORDER BY often DESC, name LIMIT ${wholeLiteral(limit)}`,
  )
  return rows.map(({ name }) => name)
}

function binsIn(bins: JsonBins): Bins {
  return new Map(Object.entries(bins).map(([bin, times]) => [Number(bin), times]))
}
