import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parseTraces } from 'clew/trace'
import { encodeBatch } from 'clew/trace/blocks'
import { CollectorError, collectorClient } from '../client/index.ts'
import { type Collector, createCollector } from '../collector.ts'
import type { Route } from '../http/route.ts'
import { memoryStore } from '../store/memory-store.ts'
import { madePackets } from '../testing/made-packets.ts'

const made = [
  ...madePackets(120, {
    seed: 21,
    fromMs: Date.now() - 1_800_000,
    overMs: 1_700_000,
    failing: 0.02,
  }),
]
let collector: Collector

const client = collectorClient({
  url: 'http://localhost',
  fetch: (input, init) => collector.fetch(new Request(input, init)),
})

let sent = 0
async function send(packets: readonly Uint8Array[]): Promise<void> {
  const id = (sent++).toString(16).padStart(32, '0')
  const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'ab'.repeat(8) }
  const body = encodeBatch({ id, sender, taken: 0, dropped: {}, packets })
  const request = new Request('http://localhost/v1/batches', { method: 'POST', body: body.slice() })
  assert.equal((await collector.fetch(request)).status, 200)
}

const ask = async (path: string) => {
  const response = await collector.fetch(new Request(`http://localhost${path}`))
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const settled = async (traces: number) => {
  for (let tries = 0; tries < 200; tries++) {
    if ((await client.find({ limit: 1_000 })).traces.length >= traces) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

before(async () => {
  collector = createCollector({ store: memoryStore(), quietMs: 20 })
  await collector.start()
  await send(made.map(({ bytes }) => bytes))
  await settled(made.length)
})

after(() => collector.close())

test('traces are found page by page, and by what their calls did', async () => {
  const all: string[] = []
  for await (const { id } of client.findAll()) all.push(id)
  assert.deepEqual(all.sort(), made.map(({ traceId }) => traceId).sort())
  const failed = await client.find({ filter: 'failed:true', limit: 1_000 })
  assert.ok(failed.traces.length > 0 && failed.traces.every(({ status }) => status === 'error'))
  assert.ok(failed.traces.every((trace) => trace.failed !== null))
  const slowest = await client.find({ order: 'slowest', limit: 5 })
  const times = slowest.traces.map(({ totalMs }) => totalMs!)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  )
  assert.equal((await client.find({ to: '2h', from: '3h' })).traces.length, 0)
})

test('a trace is read whole, by the beginning of its id too', async () => {
  const [one] = made
  const [trace] = parseTraces(await client.trace(one!.traceId.slice(-9))).traces
  assert.equal(trace?.id, one!.traceId)
  assert.equal(new Set(trace?.entries.map(({ id }) => id)).size, one!.calls)
  await assert.rejects(
    () => client.trace('f'.repeat(32)),
    (error) => error instanceof CollectorError && error.status === 404,
  )
  for (const bad of ['abc', 'x'.repeat(32), '../../etc']) {
    await assert.rejects(() => client.trace(bad), CollectorError)
  }
})

test('whole traces that match are streamed, so many of so many', async () => {
  const { traces, matching, body } = await client.export({ filter: 'calls:>5', limit: 20 })
  const text = await new Response(body).text()
  assert.equal(parseTraces(text).traces.length, traces)
  assert.ok(traces === 20 && matching > 20)
  const sample = await client.export({ order: 'sample', limit: 7 })
  assert.equal(parseTraces(await new Response(sample.body).text()).traces.length, 7)
})

test('figures add up', async () => {
  const calls = made.reduce((sum, one) => sum + one.calls, 0)
  const { methods, traces } = await client.statistics()
  assert.equal(traces, made.length)
  assert.equal(
    methods.reduce((sum, method) => sum + method.calls, 0),
    calls,
  )
  const near = (sum: number) => assert.ok(Math.abs(sum - 1) < 1e-3, String(sum))
  near(methods.reduce((sum, { criticalShare }) => sum + criticalShare, 0))
  const { requests } = await client.breakdown()
  for (const { parts } of requests) near(parts.reduce((sum, { share }) => sum + share, 0))
  const map = await client.map()
  assert.equal(
    map.links.reduce((sum, link) => sum + link.calls, 0),
    calls,
  )
  assert.equal(
    map.links.filter(({ from }) => from === '').reduce((sum, link) => sum + link.calls, 0),
    made.length,
  )
  const { buckets } = await client.timeline({ buckets: 30 })
  assert.equal(
    buckets.reduce((sum, { requests: count }) => sum + count, 0),
    made.length,
  )
  const { names } = await client.names('service')
  assert.deepEqual(names.toSorted(), map.services.map(({ service }) => service).sort())
})

test('bad questions are told what is wrong, and where', async () => {
  const cases: [string, string, string?][] = [
    ['/api/traces?filter=servce:a', 'bad_filter', 'did you mean service'],
    ['/api/traces?limit=0', 'bad_parameter'],
    ['/api/traces?limit=1e3', 'bad_parameter'],
    ['/api/traces?order=best', 'bad_parameter'],
    ['/api/traces?from=yesterday', 'bad_time'],
    ['/api/traces?from=1h&to=2h', 'bad_time'],
    ['/api/traces?cursor=AAAA', 'bad_cursor'],
    ['/api/timeline?buckets=5000', 'bad_parameter'],
    ['/api/names?field=secret', 'bad_parameter'],
    ['/api/tail?filter=%22', 'bad_filter'],
    ['/api/analyze?limit=10001', 'bad_parameter'],
    ['/api/load?by=weight', 'bad_parameter'],
    ['/api/compare?filter=failed:true', 'bad_parameter', 'against=FILTER'],
    ['/api/compare?against=sevice:a', 'bad_filter', 'did you mean service'],
    ['/api/compare?against-from=yesterday', 'bad_time'],
    ['/api/compare?against=a&limit=2001', 'bad_parameter'],
  ]
  for (const [path, code, advice] of cases) {
    const { status, body } = await ask(path)
    const error = body['error'] as { code: string; advice?: string; position?: number }
    assert.deepEqual([status, error.code], [400, code], path)
    if (advice !== undefined) assert.ok(error.advice!.includes(advice))
    if (code === 'bad_filter') assert.equal(typeof error.position, 'number')
  }
})

test('a parameter that is misspelt or given twice is refused, and nothing is done', async () => {
  const refusal = async (method: string, path: string) => {
    const response = await collector.fetch(new Request(`http://collector${path}`, { method }))
    const { error } = (await response.json()) as { error: Record<string, string> }
    return [response.status, error['code'], error['message'], error['advice']] as const
  }
  const asked = collector.routes.filter(({ role }) => role === 'read' || role === 'admin')
  assert.ok(asked.length > 15)
  for (const { method, path, parameters = [] } of asked) {
    const known = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
    const [status, code, message, advice] = await refusal(
      method,
      `${path.replace('{id}', made[0]!.traceId)}?form=1h`,
    )
    assert.deepEqual([status, code], [400, 'unknown_parameter'], path)
    assert.match(message!, /no parameter “form”/)
    assert.equal(
      advice,
      known.length === 0 ? 'this takes no parameters' : `there are ${known.join(', ')}`,
    )
  }
  assert.equal((await client.usage()).traces, made.length)
  const twice = await refusal('GET', '/api/traces?filter=failed:true&filter=calls:1')
  assert.deepEqual(twice.slice(0, 3), [400, 'bad_parameter', 'filter is given twice'])
  const hostile = `/api/usage?${encodeURIComponent('<b>\u001b[2J”\n')}${'x'.repeat(9_000)}`
  const [, , told] = await refusal('GET', hostile)
  assert.match(told!, /^there is no parameter “[\w%-]{1,250}” here$/)
  // Whoever looks whether it lives may add what it likes.
  assert.equal((await ask('/healthz?at=123')).status, 200)
})

test('the tail tells what comes, goes on behind where it was, and waits for nobody', async () => {
  const more = [...madePackets(400, { seed: 22, fromMs: Date.now(), overMs: 100 })]
  const abort = new AbortController()
  const seen: string[] = []
  let last = ''
  const tail = client.tail({ filter: 'calls:>0', signal: abort.signal, onId: (id) => (last = id) })
  const first = tail.next()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await send(more.slice(0, 3).map(({ bytes }) => bytes))
  for (let event = await first; ; event = await tail.next()) {
    assert.ok(!event.done && 'trace' in event.value)
    seen.push(event.value.trace.id)
    if (seen.length === 3) break
  }
  assert.deepEqual(
    seen.sort(),
    more
      .slice(0, 3)
      .map(({ traceId }) => traceId)
      .sort(),
  )
  abort.abort()
  // Read slowly, it must not hold up what is sent, and tells what was missed.
  const slow = client.tail()
  const waiting = slow.next()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await send(more.slice(3).map(({ bytes }) => bytes))
  await settled(made.length + more.length)
  let [told, missed] = [0, 0]
  for (let event = await waiting; ; event = await slow.next()) {
    assert.ok(!event.done)
    if ('missed' in event.value) missed += event.value.missed
    else told++
    if (told + missed === more.length - 3) break
  }
  assert.ok(told > 100 && missed > 0)
  await slow.return(undefined)
  const again = client.tail({ after: last })
  assert.ok('trace' in (await again.next()).value!)
  await again.return(undefined)
})

test('every answer is what the OpenAPI document says', async () => {
  const { body } = await ask('/api/openapi.json')
  const paths = body['paths'] as Record<string, Record<string, Record<string, unknown>>>
  const ajv = new Ajv2020({ strict: false })
  const id = made[0]!.traceId
  for (const route of collector.routes as readonly Route[]) {
    const operation = paths[route.path]?.[route.method.toLowerCase()]
    assert.equal(operation?.['operationId'], route.name)
    assert.ok(String(operation?.['summary']).length > 10)
    if (route.method !== 'GET' || route.answer === undefined) continue
    const query = route.name === 'compare' ? '?against=failed:true' : ''
    const answer = await ask(route.path.replace('{id}', id) + query)
    assert.ok(answer.status < 300, route.path)
    const validate = ajv.compile(route.answer)
    assert.ok(validate(answer.body), `${route.path}: ${ajv.errorsText(validate.errors)}`)
  }
})

test('a trace that is deleted is gone', async () => {
  const { traceId } = made[5]!
  assert.deepEqual(await client.remove(traceId), { removed: 1 })
  await assert.rejects(() => client.trace(traceId), CollectorError)
  await assert.rejects(() => client.remove(traceId), CollectorError)
})

test('all of a tenant is deleted at once', async () => {
  const { removed } = await client.removeTenant()
  assert.ok(removed > 100)
  assert.deepEqual((await client.find({ from: '1d' })).traces, [])
  assert.deepEqual(await client.removeTenant(), { removed: 0 })
})
