import { createHash } from 'node:crypto'
import type { SenderAccount } from '../accounts.ts'
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
import { accountColumns, accountsOf } from './accounts.ts'
import { callColumns } from './call-block.ts'
import { cutId, withId } from './cut-id.ts'
import { linksOf, namesOf, partsOf, requestsOf, statisticsOf, timelineOf } from './figures.ts'
import { countTraces, findTraces } from './find.ts'
import { hexLiteral, listOf, literal, wholeLiteral } from './literal.ts'
import { byteStrings, type Column, hexIds, names, numbers, wholeNumbers } from './native-block.ts'
import {
  bytesOf,
  deleteBefore,
  deleteTenant,
  deleteTraces,
  oldestShare,
  sweep,
  takeBack,
  tracesBefore,
} from './removal.ts'
import { rebuildRollups } from './rollup-repair.ts'
import { DATABASE, embeddedSchema } from './schema.ts'
import { hourOf, traceColumns } from './settlement.ts'
import type { SqlEngine } from './sql-engine.ts'

/** Batches whose ids are remembered: those of the last hour, at most so many. */
const MOST_BATCHES = 100_000
const REMEMBERED_MS = 3_600_000
/** Traces in one statement. */
const MOST_KEYS = 1_000
/** Found at a start; a later one finds the rest. */
const MOST_UNSETTLED = 1_000_000
const RECALL_MS = 120_000
/** Deletions until a store is as small as it should be. */
const MOST_TURNS = 8

export interface ClickHouseStoreOptions {
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
  /** Remembers what a crash may leave half done. @default nothing does */
  readonly note?: SettlingNoteLike | undefined
  /** Rejects while nothing may be taken. @default it always may */
  readonly room?: (() => Promise<void>) | undefined
  readonly health?: (() => StoreHealth) | undefined
  readonly onClose?: (() => void) | undefined
  /**
   * Nothing is said to be unsettled of which something came within this time: another collector may be
   * about to settle it. Milliseconds. @default 0
   */
  readonly restMs?: number | undefined
  /** Statements that make its tables. @default those of one engine */
  readonly schema?: readonly string[] | undefined
}

/** Hours into which summaries are being written, kept where a crash leaves them. */
export interface SettlingNoteLike {
  left(): Promise<readonly number[]>
  begin(hours: ReadonlySet<number>): Promise<void>
  clear(): Promise<void>
}

/** Keeps traces in a ClickHouse, embedded or a server. */
export class ClickHouseStore implements TraceStore {
  readonly #engine: SqlEngine
  readonly #now: () => number
  readonly #options: ClickHouseStoreOptions
  /** Ids of batches that are kept, oldest first. */
  readonly #batches = new Set<string>()
  /** Hours whose figures may be wrong: something ended while they were written. */
  readonly #doubtful = new Set<number>()
  /** Traces of which there may be half a summary. */
  readonly #halves = new Set<string>()
  /** Two collectors never give the same one. */
  #version = Math.floor(Math.random() * 1_000)
  #last: Promise<unknown> = Promise.resolve()
  #lastAppend: Promise<unknown> = Promise.resolve()

  constructor(engine: SqlEngine, options: ClickHouseStoreOptions = {}) {
    this.#engine = engine
    this.#now = options.now ?? Date.now
    this.#options = options
  }

  /** Makes the tables that are not there, and recalls which batches came of late. */
  async open({ unclean = false }: { readonly unclean?: boolean } = {}): Promise<this> {
    const { schema = embeddedSchema() } = this.#options
    for (const statement of schema) await this.#engine.command(statement)
    const since = wholeLiteral((await this.#newest()) - REMEMBERED_MS)
    const batches = await this.#engine.query<{ id: string }>(
      `SELECT lower(hex(batch)) AS id FROM ${DATABASE}.packets WHERE arrived >= ${since} GROUP BY batch ORDER BY max(arrived) DESC LIMIT ${MOST_BATCHES}`,
    )
    for (const { id } of batches.reverse()) this.#batches.add(id)
    if (unclean)
      for (const hour of (await this.#options.note?.left()) ?? []) this.#doubtful.add(hour)
    await this.#mend()
    return this
  }

  async append(batches: readonly StoredBatch[]): Promise<ReadonlySet<string>> {
    // One after the other: of a batch that comes by two roads at once the second finds the first.
    const turn = this.#lastAppend.then(() => this.#append(batches))
    this.#lastAppend = turn.catch(() => {})
    return await turn
  }

  accounts(tenant: string): Promise<readonly SenderAccount[]> {
    return accountsOf(this.#engine, tenant)
  }

  async settle(summaries: readonly TraceSummary[]): Promise<void> {
    if (summaries.length > 0) await this.#alone(() => this.#settle(summaries))
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
    // Where data were lost, summaries may be among them: all are looked for.
    const whole = this.health().damage.length > 0
    const since = whole ? '0' : wholeLiteral((await this.#newest()) - REMEMBERED_MS)
    const { restMs } = this.#options
    // Without others nothing is under way: what came by a clock that was ahead is left over, too.
    const rested =
      restMs === undefined ? '' : `HAVING max(arrived) <= ${wholeLiteral(this.#now() - restMs)}`
    const late = `(tenant, trace_id) IN (SELECT tenant, trace_id FROM ${DATABASE}.packets WHERE arrived >= ${since})`
    return await this.#engine.query<TraceKey>(
      `SELECT tenant, lower(hex(trace_id)) AS traceId FROM (
        SELECT tenant, trace_id, count() AS came FROM ${DATABASE}.packets WHERE ${late} GROUP BY tenant, trace_id ${rested}
      ) AS p LEFT JOIN (
        SELECT tenant, trace_id, sum(packets * sign) AS counted, sum(sign) AS summaries FROM ${DATABASE}.traces WHERE ${late} GROUP BY tenant, trace_id
      ) AS t USING (tenant, trace_id) WHERE came > counted OR summaries > 1 LIMIT ${MOST_UNSETTLED}`,
      { timeoutMs: RECALL_MS },
    )
  }

  async packets(
    traces: readonly TraceKey[],
    effort?: Effort,
  ): Promise<ReadonlyMap<string, readonly Uint8Array[]>> {
    const found = new Map<string, Uint8Array[]>()
    for (const where of wheres(traces)) {
      const rows = await this.#engine.query<
        TraceKey & { readonly cut: number; readonly bytes: string }
      >(
        `SELECT tenant, lower(hex(trace_id)) AS traceId, cut, base64Encode(bytes) AS bytes FROM ${DATABASE}.packets WHERE ${where} ORDER BY arrived`,
        effort,
      )
      for (const row of rows) {
        const key = traceKey(row)
        const kept = { cut: row.cut, bytes: Buffer.from(row.bytes, 'base64') }
        const bytes = withId(Buffer.from(row.traceId, 'hex'), kept)
        const list = found.get(key)
        if (list === undefined) found.set(key, [bytes])
        else list.push(bytes)
      }
    }
    return found
  }

  async idsWith(tenant: string, digits: string, limit: number): Promise<readonly string[]> {
    const from = hexLiteral(digits.padEnd(32, '0'))
    const to = hexLiteral(digits.padEnd(32, 'f'))
    // Of an odd number of digits the first one is half a byte.
    const bytes = Math.floor(digits.length / 2)
    const even = `substring(trace_id, ${17 - bytes}) = ${hexLiteral(digits.slice(-bytes * 2))}`
    const odd = digits.length % 2 === 0 ? '1' : `endsWith(lower(hex(trace_id)), ${literal(digits)})`
    const rows = await this.#engine.query<{ id: string }>(
      `SELECT DISTINCT lower(hex(trace_id)) AS id FROM ${DATABASE}.packets WHERE tenant = ${literal(tenant)} AND (trace_id BETWEEN ${from} AND ${to} OR (${even} AND ${odd})) ORDER BY id LIMIT ${wholeLiteral(limit)}`,
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
    return namesOf(this.#engine, { tenant, period }, field, limit)
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
    const bytes = await bytesOf(this.#engine, tenant)
    const { traces = 0, calls = 0, oldest = 0, newest = 0 } = counted ?? {}
    const known = (us: number) => (traces > 0 ? us / 1000 : undefined)
    return {
      ...{ traces, calls, bytes },
      ...{ oldestMs: known(oldest), newestMs: known(newest) },
    }
  }

  /** Deletes traces and takes them out of every figure. */
  async remove(tenant: string, traceIds: readonly string[]): Promise<number> {
    return await this.#alone(async () => {
      const keys = traceIds.map((traceId) => ({ tenant, traceId }))
      let removed = 0
      for (const where of wheres(keys)) {
        const [row] = await this.#engine.query<{ traces: number }>(
          `SELECT uniqExact(trace_id) AS traces FROM ${DATABASE}.packets WHERE ${where}`,
        )
        removed += row?.traces ?? 0
        await this.#noted(await this.#hoursOf(where), async () => {
          await takeBack(this.#engine, where)
          await deleteTraces(this.#engine, where)
        })
      }
      await sweep(this.#engine)
      return removed
    })
  }

  async removeTenant(tenant: string): Promise<void> {
    await this.#alone(async () => {
      await deleteTenant(this.#engine, tenant)
      await sweep(this.#engine)
    })
  }

  async expire({ beforeMs, maxBytes }: ExpiryBounds): Promise<number> {
    return await this.#alone(async () => {
      let expired = 0
      if (beforeMs !== undefined) expired += await this.#expireBefore(beforeMs * 1_000)
      for (let turn = 0; maxBytes !== undefined && turn < MOST_TURNS; turn++) {
        const bytes = await bytesOf(this.#engine)
        if (bytes <= maxBytes) break
        const before = await oldestShare(this.#engine, 1 - maxBytes / bytes)
        if (before === undefined) break
        expired += await this.#expireBefore(before + 1)
      }
      if (expired > 0) await sweep(this.#engine)
      return expired
    })
  }

  health(): StoreHealth {
    return this.#options.health?.() ?? { writable: true, reason: undefined, damage: [] }
  }

  async close(): Promise<void> {
    await this.#alone(async () => {
      if (this.#doubtful.size === 0) await this.#options.note?.clear().catch(() => {})
      await this.#engine.close()
      this.#options.onClose?.()
    })
  }

  async #append(batches: readonly StoredBatch[]): Promise<ReadonlySet<string>> {
    const before = new Set<string>()
    const fresh = new Map<string, StoredBatch>()
    for (const batch of batches) {
      if (this.#batches.has(batch.id) || fresh.has(batch.id)) before.add(batch.id)
      else fresh.set(batch.id, batch)
    }
    const rows = [...fresh.values()].flatMap(({ id, packets }) =>
      packets.map((packet) => ({ id, packet })),
    )
    if (rows.length > 0) await this.#options.room?.()
    await this.#engine.insert(
      `${DATABASE}.packets`,
      packetColumns(rows),
      tokenOf([...fresh.keys()]),
    )
    // Of batches that were there before too: a crash may have come between the two.
    const accounts = accountColumns(batches, this.#now())
    const told = `accounts ${tokenOf(batches.map(({ id }) => id))}`
    await this.#engine.insert(`${DATABASE}.accounts`, accounts, told)
    for (const id of fresh.keys()) this.#remember(id)
    return before
  }

  async #settle(summaries: readonly TraceSummary[]): Promise<void> {
    await this.#mend()
    // Later than everything before it, whatever the clock does.
    this.#version = Math.max(this.#version + 1_000, this.#now() * 1_000 + (this.#version % 1_000))
    const version = this.#version
    const replaced = summaries.filter(
      ({ tenant, row, replaces }) =>
        replaces || this.#halves.has(traceKey({ tenant, traceId: row.traceId })),
    )
    const hours = new Set(summaries.map(({ row }) => hourOf(row.startUs)))
    const keys = replaced.map(({ tenant, row }) => ({ tenant, traceId: row.traceId }))
    for (const where of wheres(keys)) {
      for (const hour of await this.#hoursOf(where)) hours.add(hour)
    }
    try {
      await this.#noted(hours, async () => {
        const within = `hour IN ${listOf([...hours].map(wholeLiteral))}`
        for (const where of wheres(keys)) await takeBack(this.#engine, `${within} AND ${where}`)
        const calls = callColumns(summaries, version)
        await this.#engine.insert(`${DATABASE}.calls`, calls, `calls ${version}`)
        // Last: by its row here a trace counts as settled.
        const traces = traceColumns(summaries, version)
        await this.#engine.insert(`${DATABASE}.traces`, traces, `traces ${version}`)
      })
    } catch (error) {
      for (const { tenant, row } of summaries) {
        this.#halves.add(traceKey({ tenant, traceId: row.traceId }))
      }
      throw error
    }
    if (this.#halves.size === 0) return
    for (const { tenant, row } of summaries) {
      this.#halves.delete(traceKey({ tenant, traceId: row.traceId }))
    }
  }

  async #expireBefore(beforeUs: number): Promise<number> {
    const traces = await tracesBefore(this.#engine, beforeUs)
    await this.#noted(new Set([hourOf(beforeUs)]), () => deleteBefore(this.#engine, beforeUs))
    return traces
  }

  /** Does what changes figures of these hours, and remembers which, should it not come to its end. */
  async #noted(hours: ReadonlySet<number>, work: () => Promise<void>): Promise<void> {
    await this.#options.note?.begin(hours)
    try {
      await work()
    } catch (error) {
      for (const hour of hours) this.#doubtful.add(hour)
      throw error
    }
  }

  /** Makes right what something that failed half way may have left wrong. */
  async #mend(): Promise<void> {
    if (this.#doubtful.size === 0) return
    await rebuildRollups(this.#engine, [...this.#doubtful])
    this.#doubtful.clear()
  }

  async #hoursOf(where: string): Promise<Set<number>> {
    const rows = await this.#engine.query<{ hour: number }>(
      `SELECT DISTINCT hour FROM ${DATABASE}.traces WHERE ${where}`,
    )
    return new Set(rows.map(({ hour }) => hour))
  }

  /** When the last packet came; what happened since then was not seen. */
  async #newest(): Promise<number> {
    const [row] = await this.#engine.query<{ newest: number }>(
      `SELECT max(arrived) AS newest FROM ${DATABASE}.packets`,
    )
    return Math.min(row?.newest ?? 0, this.#now())
  }

  /** One thing at a time changes what is there. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return await turn
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
  const kept = rows.map(({ packet }) => cutId(Buffer.from(packet.traceId, 'hex'), packet.bytes))
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
    numbers(
      'cut',
      Uint16Array.from(kept, ({ cut }) => cut),
    ),
    byteStrings(
      'bytes',
      kept.map(({ bytes }) => bytes),
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
