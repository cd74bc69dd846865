import type { Status, TraceSource } from 'clew/trace'
import { type Cursor, decodeCursor, encodeCursor } from '../cursor.ts'
import type { TraceRow } from '../summary.ts'
import type { Effort, FindQuestion, FoundTraces, Question } from '../trace-store.ts'
import { tracesWhere } from './conditions.ts'
import { hexLiteral, wholeLiteral } from './literal.ts'
import { DATABASE } from './schema.ts'
import { type SqlEngine, TIMEOUT_MS } from './sql-engine.ts'

/** A row of the table of traces, as it is read. */
interface Row {
  readonly id: string
  readonly start: number
  readonly total: number
  readonly service: string
  readonly method: string
  readonly host: string
  readonly status: string
  readonly error: string
  readonly calls: number
  readonly missing: number
  readonly services: number
  readonly depth: number
  readonly failed_service: string
  readonly failed_method: string
  readonly bottleneck_service: string
  readonly bottleneck_method: string
  readonly bottleneck_share: number
  readonly complete: number
  readonly weight: number
  readonly source: string
}

const COLUMNS =
  'lower(hex(trace_id)) AS id, start, total, service, method, host, status, error, calls, missing, services, depth, failed_service, failed_method, bottleneck_service, bottleneck_method, bottleneck_share, complete, weight, source'

/** The first stretch of time in which the newest are looked for, and how much longer each next one is. */
const FIRST_STRETCH_MS = 3_600_000
const LONGER = 4
/** The last moment that there is. */
const LAST_MS = 8_640_000_000_000_000

/** A page of traces that a filter asks for. */
export async function findTraces(
  engine: SqlEngine,
  question: FindQuestion,
  effort?: Effort,
): Promise<FoundTraces> {
  const { order = 'newest', limit, cursor } = question
  if (order === 'sample')
    return { traces: await sampled(engine, question, effort), cursor: undefined }
  const after = cursor === undefined ? undefined : decodeCursor(cursor, order)
  const rows =
    order === 'newest'
      ? await newest(engine, question, after, effort)
      : await page(engine, question, { by: 'total', after, limit: limit + 1 }, effort)
  const traces = rows.slice(0, limit).map(toTrace)
  const last = rows.length > limit ? rows[limit - 1] : undefined
  const at = order === 'newest' ? last?.start : last?.total
  return {
    traces,
    cursor: last && encodeCursor({ order, at: at!, traceId: last.id }),
  }
}

/** The right half of an id is random; the left one tells processes apart. */
async function sampled(
  engine: SqlEngine,
  question: FindQuestion,
  effort?: Effort,
): Promise<readonly TraceRow[]> {
  const rows = await engine.query<Row>(
    `SELECT ${COLUMNS} FROM ${DATABASE}.traces WHERE ${tracesWhere(question)} ORDER BY substring(trace_id, 9), trace_id LIMIT ${wholeLiteral(question.limit)}`,
    effort,
  )
  return rows.map(toTrace)
}

/** Looks at the latest hour first, and further back only as long as there are too few. */
async function newest(
  engine: SqlEngine,
  question: FindQuestion,
  after: Cursor | undefined,
  { signal, timeoutMs = TIMEOUT_MS }: Effort = {},
): Promise<readonly Row[]> {
  const { period, limit } = question
  const until = performance.now() + timeoutMs
  const rows: Row[] = []
  const latest = after === undefined ? period.toMs : Math.floor(after.at / 1_000) + 1
  const firstMs = Math.max(0, period.fromMs)
  let toMs = Math.min(period.toMs, latest, LAST_MS)
  for (let stretchMs = FIRST_STRETCH_MS; toMs > firstMs; stretchMs *= LONGER) {
    const fromMs = Math.max(firstMs, toMs - stretchMs)
    const left = { ...question, period: { fromMs, toMs } }
    const leftMs = Math.max(1, until - performance.now())
    const wanted = { by: 'start', after, limit: limit + 1 - rows.length } as const
    rows.push(...(await page(engine, left, wanted, { signal, timeoutMs: leftMs })))
    if (rows.length > limit) break
    toMs = fromMs
  }
  return rows
}

async function page(
  engine: SqlEngine,
  question: Question,
  { by, after, limit }: { by: 'start' | 'total'; after: Cursor | undefined; limit: number },
  effort?: Effort,
): Promise<readonly Row[]> {
  const behind =
    after === undefined
      ? ''
      : ` AND (${by}, trace_id) < (${wholeLiteral(after.at)}, ${hexLiteral(after.traceId)})`
  return await engine.query<Row>(
    `SELECT ${COLUMNS} FROM ${DATABASE}.traces WHERE ${tracesWhere(question)}${behind} ORDER BY ${by} DESC, trace_id DESC LIMIT ${wholeLiteral(limit)}`,
    effort,
  )
}

/** How many traces a filter asks for. */
export async function countTraces(
  engine: SqlEngine,
  question: Question,
  effort?: Effort,
): Promise<{ readonly traces: number; readonly weight: number }> {
  const [counted] = await engine.query<{ readonly traces: number; readonly weight: number }>(
    `SELECT count() AS traces, sum(traces.weight) AS weight FROM ${DATABASE}.traces WHERE ${tracesWhere(question)}`,
    effort,
  )
  return counted ?? { traces: 0, weight: 0 }
}

function toTrace(row: Row): TraceRow {
  return {
    ...{ traceId: row.id, startUs: row.start, totalUs: row.total < 0 ? undefined : row.total },
    ...{ service: row.service, method: row.method, host: row.host },
    ...{ status: row.status as Status, error: row.error },
    ...{ calls: row.calls, missingCalls: row.missing, services: row.services, depth: row.depth },
    ...{ failedService: row.failed_service, failedMethod: row.failed_method },
    bottleneckService: row.bottleneck_service,
    bottleneckMethod: row.bottleneck_method,
    bottleneckShare: row.bottleneck_share,
    ...{ complete: row.complete === 1, weight: row.weight },
    source: row.source === '' ? undefined : (row.source as TraceSource),
  }
}
