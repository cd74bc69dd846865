import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { callTree, parseTraces } from 'clew/trace'
import { type CollectorClient, collectorClient } from '../client/index.ts'
import { type Collector, createCollector } from '../collector.ts'
import { type Serving, serve } from '../serve.ts'
import { memoryStore } from '../store/memory-store.ts'

let collector: Collector
let serving: Serving
let client: CollectorClient

before(async () => {
  collector = createCollector({ store: memoryStore(), quietMs: 100 })
  await collector.start()
  serving = await serve(collector, { port: 0 })
  client = collectorClient({ url: serving.url })
})

after(async () => {
  await serving.close()
  await collector.close()
})

/** A process of its own: the SDK of OpenTelemetry, sending by itself. */
function processOf(service: string, kind: 'json' | 'protobuf') {
  const url = `${serving.url}/v1/traces`
  const options = { url, compression: 'gzip' as never }
  const exporter = kind === 'json' ? new JsonExporter(options) : new ProtoExporter(options)
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.name': `${service}-1` }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  return { provider, tracer: provider.getTracer('test') }
}

test('what OpenTelemetry’s SDK sends from two processes, in both forms, is one tree', async () => {
  const gateway = processOf('gateway', 'protobuf')
  const orders = processOf('orders', 'json')
  const root = gateway.tracer.startSpan('GET /orders', { kind: SpanKind.SERVER }, ROOT_CONTEXT)
  const inRoot: Context = trace.setSpan(ROOT_CONTEXT, root)
  const asked = gateway.tracer.startSpan('orders.get', { kind: SpanKind.CLIENT }, inRoot)
  const inAsked: Context = trace.setSpan(ROOT_CONTEXT, asked)
  const answered = orders.tracer.startSpan(
    'get',
    { kind: SpanKind.SERVER, attributes: { 'order.id': 17, 'db.rows': 3 } },
    inAsked,
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  answered.setStatus({ code: SpanStatusCode.ERROR, message: 'gone' })
  answered.end()
  asked.end()
  root.end()
  await orders.provider.forceFlush()
  await gateway.provider.forceFlush()
  const id = root.spanContext().traceId
  const [whole] = parseTraces(await client.trace(id)).traces
  const tree = callTree(whole!)
  assert.deepEqual([tree.calls, tree.root.service, tree.source], [2, 'gateway', 'otlp'])
  const [call] = tree.root.calls
  assert.deepEqual(
    [call?.service, call?.host, call?.status, call?.presence, call?.attributes?.['order.id']],
    ['orders', 'orders-1', 'error', '1111', 17],
  )
  const found = async (filter: string) =>
    (await client.find({ filter })).traces.map((one) => one.id)
  for (let tries = 0; (await found(`id:${id}`)).length === 0 && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(await found('service:orders status:error @order.id:17 @db.rows:>2'), [id])
  assert.deepEqual(await found('service:orders @order.id:18'), [])
  const accounts = (await (await fetch(`${serving.url}/api/accounts`)).json()) as {
    total: { sent: number; stored: number; underWay: number }
  }
  assert.ok(accounts.total.stored >= 3 && accounts.total.sent === accounts.total.stored)
  await gateway.provider.shutdown()
  await orders.provider.shutdown()
})

const post = (body: Uint8Array | string, type: string, headers: Record<string, string> = {}) =>
  fetch(`${serving.url}/v1/traces`, {
    method: 'POST',
    body: typeof body === 'string' ? body : body.slice(),
    headers: { 'content-type': type, ...headers },
  })

test('bad exports are told as the protocol says, and what could be read is kept', async () => {
  const json = 'application/json'
  const span = {
    ...{ traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'good' },
    ...{
      kind: 2,
      startTimeUnixNano: '1544712660000000000',
      endTimeUnixNano: '1544712661000000000',
    },
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'mixed' } }] }
  const spans = [span, { ...span, spanId: 'nonsense', traceId: 7 }]
  const mixed = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
  const partial = await post(mixed, json)
  assert.equal(partial.status, 200)
  const { partialSuccess } = (await partial.json()) as {
    partialSuccess?: { rejectedSpans: string }
  }
  assert.equal(partialSuccess?.rejectedSpans, '1')
  assert.deepEqual(await (await post('{}', json)).json(), {})
  const cases: [Promise<Response>, number][] = [
    [post('not json', json), 400],
    [post(Uint8Array.of(255, 255, 255, 1), 'application/x-protobuf'), 400],
    [post('x', 'text/plain'), 415],
    [post(gzipSync(new Uint8Array(300_000_000)), json, { 'content-encoding': 'gzip' }), 413],
  ]
  for (const [answer, status] of cases) assert.equal((await answer).status, status)
  const protobuf = await post(Uint8Array.of(255, 255, 255, 1), 'application/x-protobuf')
  assert.equal(protobuf.headers.get('content-type'), 'application/x-protobuf')
})

test('the same export, sent again, is kept and counted once', async () => {
  const span = {
    ...{ traceId: 'aa8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'once' },
    ...{
      kind: 2,
      startTimeUnixNano: '1544712660000000000',
      endTimeUnixNano: '1544712661000000000',
    },
  }
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  const stored = async () => {
    const answer = await fetch(`${serving.url}/api/accounts`)
    return ((await answer.json()) as { total: { stored: number } }).total.stored
  }
  await post(body, 'application/json')
  const before = await stored()
  await post(body, 'application/json')
  assert.equal(await stored(), before)
})
