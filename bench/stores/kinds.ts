import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collectorClient } from '@clew/collector/client'
import { CollectorProcess } from '../collector/collector-process.ts'
import { freePorts, ServerProcess } from './server-process.ts'
import { type StoreKind, textOf } from './store.ts'

/** Clew's collector, taking what the others take. */
export const CLEW: StoreKind = {
  name: 'Clew',
  store: 'embedded store; answers when durable',
  form: 'OTLP protobuf',
  async start(folder) {
    const collector = await CollectorProcess.start(folder)
    const { url } = collector
    const client = collectorClient({ url })
    const json = async (answer: Promise<unknown>) => JSON.stringify(await answer)
    return {
      url: `${url}/v1/traces`,
      cpuS: () => collector.cpuS(),
      peakBytes: () => collector.peakBytes(),
      async stored() {
        await collector.settled()
        // A call has two spans, one of its caller and one of its callee.
        return 2 * (await client.usage()).calls
      },
      trace: (id) => client.trace(id),
      search: (service, from, to) =>
        json(client.find({ filter: `service:${service}`, from, to, limit: 20 })),
      map: (from, to) => json(client.map({ from, to })),
      [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose](),
    }
  },
}

/** Jaeger 2 with Badger, the store it can keep on the disk by itself. */
export function jaeger(program: string): StoreKind {
  return {
    name: 'Jaeger',
    store: 'Badger; answers before it is stored',
    form: 'OTLP protobuf',
    async start(folder) {
      const [take, ask, grpc, metrics] = await freePorts(4)
      const file = join(folder, 'jaeger.yaml')
      const here = (port: number | undefined) => `{ endpoint: "127.0.0.1:${port}" }`
      await writeFile(
        file,
        `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: { receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter] }
  telemetry:
    metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } }] }
    logs: { level: error }
extensions:
  jaeger_query: { storage: { traces: kept }, http: ${here(ask)}, grpc: ${here(grpc)} }
  jaeger_storage:
    backends:
      kept: { badger: { directories: { keys: "${folder}/keys", values: "${folder}/values" }, ephemeral: false, ttl: { spans: 48h } } }
receivers: { otlp: { protocols: { http: ${here(take)} } } }
processors: { batch: {} }
exporters: { jaeger_storage_exporter: { trace_storage: kept } }
`,
      )
      const api = `http://127.0.0.1:${ask}/api`
      // Its traces of itself would be work that the others do not have.
      const environment = { OTEL_TRACES_SAMPLER: 'always_off' }
      const server = await ServerProcess.start(
        [program, '--config', file],
        environment,
        `${api}/services`,
      )
      return {
        url: `http://127.0.0.1:${take}/v1/traces`,
        cpuS: () => server.cpuS(),
        peakBytes: () => server.peakBytes(),
        async stored() {
          const text = await textOf(`http://127.0.0.1:${metrics}/metrics`)
          const sent = /^otelcol_exporter_sent_spans_total\{.*\} (\S+)$/mu.exec(text)
          return Number(sent?.[1] ?? 0)
        },
        trace: (id) => textOf(`${api}/traces/${id}`),
        search: (service, from, to) =>
          textOf(
            `${api}/traces?service=${service}&start=${from * 1_000}&end=${to * 1_000}&limit=20`,
          ),
        map: (from, to) => textOf(`${api}/dependencies?endTs=${to}&lookback=${to - from}`),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  }
}

/** Zipkin with the only store that it has by itself, its memory. */
export function zipkin(jar: string): StoreKind {
  return {
    name: 'Zipkin',
    store: 'memory only: nothing is on the disk',
    form: 'Zipkin JSON',
    async start() {
      const [port] = await freePorts(1)
      const url = `http://127.0.0.1:${port}`
      // It drops the oldest beyond half a million spans, unless told otherwise.
      const environment = { QUERY_PORT: `${port}`, STORAGE_TYPE: 'mem', MEM_MAX_SPANS: '10000000' }
      const server = await ServerProcess.start(
        ['java', '-Xmx6g', '-jar', jar],
        environment,
        `${url}/health`,
      )
      const api = `${url}/api/v2`
      return {
        url: `${api}/spans`,
        cpuS: () => server.cpuS(),
        peakBytes: () => server.peakBytes(),
        async stored() {
          const counters = JSON.parse(await textOf(`${url}/metrics`)) as Record<string, number>
          const lost = counters['counter.zipkin_collector.spans_dropped.http'] ?? 0
          return (counters['counter.zipkin_collector.spans.http'] ?? 0) - lost
        },
        trace: (id) => textOf(`${api}/trace/${id}`),
        search: (service, from, to) =>
          textOf(`${api}/traces?serviceName=${service}&endTs=${to}&lookback=${to - from}&limit=20`),
        map: (from, to) => textOf(`${api}/dependencies?endTs=${to}&lookback=${to - from}`),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    },
  }
}
