import { createHash } from 'node:crypto'
import type { CallStatisticsRow, LinkRow, TimeBucket } from '../answers.ts'
import type { TraceSummary } from '../summary.ts'
import {
  type CountedTraces,
  type Effort,
  type ExpiryBounds,
  type FindQuestion,
  type FoundTraces,
  type NamedField,
  type Period,
  type Question,
  type StoredBatch,
  type StoredBreakdown,
  type StoreHealth,
  type StoreUsage,
  type TraceKey,
  type TraceStore,
  traceKey,
} from '../trace-store.ts'
import { linksOf, namesOf, partsOf, requestsOf, statisticsOf, timelineOf } from './figures.ts'
import { countTraces, findTraces } from './find.ts'
import { hexLiteral, listOf, literal, wholeLiteral } from './literal.ts'
import { byteStrings, type Column, hexIds, names, wholeNumbers } from './native-block.ts'
import { DATABASE, embeddedSchema, TABLES } from './schema.ts'
import { callColumns, hourOf, traceColumns } from './settlement.ts'
import type { SqlEngine } from './sql-engine.ts'

/** Batches whose ids are remembered: those of the last hour, at most so many. */
const MOST_BATCHES = 100_000
const REMEMBERED_MS = 3_600_000
/** Traces in one statement. */
const MOST_KEYS = 1_000
/** Tables that have rows of single traces. */
const KEPT_TABLES = ['packets', 'calls', 'traces']

export interface ClickHouseStoreOptions {
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
}

/** Keeps traces in a ClickHouse, embedded or a server. */
export class ClickHouseStore implements TraceStore {
  readonly #engine: SqlEngine
  readonly #now: () => number
  /** Ids of batches that are kept, oldest first. */
  readonly #batches = new Set<string>()
  #version = 0

  constructor(engine: SqlEngine, { now = Date.now }: ClickHouseStoreOptions = {}) {
    this.#engine = engine
    this.#now = now
  }

  /** Makes the tables that are not there, and recalls which batches came of late. */
  async open(): Promise<this> {
    for (const statement of embeddedSchema()) await this.#engine.command(statement)
    const since = wholeLiteral(this.#now() - REMEMBERED_MS)
    const batches = await this.#engine.query<{ id: string }>(
      `SELECT lower(hex(batch)) AS id FROM ${DATABASE}.packets WHERE arrived >= ${since} GROUP BY batch ORDER BY max(arrived) LIMIT ${MOST_BATCHES}`,
    )
    for (const { id } of batches) this.#batches.add(id)
    return this
  }

  async append(batches: readonly StoredBatch[]): Promise<ReadonlySet<string>> {
    const before = new Set<string>()
    const fresh = batches.filter(({ id }) => {
      if (!this.#batches.has(id)) return true
      before.add(id)
      return false
    })
    const rows = fresh.flatMap(({ id, packets }) => packets.map((packet) => ({ id, packet })))
    const token = tokenOf(fresh.map(({ id }) => id))
    await this.#engine.insert(`${DATABASE}.packets`, packetColumns(rows), token)
    for (const { id } of fresh) this.#remember(id)
    return before
  }

  async settle(summaries: readonly TraceSummary[]): Promise<void> {
    if (summaries.length === 0) return
    // Later than everything before it, whatever the clock does.
    this.#version = Math.max(this.#version + 1, this.#now() * 1_000)
    const version = this.#version
    const before = summaries.filter(({ replaces }) => replaces)
    if (before.length > 0) {
      await this.#takeBack(
        before.map(({ tenant, row }) => ({ tenant, traceId: row.traceId })),
        before.map(({ row }) => hourOf(row.startUs)),
      )
    }
    const calls = callColumns(summaries, version)
    await this.#engine.insert(`${DATABASE}.calls`, calls, `calls ${version}`)
    await this.#engine.insert(
      `${DATABASE}.traces`,
      traceColumns(summaries, version),
      `traces ${version}`,
    )
  }

  async settled(traces: readonly TraceKey[], near?: Period): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    const within = near === undefined ? '1' : hoursOf(near)
    for (const where of wheres(traces)) {
      const rows = await this.#engine.query<TraceKey>(
        `SELECT tenant, lower(hex(trace_id)) AS traceId FROM ${DATABASE}.traces WHERE ${within} AND ${where} GROUP BY tenant, trace_id HAVING sum(sign) > 0`,
      )
      for (const row of rows) found.add(traceKey(row))
    }
    return found
  }

  async unsettled(): Promise<readonly TraceKey[]> {
    const since = wholeLiteral(this.#now() - REMEMBERED_MS)
    return await this.#engine.query<TraceKey>(
      `SELECT tenant, lower(hex(trace_id)) AS traceId FROM (
        SELECT tenant, trace_id, count() AS came FROM ${DATABASE}.packets
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM ${DATABASE}.packets WHERE arrived >= ${since})
        GROUP BY tenant, trace_id
      ) AS p LEFT JOIN (
        SELECT tenant, trace_id, sum(packets * sign) AS counted FROM ${DATABASE}.traces
        GROUP BY tenant, trace_id
      ) AS t USING (tenant, trace_id) WHERE came > counted LIMIT 1000000`,
    )
  }

  async packets(
    traces: readonly TraceKey[],
    effort?: Effort,
  ): Promise<ReadonlyMap<string, readonly Uint8Array[]>> {
    const found = new Map<string, Uint8Array[]>()
    for (const where of wheres(traces)) {
      const rows = await this.#engine.query<TraceKey & { readonly bytes: string }>(
        `SELECT tenant, lower(hex(trace_id)) AS traceId, base64Encode(bytes) AS bytes FROM ${DATABASE}.packets WHERE ${where} ORDER BY arrived`,
        effort,
      )
      for (const row of rows) {
        const key = traceKey(row)
        const bytes = Buffer.from(row.bytes, 'base64')
        const list = found.get(key)
        if (list === undefined) found.set(key, [bytes])
        else list.push(bytes)
      }
    }
    return found
  }

  async idsWith(tenant: string, prefix: string, limit: number): Promise<readonly string[]> {
    const from = hexLiteral(prefix.padEnd(32, '0'))
    const to = hexLiteral(prefix.padEnd(32, 'f'))
    const rows = await this.#engine.query<{ id: string }>(
      `SELECT DISTINCT lower(hex(trace_id)) AS id FROM ${DATABASE}.packets WHERE tenant = ${literal(tenant)} AND trace_id BETWEEN ${from} AND ${to} ORDER BY id LIMIT ${wholeLiteral(limit)}`,
    )
    return rows.map(({ id }) => id)
  }

  find(question: FindQuestion, effort?: Effort): Promise<FoundTraces> {
    return findTraces(this.#engine, question, effort)
  }

  count(question: Question, effort?: Effort): Promise<CountedTraces> {
    return countTraces(this.#engine, question, effort)
  }

  statistics(question: Question, effort?: Effort): Promise<readonly CallStatisticsRow[]> {
    return statisticsOf(this.#engine, question, effort)
  }

  async breakdown(question: Question, effort?: Effort): Promise<StoredBreakdown> {
    const [requests, parts] = await Promise.all([
      requestsOf(this.#engine, question, effort),
      partsOf(this.#engine, question, effort),
    ])
    return { requests, parts }
  }

  links(question: Question, effort?: Effort): Promise<readonly LinkRow[]> {
    return linksOf(this.#engine, question, effort)
  }

  timeline(question: Question, bucketMs: number, effort?: Effort): Promise<readonly TimeBucket[]> {
    return timelineOf(this.#engine, question, bucketMs, effort)
  }

  names(
    tenant: string,
    field: NamedField,
    period: Period,
    limit: number,
  ): Promise<readonly string[]> {
    return namesOf(this.#engine, tenant, field, period, limit)
  }

  async remove(tenant: string, traceIds: readonly string[]): Promise<number> {
    const keys = traceIds.map((traceId) => ({ tenant, traceId }))
    let removed = 0
    for (const where of wheres(keys)) {
      const [counted] = await this.#engine.query<{ traces: number }>(
        `SELECT uniqExact(trace_id) AS traces FROM ${DATABASE}.packets WHERE ${where}`,
      )
      removed += counted?.traces ?? 0
    }
    await this.#takeBack(keys, [])
    for (const where of wheres(keys)) {
      for (const table of KEPT_TABLES) await this.#delete(table, where)
    }
    return removed
  }

  async removeTenant(tenant: string): Promise<void> {
    const where = `tenant = ${literal(tenant)}`
    for (const table of Object.keys(TABLES)) await this.#delete(table, where)
  }

  async expire({ beforeMs, maxBytes }: ExpiryBounds): Promise<number> {
    void maxBytes
    if (beforeMs === undefined) return 0
    const before = wholeLiteral(beforeMs * 1_000)
    const rows = await this.#engine.query<TraceKey>(
      `SELECT tenant, lower(hex(trace_id)) AS traceId FROM ${DATABASE}.traces WHERE start < ${before} GROUP BY tenant, trace_id HAVING sum(sign) > 0`,
    )
    let removed = 0
    for (const [tenant, keys] of Map.groupBy(rows, (row) => row.tenant)) {
      removed += await this.remove(
        tenant,
        keys.map(({ traceId }) => traceId),
      )
    }
    return removed
  }

  async usage(tenant?: string): Promise<StoreUsage> {
    const whose = tenant === undefined ? '1' : `tenant = ${literal(tenant)}`
    const [counted] = await this.#engine.query<{
      readonly traces: number
      readonly calls: number
      readonly oldest: number
      readonly newest: number
    }>(
      `SELECT sum(sign) AS traces, sum(calls * sign) AS calls, min(start) AS oldest, max(start) AS newest FROM ${DATABASE}.traces WHERE ${whose}`,
    )
    // Of one tenant its packets as they came: what lies on the disk is everybody's.
    const [lies] = await this.#engine.query<{ bytes: number }>(
      tenant === undefined
        ? `SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = '${DATABASE}' AND active`
        : `SELECT sum(length(bytes)) AS bytes FROM ${DATABASE}.packets WHERE ${whose}`,
    )
    const { traces = 0, calls = 0, oldest = 0, newest = 0 } = counted ?? {}
    const known = (us: number) => (traces > 0 ? us / 1000 : undefined)
    return {
      ...{ traces, calls, bytes: lies?.bytes ?? 0 },
      ...{ oldestMs: known(oldest), newestMs: known(newest) },
    }
  }

  health(): StoreHealth {
    return { writable: true, reason: undefined, damage: [] }
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }

  /** Rewrites what lies on the disk without these rows. */
  async #delete(table: string, where: string): Promise<void> {
    await this.#engine.command(
      `ALTER TABLE ${DATABASE}.${table} DELETE WHERE ${where} SETTINGS mutations_sync = 1`,
    )
  }

  /** Writes again, with sign -1, what is there of these traces. */
  async #takeBack(keys: readonly TraceKey[], around: readonly number[]): Promise<void> {
    const hours = new Set(around)
    for (const where of wheres(keys)) {
      const rows = await this.#engine.query<{ hour: number }>(
        `SELECT DISTINCT hour FROM ${DATABASE}.traces WHERE ${where}`,
      )
      for (const { hour } of rows) hours.add(hour)
    }
    if (hours.size === 0) return
    const within = `hour IN ${listOf([...hours].map(wholeLiteral))}`
    for (const where of wheres(keys)) {
      for (const table of ['calls', 'traces']) {
        await this.#engine.command(
          `INSERT INTO ${DATABASE}.${table} SELECT * REPLACE (toInt8(-1) AS sign) FROM ${DATABASE}.${table} FINAL WHERE ${within} AND ${where}`,
        )
      }
    }
  }

  #remember(id: string): void {
    this.#batches.add(id)
    if (this.#batches.size <= MOST_BATCHES) return
    const [oldest] = this.#batches
    this.#batches.delete(oldest!)
  }
}

function packetColumns(
  rows: readonly { readonly id: string; readonly packet: StoredBatch['packets'][number] }[],
): readonly Column[] {
  return [
    names(
      'tenant',
      rows.map(({ packet }) => packet.tenant),
    ),
    hexIds(
      'trace_id',
      16,
      rows.map(({ packet }) => packet.traceId),
    ),
    wholeNumbers(
      'arrived',
      'UInt64',
      rows.map(({ packet }) => packet.arrivedMs),
    ),
    hexIds(
      'batch',
      16,
      rows.map(({ id }) => id),
    ),
    byteStrings(
      'bytes',
      rows.map(({ packet }) => packet.bytes),
    ),
  ]
}

/** Conditions that these traces meet, a bounded number of them in each. */
function wheres(traces: readonly TraceKey[]): readonly string[] {
  const byTenant = Map.groupBy(traces, ({ tenant }) => tenant)
  return [...byTenant].flatMap(([tenant, keys]) => {
    const ids = [...new Set(keys.map(({ traceId }) => traceId))]
    const found: string[] = []
    for (let at = 0; at < ids.length; at += MOST_KEYS) {
      const list = listOf(ids.slice(at, at + MOST_KEYS).map(hexLiteral))
      found.push(`tenant = ${literal(tenant)} AND trace_id IN ${list}`)
    }
    return found
  })
}

const hoursOf = ({ fromMs, toMs }: Period) =>
  `hour BETWEEN ${wholeLiteral(hourOf(fromMs * 1_000))} AND ${wholeLiteral(hourOf(toMs * 1_000))}`

const tokenOf = (ids: readonly string[]) => createHash('sha256').update(ids.join(' ')).digest('hex')
