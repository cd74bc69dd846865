import { matches } from '../filter/matches.ts'
import { type BatchAccount, MOST_SENDERS, type SenderAccount, withBatch } from './accounts.ts'
import { type Cursor, decodeCursor, encodeCursor } from './cursor.ts'
import * as figures from './memory-figures.ts'
import { Pace } from './pace.ts'
import { StoreError } from './store-error.ts'
import type { TraceRow, TraceSummary } from './summary.ts'
import {
  type Effort,
  type FindQuestion,
  type FoundTraces,
  type Period,
  type Question,
  type StoredBatch,
  type StoreHealth,
  type StoreUsage,
  type TraceKey,
  type TraceStore,
  traceKey,
} from './trace-store.ts'

export interface MemoryStoreOptions {
  /** Traces kept; beyond, the oldest of whoever has the most go. @default 100,000 */
  readonly maxTraces?: number | undefined
  /** Bytes of packets and summaries kept, about. @default 512 MiB */
  readonly maxBytes?: number | undefined
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
}

/** Everything of one trace. */
interface Kept {
  readonly traceId: string
  readonly packets: Uint8Array[]
  summary: TraceSummary | undefined
  bytes: number
  arrivedMs: number
}

interface Tenant {
  /** In order of their first packet. */
  readonly traces: Map<string, Kept>
  bytes: number
}

const MOST_BATCHES = 100_000
const LATELY_MS = 3_600_000
/** What a call's summary takes in memory, about. */
const CALL_BYTES = 400

/** Keeps traces for as long as the process lives: for tests, and for a look without a disk. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryStore(options)
}

export class MemoryStore implements TraceStore {
  readonly #maxTraces: number
  readonly #maxBytes: number
  readonly #now: () => number
  readonly #tenants = new Map<string, Tenant>()
  readonly #batches = new Set<string>()
  readonly #accounts = new Map<string, Map<string, SenderAccount>>()
  #traces = 0
  #bytes = 0
  #evicted = 0
  #closed = false

  constructor(options: MemoryStoreOptions = {}) {
    this.#maxTraces = options.maxTraces ?? 100_000
    this.#maxBytes = options.maxBytes ?? 512 * 1024 * 1024
    this.#now = options.now ?? Date.now
  }

  /** Traces that had to go because there was no room. */
  get evicted(): number {
    return this.#evicted
  }

  async append(batches: readonly StoredBatch[]): Promise<ReadonlySet<string>> {
    this.#check()
    const before = new Set<string>()
    for (const { id, packets, tenant, account } of batches) {
      if (this.#batches.has(id)) {
        before.add(id)
        continue
      }
      this.#batches.add(id)
      if (tenant !== undefined && account !== undefined) this.#account(tenant, account)
      if (this.#batches.size > MOST_BATCHES)
        this.#batches.delete(this.#batches.keys().next().value!)
      for (const { tenant, traceId, arrivedMs, bytes } of packets) {
        const kept = this.#kept(tenant, traceId)
        // A copy: what was given may be a view of a whole request.
        kept.packets.push(bytes.slice())
        kept.arrivedMs = arrivedMs
        this.#grow(tenant, kept, bytes.length)
      }
    }
    this.#makeRoom()
    return before
  }

  async accounts(tenant: string): Promise<readonly SenderAccount[]> {
    return [...(this.#accounts.get(tenant)?.values() ?? [])].sort((a, b) => b.lastMs - a.lastMs)
  }

  #account(tenant: string, batch: BatchAccount): void {
    let senders = this.#accounts.get(tenant)
    if (senders === undefined) {
      senders = new Map()
      this.#accounts.set(tenant, senders)
    }
    const now = this.#now()
    const before = senders.get(batch.instance)
    senders.delete(batch.instance)
    senders.set(batch.instance, withBatch(before, batch, now))
    if (senders.size > MOST_SENDERS) senders.delete(senders.keys().next().value!)
  }

  async settle(summaries: readonly TraceSummary[]): Promise<void> {
    this.#check()
    for (const summary of summaries) {
      const { tenant, row } = summary
      const kept = this.#kept(tenant, row.traceId)
      const more = summary.calls.length - (kept.summary?.calls.length ?? 0)
      kept.summary = summary
      this.#grow(tenant, kept, more * CALL_BYTES)
    }
    this.#makeRoom()
  }

  async settled(traces: readonly TraceKey[]): Promise<ReadonlySet<string>> {
    return new Set(traces.filter((key) => this.#find(key)?.summary !== undefined).map(traceKey))
  }

  async unsettled(): Promise<readonly TraceKey[]> {
    const since = this.#now() - LATELY_MS
    const found: TraceKey[] = []
    for (const [tenant, { traces }] of this.#tenants) {
      for (const { traceId, packets, summary, arrivedMs } of traces.values()) {
        if (arrivedMs >= since && packets.length > (summary?.packets ?? 0)) {
          found.push({ tenant, traceId })
        }
      }
    }
    return found
  }

  async packets(traces: readonly TraceKey[]): Promise<ReadonlyMap<string, readonly Uint8Array[]>> {
    this.#check()
    const found = new Map<string, readonly Uint8Array[]>()
    for (const key of traces) {
      const kept = this.#find(key)
      if (kept !== undefined && kept.packets.length > 0) found.set(traceKey(key), [...kept.packets])
    }
    return found
  }

  async idsWith(tenant: string, digits: string, limit: number): Promise<readonly string[]> {
    const all = [...(this.#tenants.get(tenant)?.traces.keys() ?? [])]
    return all
      .filter((id) => id.startsWith(digits) || id.endsWith(digits))
      .sort()
      .slice(0, limit)
  }

  async find(question: FindQuestion, effort?: Effort): Promise<FoundTraces> {
    const { order = 'newest', limit, cursor } = question
    if (order === 'sample')
      return { traces: await this.#sample(question, effort), cursor: undefined }
    const from = cursor === undefined ? undefined : decodeCursor(cursor, order)
    const rows: TraceRow[] = []
    for await (const { row } of this.#matching(question, effort)) {
      if (from === undefined || isBehind(placeOf(order, row), from)) rows.push(row)
    }
    rows.sort((a, b) => (isBehind(placeOf(order, a), placeOf(order, b)) ? 1 : -1))
    const traces = rows.slice(0, limit)
    const last = rows.length > limit ? traces.at(-1) : undefined
    return { traces, cursor: last && encodeCursor(placeOf(order, last)) }
  }

  /** The right half of an id is random; the left one tells processes apart. */
  async #sample(question: FindQuestion, effort?: Effort): Promise<readonly TraceRow[]> {
    const rows: TraceRow[] = []
    for await (const { row } of this.#matching(question, effort)) rows.push(row)
    const keyOf = ({ traceId }: TraceRow) => traceId.slice(16) + traceId
    return rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, question.limit)
  }

  async count(question: Question, effort?: Effort) {
    let [traces, weight] = [0, 0]
    for await (const { row } of this.#matching(question, effort)) {
      traces++
      weight += row.weight
    }
    return { traces, weight }
  }

  async statistics(question: Question, effort?: Effort) {
    return await figures.statistics(this.#matching(question, effort), question.filter)
  }

  async breakdown(question: Question, effort?: Effort) {
    return await figures.breakdown(this.#matching(question, effort))
  }

  async links(question: Question, effort?: Effort) {
    return await figures.links(this.#matching(question, effort), question.filter)
  }

  async timeline(question: Question, bucketMs: number, effort?: Effort) {
    return await figures.timeline(this.#matching(question, effort), question.period, bucketMs)
  }

  async names(
    tenant: string,
    field: 'service' | 'method' | 'host' | 'type',
    period: Period,
    limit: number,
  ): Promise<readonly string[]> {
    const all = this.#matching({ tenant, period, filter: { conditions: [] } })
    return (await figures.names(all, field)).slice(0, limit)
  }

  async remove(tenant: string, traceIds: readonly string[]): Promise<number> {
    this.#check()
    return traceIds.filter((traceId) => this.#delete(tenant, traceId)).length
  }

  async removeTenant(tenant: string): Promise<void> {
    this.#check()
    this.#accounts.delete(tenant)
    for (const traceId of [...(this.#tenants.get(tenant)?.traces.keys() ?? [])]) {
      this.#delete(tenant, traceId)
    }
  }

  async expire(bounds: {
    readonly beforeMs?: number | undefined
    readonly maxBytes?: number | undefined
  }): Promise<number> {
    const { beforeMs = Number.NEGATIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = bounds
    const all = [...this.#tenants].flatMap(([tenant, { traces }]) =>
      [...traces.values()].map((kept) => ({ tenant, traceId: kept.traceId, atMs: beganMs(kept) })),
    )
    all.sort((a, b) => a.atMs - b.atMs)
    let gone = 0
    for (const { tenant, traceId, atMs } of all) {
      if (atMs >= beforeMs && this.#bytes <= maxBytes) break
      if (this.#delete(tenant, traceId)) gone++
    }
    return gone
  }

  async usage(tenant?: string): Promise<StoreUsage> {
    const chosen = tenant === undefined ? [...this.#tenants.keys()] : [tenant]
    let [traces, calls, bytes] = [0, 0, 0]
    let [oldestMs, newestMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const name of chosen) {
      const known = this.#tenants.get(name)
      if (known === undefined) continue
      bytes += known.bytes
      for (const { summary } of known.traces.values()) {
        if (summary === undefined) continue
        traces++
        calls += summary.row.calls
        oldestMs = Math.min(oldestMs, summary.row.startUs / 1000)
        newestMs = Math.max(newestMs, summary.row.startUs / 1000)
      }
    }
    const known = (ms: number) => (Number.isFinite(ms) ? ms : undefined)
    return { traces, calls, bytes, oldestMs: known(oldestMs), newestMs: known(newestMs) }
  }

  health(): StoreHealth {
    return {
      writable: !this.#closed,
      reason: this.#closed ? 'it is closed' : undefined,
      damage: [],
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#tenants.clear()
    this.#batches.clear()
    this.#traces = 0
    this.#bytes = 0
  }

  #check(): void {
    if (this.#closed) throw new StoreError('failed', 'the store is closed')
  }

  /** Summaries of the tenant's traces that match, in pauses that let others have their turn. */
  async *#matching(
    { tenant, period, filter }: Question,
    effort: Effort = {},
  ): AsyncGenerator<TraceSummary> {
    this.#check()
    const pace = new Pace(effort)
    for (const { summary } of [...(this.#tenants.get(tenant)?.traces.values() ?? [])]) {
      if (pace.isDue) await pace.rest()
      if (summary === undefined) continue
      const startMs = summary.row.startUs / 1000
      if (startMs < period.fromMs || startMs >= period.toMs) continue
      if (matches(filter, summary.row, summary.calls)) yield summary
    }
  }

  #find({ tenant, traceId }: TraceKey): Kept | undefined {
    return this.#tenants.get(tenant)?.traces.get(traceId)
  }

  #kept(tenant: string, traceId: string): Kept {
    let owner = this.#tenants.get(tenant)
    if (owner === undefined) {
      owner = { traces: new Map(), bytes: 0 }
      this.#tenants.set(tenant, owner)
    }
    let kept = owner.traces.get(traceId)
    if (kept === undefined) {
      kept = { traceId, packets: [], summary: undefined, bytes: 0, arrivedMs: this.#now() }
      owner.traces.set(traceId, kept)
      this.#traces++
    }
    return kept
  }

  #grow(tenant: string, kept: Kept, bytes: number): void {
    kept.bytes += bytes
    this.#tenants.get(tenant)!.bytes += bytes
    this.#bytes += bytes
  }

  #delete(tenant: string, traceId: string): boolean {
    const owner = this.#tenants.get(tenant)
    const kept = owner?.traces.get(traceId)
    if (owner === undefined || kept === undefined) return false
    owner.traces.delete(traceId)
    owner.bytes -= kept.bytes
    this.#bytes -= kept.bytes
    this.#traces--
    if (owner.traces.size === 0) this.#tenants.delete(tenant)
    return true
  }

  /** Who has the most loses the oldest: nobody can fill the store with theirs and have others' go. */
  #makeRoom(): void {
    while (this.#traces > this.#maxTraces || this.#bytes > this.#maxBytes) {
      const tooMany = this.#traces > this.#maxTraces
      const sizeOf = ({ traces, bytes }: Tenant) => (tooMany ? traces.size : bytes)
      const [tenant, { traces }] = [...this.#tenants].reduce((most, next) =>
        sizeOf(next[1]) > sizeOf(most[1]) ? next : most,
      )
      this.#delete(tenant, traces.keys().next().value!)
      this.#evicted++
    }
  }
}

const beganMs = ({ summary, arrivedMs }: Kept) =>
  summary === undefined ? arrivedMs : summary.row.startUs / 1000

/** Traces whose length is not known come last among the slowest. */
const placeOf = (order: Cursor['order'], { startUs, totalUs = -1, traceId }: TraceRow): Cursor => ({
  ...{ order, traceId },
  at: order === 'newest' ? startUs : totalUs,
})

/** The greatest first, and of equal ones the greatest id. */
const isBehind = (a: Cursor, b: Cursor): boolean =>
  a.at < b.at || (a.at === b.at && a.traceId < b.traceId)
