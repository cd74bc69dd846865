import { Sketch } from 'clew/trace'
import type { Filter } from '../filter/filter.ts'
import { matchesCall } from '../filter/matches.ts'
import type { CallStatisticsRow, LinkRow, PartRow, RequestRow, TimeBucket } from './answers.ts'
import { StoreError } from './store-error.ts'
import type { TraceSummary } from './summary.ts'
import type { Period } from './trace-store.ts'

/**
 * Figures of traces that match a question, counted one by one: what every store has to answer. Each
 * trace counts for as many as it stands for.
 */
export type Matching = AsyncIterable<TraceSummary>

const MOST_BUCKETS = 1000

/** As failures are counted everywhere: what has not ended has not failed. */
const isFailed = ({ status }: { readonly status: string }) =>
  status !== 'ok' && status !== 'pending'

const toMs = (us: number) => us / 1000

const addUs = (sketch: Sketch, us: number | undefined, weight: number) => {
  if (us !== undefined) sketch.add(toMs(us), weight)
}

type Counted<Row> = { -readonly [K in keyof Row]: Row[K] extends object ? Sketch : Row[K] }

/** A row of each key, in the order of the keys. */
class Rows<Row> {
  readonly #rows = new Map<string, Row>()

  of(key: readonly string[], make: () => Row): Row {
    const text = key.join('\0')
    let row = this.#rows.get(text)
    if (row === undefined) {
      row = make()
      this.#rows.set(text, row)
    }
    return row
  }

  get all(): readonly Row[] {
    return [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }
}

/** Rates, errors and durations by service and method, of calls that match. */
export async function statistics(
  matching: Matching,
  filter: Filter,
): Promise<readonly CallStatisticsRow[]> {
  const rows = new Rows<Counted<CallStatisticsRow> & { inFlight: number; told: number }>()
  for await (const { calls, row: trace } of matching) {
    for (const call of calls) {
      if (!matchesCall(filter, call)) continue
      const { service, method } = call
      const row = rows.of([service, method], () => ({
        ...{
          service,
          method,
          calls: 0,
          failed: 0,
          origins: 0,
          criticalMs: 0,
          inFlight: 0,
          told: 0,
        },
        ...{ total: new Sketch(), self: new Sketch() },
      }))
      row.calls += trace.weight
      if (isFailed(call)) row.failed += trace.weight
      if (call.origin) row.origins += trace.weight
      row.criticalMs += toMs(call.criticalUs) * trace.weight
      row.inFlight += call.inFlight * trace.weight
      if (call.inFlight > 0) row.told += trace.weight
      addUs(row.total, call.totalUs, trace.weight)
      addUs(row.self, call.selfUs, trace.weight)
    }
  }
  return rows.all.map(({ told, inFlight, ...row }) => ({
    ...row,
    inFlight: told > 0 ? inFlight / told : undefined,
    total: row.total.toJSON(),
    self: row.self.toJSON(),
  }))
}

/** Kinds of request, and where the time of each goes. */
export async function breakdown(matching: Matching): Promise<{
  readonly requests: readonly RequestRow[]
  readonly parts: readonly PartRow[]
}> {
  const requests = new Rows<Counted<RequestRow>>()
  const parts = new Rows<Counted<PartRow>>()
  for await (const { row: trace, parts: took } of matching) {
    const { service, method, weight } = trace
    const request = requests.of([service, method], () => ({
      ...{ service, method, requests: 0, failed: 0, total: new Sketch() },
    }))
    request.requests += weight
    if (isFailed(trace)) request.failed += weight
    addUs(request.total, trace.totalUs, weight)
    for (const { service: part, layer, us } of took) {
      const row = parts.of([service, method, part, layer], () => ({
        ...{ requestService: service, requestMethod: method, service: part, layer },
        times: new Sketch(),
      }))
      addUs(row.times, us, weight)
    }
  }
  return {
    requests: requests.all.map((row) => ({ ...row, total: row.total.toJSON() })),
    parts: parts.all.map((row) => ({ ...row, times: row.times.toJSON() })),
  }
}

/** Who calls whom, of calls that match. */
export async function links(matching: Matching, filter: Filter): Promise<readonly LinkRow[]> {
  const rows = new Rows<Counted<LinkRow>>()
  for await (const { calls, row: trace } of matching) {
    for (const call of calls) {
      if (!matchesCall(filter, call)) continue
      const { callerService, callerMethod, service, method, edge } = call
      const row = rows.of([callerService, callerMethod, service, method, edge], () => ({
        ...{ callerService, callerMethod, service, method, edge },
        ...{ calls: 0, failed: 0, total: new Sketch() },
      }))
      row.calls += trace.weight
      if (isFailed(call)) row.failed += trace.weight
      addUs(row.total, call.totalUs, trace.weight)
    }
  }
  return rows.all.map((row) => ({ ...row, total: row.total.toJSON() }))
}

/**
 * Requests by the time they began, in buckets from the beginning of the period on; those without any
 * request are left out.
 * @throws StoreError `costly` where there would be more than 1,000
 */
export async function timeline(
  matching: Matching,
  { fromMs, toMs: endMs }: Period,
  bucketMs: number,
): Promise<readonly TimeBucket[]> {
  if (!(bucketMs > 0) || (endMs - fromMs) / bucketMs > MOST_BUCKETS) {
    throw new StoreError('costly', `a timeline has at most ${MOST_BUCKETS} buckets`)
  }
  const buckets = new Map<number, Counted<TimeBucket>>()
  for await (const { row: trace } of matching) {
    const from = fromMs + Math.floor((toMs(trace.startUs) - fromMs) / bucketMs) * bucketMs
    let bucket = buckets.get(from)
    if (bucket === undefined) {
      bucket = { fromMs: from, requests: 0, failed: 0, total: new Sketch() }
      buckets.set(from, bucket)
    }
    bucket.requests += trace.weight
    if (isFailed(trace)) bucket.failed += trace.weight
    addUs(bucket.total, trace.totalUs, trace.weight)
  }
  return [...buckets.values()]
    .sort((a, b) => a.fromMs - b.fromMs)
    .map((bucket) => ({ ...bucket, total: bucket.total.toJSON() }))
}

/** Names that occur, by how often; those that occur as often by themselves. */
export async function names(
  matching: Matching,
  field: 'service' | 'method' | 'host' | 'type',
): Promise<readonly string[]> {
  const counts = new Map<string, number>()
  const add = (name: string, weight: number) => {
    if (name !== '') counts.set(name, (counts.get(name) ?? 0) + weight)
  }
  for await (const { row, calls } of matching) {
    if (field === 'type') add(`${row.service}.${row.method}`, row.weight)
    else for (const call of calls) add(call[field], row.weight)
  }
  return [...counts]
    .sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1))
    .map(([name]) => name)
}
