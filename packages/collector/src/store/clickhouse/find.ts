import type { Status, TraceSource } from 'clew/trace'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { TraceRow } from '../summary.ts'
import type { Effort, FindQuestion, FoundTraces, Question } from '../trace-store.ts'
import { tracesWhere } from './conditions.ts'
import { hexLiteral, wholeLiteral } from './literal.ts'
import { DATABASE } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

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

/** A page of traces that a filter asks for. */
export async function findTraces(
  engine: SqlEngine,
  question: FindQuestion,
  effort?: Effort,
): Promise<FoundTraces> {
  const { order = 'newest', limit, cursor } = question
  if (order === 'sample')
    return { traces: await sampled(engine, question, effort), cursor: undefined }
  const by = order === 'newest' ? 'start' : 'total'
  let where = tracesWhere(question)
  if (cursor !== undefined) {
    const { at, traceId } = decodeCursor(cursor, order)
    where += ` AND (${by}, trace_id) < (${wholeLiteral(at)}, ${hexLiteral(traceId)})`
  }
  const rows = await engine.query<Row>(
    `SELECT ${COLUMNS} FROM ${DATABASE}.traces WHERE ${where} ORDER BY ${by} DESC, trace_id DESC LIMIT ${wholeLiteral(limit + 1)}`,
    effort,
  )
  const traces = rows.slice(0, limit).map(toTrace)
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    traces,
    cursor: last && encodeCursor({ order, at: last[by], traceId: last.id }),
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
