import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Route } from './http/route.ts'
import type { TakenBatch } from './ingest/batch-intake.ts'

/** What is asked for when somebody reads the metrics. */
export interface Gauged {
  /** Calls that are kept and wait to be found and counted. */
  readonly pending: number
  readonly tailReaders: number
  readonly writable: boolean
  /** Bytes of the store's disk; absent where it is not on one of this machine. */
  readonly freeBytes?: number | undefined
}

/** Counts for Prometheus. No name in them comes from outside, so that there are never many. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #calls: Counter<'road' | 'result'>
  readonly #batches: Counter<'road' | 'result'>
  readonly #bytes: Counter<'road'>
  readonly #durable: Histogram
  readonly #requests: Counter<'route' | 'status'>
  readonly #settled: Counter

  constructor(gauged: () => Gauged) {
    const registers = [this.#registry]
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers })
    this.#calls = counter(
      'clew_collector_calls_total',
      'Calls that came, by what became of them: stored, duplicate (stored before), or why rejected.',
      ['road', 'result'],
    )
    this.#batches = counter(
      'clew_collector_batches_total',
      'Batches that came: stored, duplicate or unreadable.',
      ['road', 'result'],
    )
    this.#bytes = counter('clew_collector_bytes_total', 'Bytes of packets that came.', ['road'])
    this.#settled = counter('clew_collector_settled_traces_total', 'Summaries made of traces.', [])
    this.#requests = counter('clew_collector_http_requests_total', 'HTTP answers.', [
      'route',
      'status',
    ])
    this.#durable = new Histogram({
      name: 'clew_collector_durable_seconds',
      help: 'From the arrival of a batch until it was durable.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    })
    const gauge = (name: string, help: string, value: (now: Gauged) => number) =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(value(gauged()))
        },
      })
    gauge(
      'clew_collector_pending_calls',
      'Calls kept that wait to be settled.',
      (now) => now.pending,
    )
    gauge('clew_collector_tail_readers', 'Open tails.', (now) => now.tailReaders)
    gauge('clew_collector_writable', '1 while what is sent is taken.', (now) =>
      Number(now.writable),
    )
    gauge(
      'clew_collector_disk_free_bytes',
      'Of the disk the store is on; NaN where that is not known.',
      (now) => now.freeBytes ?? Number.NaN,
    )
    collectDefaultMetrics({ register: this.#registry, prefix: 'clew_collector_' })
  }

  taken(batch: TakenBatch): void {
    const { road, bytes, stored = 0, duplicates = 0, rejected = {}, ms } = batch
    this.#bytes.inc({ road }, bytes)
    if (batch.unreadable) {
      this.#batches.inc({ road, result: 'unreadable' })
      return
    }
    this.#batches.inc({ road, result: batch.duplicate ? 'duplicate' : 'stored' })
    this.#calls.inc({ road, result: 'stored' }, stored - duplicates)
    if (duplicates > 0) this.#calls.inc({ road, result: 'duplicate' }, duplicates)
    for (const [result, calls] of Object.entries(rejected)) this.#calls.inc({ road, result }, calls)
    if (ms !== undefined) this.#durable.observe(ms / 1000)
  }

  settled(traces: number): void {
    this.#settled.inc(traces)
  }

  answered(route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) })
  }

  /** `GET /metrics`. */
  route(): Route {
    return {
      ...{ method: 'GET', path: '/metrics', role: 'admin', name: 'readMetrics', audit: 'no' },
      summary: 'Counts of this process, for Prometheus: of all tenants together.',
      produces: this.#registry.contentType,
      handle: async () =>
        new Response(await this.#registry.metrics(), {
          headers: { 'content-type': this.#registry.contentType },
        }),
    }
  }
}
