import { literal, wholeLiteral } from './literal.ts'
import { BUCKET_S, DATABASE, HOUR_S, TABLES, type TableName } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

const ALL = Object.keys(TABLES) as TableName[]
const ROLLUPS: readonly TableName[] = ['calls_rollup', 'requests_rollup', 'parts_rollup']
const BUCKET_US = BUCKET_S * 1_000_000
const DAY_HOURS = 24
/** Files of rows that were deleted go a second after them; a disk may take longer. */
const GONE_WITHIN_MS = 30_000
const LOOK_MS = 200
/** To drop a day that nobody has makes a table remove its old files now, not when it finds the time. */
const NO_DAY = '4294967295'

/** Deletes rows of traces, from the disk. The figures made of them are another's work. */
export async function deleteTraces(engine: SqlEngine, where: string): Promise<void> {
  for (const table of ['packets', 'traces', 'calls'] as const) await erase(engine, table, where)
}

/** Deletes whatever is a tenant's, from the disk. */
export async function deleteTenant(engine: SqlEngine, tenant: string): Promise<void> {
  for (const table of ALL) await erase(engine, table, `tenant = ${literal(tenant)}`)
}

/** Traces that began before, of all tenants. */
export async function tracesBefore(engine: SqlEngine, beforeUs: number): Promise<number> {
  const [row] = await engine.query<{ traces: number }>(
    `SELECT sum(sign) AS traces FROM ${DATABASE}.traces WHERE ${begunBefore(beforeUs)}`,
  )
  return row?.traces ?? 0
}

/**
 * Deletes what began before, from the disk: whole days at once, of the last day what is older. Packets of
 * which no summary tells go by when they came.
 */
export async function deleteBefore(engine: SqlEngine, beforeUs: number): Promise<void> {
  const begun = `SELECT tenant, trace_id FROM ${DATABASE}.traces WHERE ${begunBefore(beforeUs)}`
  await erase(engine, 'packets', `(tenant, trace_id) IN (${begun})`)
  const came = `arrived < ${wholeLiteral(beforeUs / 1_000)}`
  const old = `SELECT tenant, trace_id FROM ${DATABASE}.packets WHERE ${came}`
  const known = `SELECT tenant, trace_id FROM ${DATABASE}.traces WHERE (tenant, trace_id) IN (${old})`
  await erase(engine, 'packets', `${came} AND (tenant, trace_id) NOT IN (${known})`)
  await takeBack(
    engine,
    `${begunBefore(beforeUs)} AND start >= ${wholeLiteral(bucketOf(beforeUs) * BUCKET_US)}`,
  )
  // Accounts are cumulative: those of a sender go together, when nothing more came of it.
  await erase(
    engine,
    'accounts',
    `${came} AND instance NOT IN (SELECT instance FROM ${DATABASE}.accounts WHERE NOT (${came}))`,
  )
  const day = Math.floor(beforeUs / (DAY_HOURS * HOUR_S * 1_000_000))
  for (const table of ALL) {
    if (table !== 'packets' && table !== 'accounts') await dropDays(engine, table, day)
  }
  for (const table of ['calls', 'traces'] as const)
    await erase(engine, table, begunBefore(beforeUs))
  const buckets = `bucket < ${wholeLiteral(bucketOf(beforeUs))}`
  for (const table of ROLLUPS) await erase(engine, table, buckets)
}

/** When the oldest traces begin that have this share of all calls, microseconds since 1970. */
export async function oldestShare(engine: SqlEngine, share: number): Promise<number | undefined> {
  const [row] = await engine.query<{ start: number; traces: number }>(
    `SELECT quantileExactWeighted(${share.toFixed(6)})(start, toUInt64(calls + 1)) AS start, count() AS traces FROM ${DATABASE}.traces WHERE sign > 0`,
  )
  return row === undefined || row.traces === 0 ? undefined : row.start
}

/** Bytes on the disk; of one tenant, of its packets as they came: what lies on the disk is everybody's. */
export async function bytesOf(engine: SqlEngine, tenant?: string): Promise<number> {
  const [row] = await engine.query<{ bytes: number }>(
    tenant === undefined
      ? `SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = '${DATABASE}' AND active`
      : `SELECT sum(length(bytes)) AS bytes FROM ${DATABASE}.packets WHERE tenant = ${literal(tenant)}`,
  )
  return row?.bytes ?? 0
}

/** Takes rows of calls and traces out of every figure; the rows themselves stay until they are deleted. */
export async function takeBack(engine: SqlEngine, where: string): Promise<void> {
  // Traces first: one that is not counted is found again after a crash.
  for (const table of ['traces', 'calls']) {
    await engine.command(
      `INSERT INTO ${DATABASE}.${table} SELECT * REPLACE (toInt8(-1) AS sign) FROM ${DATABASE}.${table} FINAL WHERE ${where} SETTINGS insert_deduplicate = 0`,
    )
  }
}

/** Waits until the files of deleted rows are gone, and lets go of what could not be read before. */
export async function sweep(engine: SqlEngine): Promise<void> {
  const damaged = await engine.query<{ table: string; name: string }>(
    `SELECT table, name FROM system.detached_parts WHERE database = '${DATABASE}'`,
  )
  for (const { table, name } of damaged) {
    await engine.command(
      `ALTER TABLE ${DATABASE}.${table} DROP DETACHED PART ${literal(name)} SETTINGS allow_drop_detached = 1`,
    )
  }
  const until = performance.now() + GONE_WITHIN_MS
  for (; performance.now() < until; await new Promise((resolve) => setTimeout(resolve, LOOK_MS))) {
    const left = await engine.query<{ table: string }>(
      `SELECT DISTINCT table FROM system.parts WHERE database = '${DATABASE}' AND NOT active`,
    )
    if (left.length === 0) return
    for (const { table } of left) {
      await engine.command(`ALTER TABLE ${DATABASE}.${table} DROP PARTITION ID '${NO_DAY}'`)
    }
  }
}

async function erase(engine: SqlEngine, table: TableName, where: string): Promise<void> {
  const [row] = await engine.query<{ found: number }>(
    `SELECT count() AS found FROM (SELECT 1 FROM ${DATABASE}.${table} WHERE ${where} LIMIT 1)`,
  )
  // A deletion writes anew what it touches, and is remembered for good: none is made for nothing.
  if ((row?.found ?? 0) === 0) return
  await engine.command(
    `ALTER TABLE ${DATABASE}.${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`,
  )
}

async function dropDays(engine: SqlEngine, table: TableName, day: number): Promise<void> {
  const parts = await engine.query<{ id: string }>(
    `SELECT DISTINCT partition_id AS id FROM system.parts WHERE database = '${DATABASE}' AND table = ${literal(table)} AND active AND toUInt32OrZero(partition_id) < ${wholeLiteral(day)}`,
  )
  for (const { id } of parts) {
    await engine.command(`ALTER TABLE ${DATABASE}.${table} DROP PARTITION ID ${literal(id)}`)
  }
}

const begunBefore = (beforeUs: number) => `start < ${wholeLiteral(beforeUs)}`
const bucketOf = (us: number) => Math.floor(us / BUCKET_US)
