import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallNode, callTree, type Entry } from '../trace/index.ts'
import type { FormatName } from './format-reader.ts'
import { read } from './read.test.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const OTHER = '5bf92f3577b34da6a3ce929d0e0e4736'
const US = 1_700_000_000_000_000
const NANOS = `${US}000`

function tree(format: FormatName, document: unknown) {
  const { traces, problems } = read(format, JSON.stringify(document))
  assert.equal(traces.length, 1, JSON.stringify(problems))
  const { root, problems: odd } = callTree(traces[0]!)
  return { root, entries: traces[0]!.entries, problems: [...problems, ...odd] }
}

const kindsOf = (problems: readonly { readonly kind: string }[]) => problems.map(({ kind }) => kind)

type Fields = Readonly<Record<string, unknown>>

function otlp(...spans: readonly Fields[]) {
  const times = { startTimeUnixNano: NANOS, endTimeUnixNano: `${US + 1_000}000` }
  const told = spans.map((span) => ({ traceId: TRACE, name: 'get', ...times, ...span }))
  return { resourceSpans: [{ scopeSpans: [{ spans: told }] }] }
}

function jaeger(spans: readonly Fields[], processes: Fields = { p1: { serviceName: 'shop' } }) {
  const times = { startTime: US, duration: 1_000, processID: 'p1' }
  const told = spans.map((span) => ({ traceID: TRACE, operationName: 'get', ...times, ...span }))
  return [{ traceID: TRACE, spans: told, processes }]
}

const referTo = (refType: string, spanID: string, traceID = TRACE) => ({
  references: [{ refType, traceID, spanID }],
})

const tagged = (key: string, value: unknown, type = 'string') => ({ tags: [{ key, type, value }] })

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })

test('Jaeger: who only follows is not waited for, unless another reference says that it is', () => {
  const follows = referTo('FOLLOWS_FROM', '1')
  const { root } = tree('jaeger', jaeger([{ spanID: '1' }, { spanID: '2', ...follows }]))
  assert.equal(root.calls[0]?.edge, 'event')
  const both = [...follows.references, ...referTo('CHILD_OF', '3').references]
  const spans = [{ spanID: '1' }, { spanID: '3', ...referTo('CHILD_OF', '1') }]
  const child = tree('jaeger', jaeger([...spans, { spanID: '2', references: both }]))
  assert.deepEqual(
    [child.root.calls[0]?.calls[0]?.id, child.root.calls[0]?.calls[0]?.edge],
    ['0000000000000002', 'local'],
  )
  const far = tree('jaeger', jaeger([{ spanID: '1', ...referTo('CHILD_OF', '9', OTHER) }]))
  assert.deepEqual(far.root.foreign, { trace: OTHER, parent: '0000000000000009' })
})

test('OTLP: a consumer without a parent is below the producer it links to, here or elsewhere', () => {
  const links = [{ traceId: TRACE, spanId: '1' }]
  const producer = { spanId: '1', kind: 4 }
  const { root } = tree('otlp', otlp(producer, { spanId: '2', kind: 5, links }))
  assert.deepEqual([root.calls[0]?.edge, root.calls[0]?.presence], ['event', '0110'])
  const far = [{ traceId: OTHER, spanId: '1' }]
  const alone = tree('otlp', otlp({ spanId: '2', kind: 5, links: far })).root
  assert.deepEqual(alone.foreign, { trace: OTHER, parent: '0000000000000001' })
  const parented = otlp(
    producer,
    { spanId: '3', kind: 1 },
    { spanId: '2', kind: 5, links, parentSpanId: '3' },
  )
  const below = tree('otlp', parented).entries.find(({ id }) => id.endsWith('2'))
  assert.equal(below?.parent, '0000000000000003')
})

test('OTLP: ids in base64 are those in hexadecimal digits', () => {
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
  const ids = { spanId: base64('00f067aa0ba902b7'), parentSpanId: base64('00f067aa0ba902b6') }
  const told = otlp(
    { spanId: '00f067aa0ba902b6', kind: 3 },
    { traceId: base64(TRACE), ...ids, kind: 2 },
  )
  const { root } = tree('otlp', told)
  assert.deepEqual([root.presence, root.id], ['1111', '00f067aa0ba902b6'])
})

test('OTLP: names of its mapping, of protobuf, and of first versions are read alike', () => {
  const spans = [
    {
      ...{ trace_id: TRACE, span_id: '1', name: 'get', kind: 'SPAN_KIND_SERVER' },
      ...{ start_time_unix_nano: NANOS, end_time_unix_nano: `${US + 5}000` },
      attributes: [{ key: 'user.id', value: { int_value: '7' } }],
    },
    { trace_id: TRACE, span_id: '2', parent_span_id: '1', name: 'in', start_time_unix_nano: NANOS },
  ]
  for (const document of [
    { resource_spans: [{ scope_spans: [{ spans }] }] },
    { resource_spans: [{ instrumentation_library_spans: [{ spans }] }] },
    { resourceSpans: [{ instrumentationLibrarySpans: [{ spans }] }] },
  ]) {
    const { root } = tree('otlp', document)
    assert.deepEqual(
      [root.edge, root.presence, root.attributes],
      ['call', '0110', { 'user.id': 7 }],
    )
    assert.equal(root.calls[0]?.presence, '0100')
  }
})

test('OTLP: kinds as numbers and as names', () => {
  const edges = (...kinds: readonly unknown[]) =>
    kinds.map((kind) => {
      const { edge, presence } = tree('otlp', otlp({ spanId: '1', kind })).root
      return `${edge} ${presence}`
    })
  const expected = ['call 0110', 'call 0110', 'call 1001', 'event 1001', 'event 0110']
  assert.deepEqual(edges(1, 2, 3, 4, 5), expected)
  const names = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
  assert.deepEqual(edges(...names.map((name) => `SPAN_KIND_${name}`)), expected)
  assert.deepEqual(edges('3', 'client', 99, null), [expected[2], expected[2], ...edges(0, 0)])
})

test('OTLP: an exception that left a record is its failure, one that was caught is not', () => {
  const event = (...more: readonly unknown[]) => ({
    events: [{ name: 'exception', attributes: [attribute('exception.type', 'Boom'), ...more] }],
  })
  const outcome = (told: Fields) => {
    const { status, error } = tree('otlp', otlp({ spanId: '1', kind: 2, ...told })).root
    return [status, error]
  }
  assert.deepEqual(outcome(event()), ['error', 'Boom'])
  assert.deepEqual(outcome(event(attribute('exception.escaped', 'False'))), ['ok', undefined])
  assert.deepEqual(outcome({ ...event(), status: { code: 'STATUS_CODE_OK' } }), ['ok', undefined])
  assert.deepEqual(outcome({ status: { code: 2 } }), ['error', undefined])
})

test('Jaeger: an exception in the log is a failure', () => {
  const logs = [
    {
      fields: [
        { key: 'event', value: 'error' },
        { key: 'error.kind', value: 'Boom' },
      ],
    },
  ]
  const { root } = tree('jaeger', jaeger([{ spanID: '1', logs }]))
  assert.deepEqual([root.status, root.error], ['error', 'Boom'])
  const unnamed = [{ fields: [{ key: 'event', value: 'error' }] }]
  assert.equal(tree('jaeger', jaeger([{ spanID: '1', logs: unnamed }])).root.status, 'error')
})

test('Jaeger: what stands beside records is no problem, what may hide them is', () => {
  const trace = jaeger([{ spanID: '1' }])[0]!
  const { problems } = tree('jaeger', [{ ...trace, services: [{}] }])
  assert.deepEqual(problems, [])
  const { spans, ...damaged } = trace
  const hidden = read('jaeger', JSON.stringify([{ ...damaged, spanz: spans }]))
  assert.match(String(hidden.problems.map(({ message }) => message)), /known of "spanz"/)
})

test('Jaeger: an error in the log is a failure, a copied line of a logger is none', () => {
  const status = (...fields: readonly object[]) =>
    tree('jaeger', jaeger([{ spanID: '1', logs: [{ fields }] }])).root.status
  const error = { key: 'error', value: 'context canceled' }
  assert.equal(status(error), 'error')
  assert.equal(status({ key: 'level', value: 'error' }, error), 'ok')
  assert.equal(status({ key: 'error', value: 'none' }), 'ok')
  assert.equal(status({ key: 'error.object', value: 'Boom: it went' }), 'error')
  assert.equal(status({ key: 'event', value: 'Error' }), 'error')
})

test('Jaeger: a refusal is a failure, unless OpenTelemetry or its author judged it', () => {
  const status = (...tags: readonly object[]) =>
    tree('jaeger', jaeger([{ spanID: '1', tags }])).root.status
  const server = { key: 'span.kind', value: 'server' }
  const missing = { key: 'http.status_code', value: 404 }
  assert.equal(status(server, missing), 'error')
  assert.equal(status(server, { key: 'grpc.status', value: 'NOT_FOUND' }), 'error')
  assert.equal(status(server, missing, { key: 'error', value: false }), 'ok')
  assert.equal(status(server, missing, { key: 'otel.scope.name', value: 'http' }), 'ok')
  assert.equal(status(server, missing, { key: 'internal.span.format', value: 'otlp' }), 'ok')
})

test('what was sent again is a later attempt', () => {
  const sent = (value: unknown) =>
    tree('jaeger', jaeger([{ spanID: '1', ...tagged('http.request.resend_count', value) }])).root
  assert.deepEqual(
    [sent(2).attempt, sent('1').attempt, sent(-1).attempt, sent('x').attempt],
    [3, 2, 1, 1],
  )
})

test('attributes are bounded: how many, and how long', () => {
  const tags = Array.from({ length: 300 }, (_, at) => ({ key: `k${at}`, value: 'x'.repeat(2_000) }))
  const { attributes = {} } = tree('jaeger', jaeger([{ spanID: '1', tags }])).root
  assert.equal(Object.keys(attributes).length, 128)
  assert.equal(String(attributes.k0).length, 1_024)
  const proto = JSON.parse('{"key":"__proto__","value":"x"}')
  const { root } = tree('jaeger', jaeger([{ spanID: '1', tags: [proto] }]))
  assert.equal(Object.getPrototypeOf(root.attributes ?? {}), Object.prototype)
})

test('processes and hosts: the pod before the machine, the machine where the process is told', () => {
  const placeOf = (told: readonly (readonly [string, unknown])[]) => {
    const tags = told.map(([key, value]) => ({ key, value }))
    const { root } = tree('jaeger', jaeger([{ spanID: '1' }], { p1: { serviceName: 's', tags } }))
    return [root.host ?? '', root.pid, root.version]
  }
  const machine = ['host.name', 'vm-1'] as const
  const version = ['service.version', '1.2'] as const
  assert.deepEqual(placeOf([machine, ['process.pid', 7], version]), ['vm-1', 7, '1.2'])
  assert.deepEqual(placeOf([machine, ['k8s.pod.name', 'pod-1']]), ['pod-1', undefined, undefined])
  assert.deepEqual(placeOf([machine, ['pid', 7], ['k8s.pod.name', 'pod-1']])[0], 'pod-1')
  assert.deepEqual(placeOf([machine, ['service.instance.id', 'i-1']])[0], 'i-1')
  assert.deepEqual(placeOf([['ip', '10.0.0.1']])[0], '10.0.0.1')
  assert.deepEqual(placeOf([['process.pid', -1]])[1], undefined)
})

function zipkin(id: string, more: Fields = {}) {
  const localEndpoint = { serviceName: `at ${id}` }
  return { traceId: TRACE, id, name: 'get', timestamp: US, duration: 1_000, localEndpoint, ...more }
}

test('Zipkin: a record told in parts is one, both halves of a shared one too', () => {
  const begun = zipkin('1', { duration: undefined })
  const ended = { ...zipkin('1'), timestamp: US, name: '', tags: { 'user.id': 'a' } }
  const { root } = tree('zipkin', [begun, ended])
  assert.deepEqual([root.presence, root.attributes], ['0110', { 'user.id': 'a' }])
  const client = zipkin('1', { kind: 'CLIENT' })
  const server = zipkin('1', { kind: 'SERVER', shared: true, localEndpoint: { serviceName: 'b' } })
  const unsaid = tree('zipkin', [client, { ...server, kind: undefined }])
  assert.equal(unsaid.root.presence, '1111')
  const twice = tree('zipkin', [client, server, client, server])
  assert.deepEqual([twice.root.presence, twice.root.calls.length], ['1111', 0])
  assert.deepEqual(kindsOf(twice.problems), ['duplicate', 'duplicate'])
})

test('Zipkin: times that only annotations tell, as old libraries wrote them', () => {
  const noted = (...values: readonly (readonly [string, number])[]) => ({
    ...{ timestamp: undefined, duration: undefined },
    annotations: values.map(([value, at]) => ({ value, timestamp: US + at })),
  })
  const client = { kind: 'CLIENT', ...noted(['cs', 0], ['cr', 900]) }
  const server = { kind: 'SERVER', shared: true, ...noted(['ss', 800], ['sr', 100]) }
  const { root } = tree('zipkin', [zipkin('1', client), zipkin('1', server)])
  const { presence, totalMs = 0, handleMs = 0 } = root
  assert.deepEqual([presence, totalMs.toFixed(1), handleMs.toFixed(1)], ['1111', '0.9', '0.7'])
})

test('records that are above each other are cut apart and told', () => {
  const at = (id: string, parent: string) => ({ spanID: id, ...referTo('CHILD_OF', parent) })
  const { root, problems } = tree('jaeger', jaeger([at('1', '3'), at('2', '1'), at('3', '2')]))
  assert.ok(kindsOf(problems).includes('cycle'))
  assert.equal(sizeOf(root), 3)
  assert.equal(sizeOf(tree('jaeger', jaeger([at('1', '1')])).root), 1)
  const references = [...at('2', '2').references, ...at('2', '1').references]
  const { root: above } = tree('jaeger', jaeger([{ spanID: '1' }, { spanID: '2', references }]))
  assert.equal(above.calls.length, 1)
})

function sizeOf(root: CallNode): number {
  let size = 0
  const open = [root]
  for (let call = open.pop(); call !== undefined; call = open.pop()) {
    if (!call.placeholder) size++
    for (const child of call.calls) open.push(child)
  }
  return size
}

test('negative durations are kept and told', () => {
  const { root, problems } = tree('jaeger', jaeger([{ spanID: '1', duration: -500 }]))
  assert.ok(kindsOf(problems).includes('negative_duration'))
  assert.equal(root.respondMs! < root.receiveMs!, true)
})

test('64-bit numbers as text or as numbers are the same', () => {
  const timesOf = ({ entries }: { readonly entries: readonly Entry[] }) =>
    entries.map(({ timeMs }) => timeMs)
  const text = otlp({
    spanId: '1',
    startTimeUnixNano: '1795386521833470000',
    endTimeUnixNano: '1795386521834470000',
  })
  const number = otlp({
    spanId: '1',
    startTimeUnixNano: 1_795_386_521_833_470_000,
    endTimeUnixNano: 1_795_386_521_834_470_000,
  })
  assert.deepEqual(timesOf(tree('otlp', text)), [1_795_386_521_833.47, 1_795_386_521_834.47])
  assert.deepEqual(timesOf(tree('otlp', number)), timesOf(tree('otlp', text)))
  const micros = jaeger([{ spanID: '1', startTime: String(US), duration: '1000' }])
  assert.deepEqual(
    timesOf(tree('jaeger', micros)),
    timesOf(tree('jaeger', jaeger([{ spanID: '1' }]))),
  )
  const int = (intValue: unknown) =>
    tree('otlp', otlp({ spanId: '1', attributes: [{ key: 'n', value: { intValue } }] })).root
      .attributes?.n
  assert.deepEqual([int('7'), int(7), int('9223372036854775807')], [7, 7, '9223372036854775807'])
})

test('what Clew says by tags is believed as far as it makes sense', () => {
  const tags = (told: Fields) => Object.entries(told).map(([key, value]) => ({ key, value }))
  const nonsense = {
    ...{ 'clew.edge': 'sideways', 'clew.status': 'great', 'clew.known': 'middle', 'clew.busy': 7 },
    ...{ 'clew.in_flight': -1, 'clew.missing_calls': 1e300, 'clew.started_after_us': 'soon' },
  }
  const { root } = tree('jaeger', jaeger([{ spanID: '1', tags: tags(nonsense) }]))
  const { edge, status, presence, busy, inFlight, missingCalls, startMs } = root
  assert.deepEqual([edge, status, presence, missingCalls], ['call', 'ok', '0110', 0])
  assert.deepEqual([busy, inFlight, startMs], [undefined, undefined, undefined])
  const late = { 'clew.late': 'true', 'clew.edge': 'next', 'clew.status': 'rejected' }
  const told = tree('jaeger', jaeger([{ spanID: '1', tags: tags(late) }])).root
  assert.deepEqual([told.late, told.edge, told.status], [true, 'next', 'rejected'])
})
