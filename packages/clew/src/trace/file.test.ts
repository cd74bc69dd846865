import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Entry, Trace } from './entry.ts'
import { encodeEntries, encodeTrace, parseTraces, TraceReader } from './file.ts'
import * as model from './model.test.ts'

const id = fc.stringMatching(/^[0-9a-f]{16}$/)
const ms = fc.double({ min: 0, max: 4e12, noNaN: true }).map((time) => time + 0)
const count = fc.nat()
const text = fc.string({ unit: 'binary', maxLength: 20 })

const losses = fc.record({
  folds: fc.array(
    fc.record({
      parent: id,
      trace: fc.constant(model.TRACE),
      ...{ host: text, service: text, method: text, count, calls: count },
      ...{ minMs: ms, medianMs: ms, maxMs: ms, sumMs: ms, timeMs: ms },
    }),
    { maxLength: 2 },
  ),
  missing: fc.array(
    fc.record({
      ...{ parent: id, trace: fc.constant(model.TRACE), calls: count },
      reason: fc.constantFrom('lost' as const, 'unreadable' as const, 'cut' as const),
    }),
    { maxLength: 2 },
  ),
  relays: fc.array(
    fc.record({
      ...{ below: id, trace: fc.constant(model.TRACE) },
      path: fc.array(
        fc.record({ service: text, method: text, id }, { requiredKeys: ['service', 'method'] }),
      ),
    }),
    { maxLength: 2 },
  ),
  complete: fc.boolean(),
})

/** What other systems keep, and what processes say of themselves. */
const besides = fc.record(
  {
    busy: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => share + 0),
    version: text,
    from: fc.record({ service: text, method: text }),
    attributes: fc.dictionary(text, fc.oneof(text, ms, fc.boolean()), { minKeys: 1, maxKeys: 3 }),
    edge: fc.constantFrom('local' as const, 'next' as const),
  },
  { requiredKeys: [] },
)
const rest = fc.record(
  {
    pauses: fc.array(
      fc.record({
        kind: fc.constantFrom('gc' as const, 'event-loop' as const),
        ...{ trace: fc.constant(model.TRACE), host: text, pid: count, timeMs: ms, ms },
      }),
      { minLength: 1, maxLength: 2 },
    ),
    source: fc.constantFrom('otlp' as const, 'jaeger' as const, 'zipkin' as const),
  },
  { requiredKeys: [] },
)

const anyTrace: fc.Arbitrary<Trace> = fc
  .tuple(model.modelTree, losses, rest, fc.array(fc.tuple(text, besides), { minLength: 1 }))
  .map(([root, more, others, marks]) => ({
    id: model.TRACE,
    entries: model.entriesOf(root, model.T0).map((entry, index) => {
      const [host, beside] = marks[index % marks.length]!
      return { ...entry, host, ...beside }
    }),
    ...more,
    ...others,
  }))

/** Objects that compare equal to those from JSON. */
const plain = (trace: Trace): unknown => JSON.parse(JSON.stringify(trace))

test('a file gives back exactly the trace that was written', () => {
  fc.assert(
    fc.property(anyTrace, (trace) => {
      const { traces, problems } = parseTraces(encodeTrace(trace))
      assert.deepEqual(problems, [])
      assert.deepEqual(traces.map(plain), [plain(trace)])
    }),
  )
})

test('interleaved traces come apart, wherever the text is cut', () => {
  const other = 'ffffffffffffffffffffffffffffffff'
  const cuts = fc.array(fc.nat({ max: 40 }), { minLength: 1 })
  const order = fc.infiniteStream(fc.boolean())
  fc.assert(
    fc.property(
      anyTrace,
      anyTrace,
      cuts,
      order,
      fc.constantFrom('\n', '\r\n'),
      (a, second, sizes, pick, eol) => {
        const b = parseTraces(encodeTrace(second).replaceAll(model.TRACE, other)).traces[0]!
        const [left, right] = [a, b].map((trace) => encodeTrace(trace).trimEnd().split('\n'))
        const lines: string[] = []
        while (left!.length + right!.length > 0) {
          const from =
            left!.length > 0 && (right!.length === 0 || pick.next().value) ? left! : right!
          lines.push(from.shift()!, '')
        }
        const file = `\ufeff${lines.join(eol)}`
        const reader = new TraceReader()
        const traces: Trace[] = []
        for (let at = 0, turn = 0; at < file.length; turn++) {
          const size = 1 + sizes[turn % sizes.length]!
          traces.push(...reader.push(file.slice(at, at + size)))
          at += size
        }
        traces.push(...reader.end())
        traces.sort((x, y) => x.id.localeCompare(y.id))
        assert.deepEqual(traces.map(plain), [plain(a), plain(b)])
        assert.deepEqual(reader.problems, [])
      },
    ),
    { numRuns: 50 },
  )
})

test('the lines are those of the format', () => {
  const request: Entry = {
    kind: 'rpc-request',
    ...{ timeMs: 1_795_386_521_833.47, host: 'vm-1', service: 'greeting_service', method: 'hello' },
    ...{ id: '79b8ca640c90d8ee', trace: model.TRACE, parent: null },
  }
  const { trace, parent, ...plainList } = request
  assert.equal(
    encodeEntries([request, { ...plainList, kind: 'rpc-receive', timeMs: 1 / 3, inFlight: 3 }]),
    `{"host":"vm-1","service":"greeting_service","method":"hello","rpc-request":1795386521833.470,"id":"79b8ca640c90d8ee","trace":"${model.TRACE}","parent":null}
{"host":"vm-1","service":"greeting_service","method":"hello","rpc-receive":0.3333333333333333,"id":"79b8ca640c90d8ee","inFlight":3}
`,
  )
})

const five = (kind: string, name = 'a') =>
  `{"host":"h","service":"s","method":"m","${kind}":12.5,"id":"${name}"}`

test('the list of the paper is read, over however many lines, and each list is a trace', () => {
  const list = ['rpc-request', 'rpc-recv', 'rpc-respond', 'rpc-finish'].map((kind) => five(kind))
  const kinds = ['rpc-request', 'rpc-receive', 'rpc-respond', 'rpc-finish']
  const pretty = JSON.stringify(
    list.map((line) => JSON.parse(line)),
    null,
    2,
  )
  for (const file of [`[${list.join(',')}]`, `\n\n [ ${list.join(' ,\r\n')}\n]\n`, pretty]) {
    for (const size of [1, 7, file.length]) {
      const reader = new TraceReader()
      for (let at = 0; at < file.length; at += size) reader.push(file.slice(at, at + size))
      const traces = reader.end()
      assert.deepEqual(reader.problems, [])
      assert.deepEqual(
        traces.map((trace) => trace.entries.map(({ kind }) => kind)),
        [kinds],
      )
      assert.equal(traces[0]!.id, '')
    }
  }
  const two = parseTraces(`[${list[0]}]\n[${list[1]}]\n${five('rpc-finish')}`)
  assert.deepEqual(
    two.traces.map(({ entries }) => entries.length),
    [1, 1, 1],
  )
})

test('other ways to write an entry are understood', () => {
  const { traces, problems } = parseTraces(
    [
      '{"kind":"rpc-recv","time":7,"service":"s","method":"m","id":"a","unheard":{"of":[1]}}',
      '{"rpc-respond":8,"service":"s","method":"m","id":"a","status":"exploded","pid":-1,"seq":1.5}',
    ].join('\n'),
  )
  assert.deepEqual(problems, [])
  const names = { host: '', service: 's', method: 'm', id: 'a' }
  assert.deepEqual(traces[0]?.entries, [
    { kind: 'rpc-receive', timeMs: 7, ...names },
    { kind: 'rpc-respond', timeMs: 8, ...names, status: 'error' },
  ])
})

test('damaged lines are passed over and told with their numbers', () => {
  const deep = '['.repeat(100_000)
  const lines = [
    five('rpc-request'),
    '{"host":"h","serv',
    five('rpc-finish').replace('12.5', '1e999'),
    five('rpc-finish').replace('12.5', 'NaN'),
    five('rpc-finish').replace('12.5', '"12"'),
    '{"__proto__":{"rpc-request":1,"service":"s","method":"m","id":"x"}}',
    `{"constructor":${deep}`,
    '[broken',
    '["also\nbroken',
    '[{',
    '42',
    '\u0000\u0007',
    five('rpc-finish'),
  ]
  const { traces, problems } = parseTraces(lines.join('\n'))
  assert.deepEqual(
    traces.map(({ entries }) => entries.map(({ kind }) => kind)),
    [['rpc-request', 'rpc-finish']],
  )
  const numbers = problems.map(({ message }) => Number(/^line (\d+)/.exec(message)?.[1]))
  assert.deepEqual(numbers, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  assert.equal(({} as Record<string, unknown>)['rpc-request'], undefined)
})

test('no text makes the reader throw, and every trace it gives can be written again', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '\n',
    'null',
    five('rpc-request'),
    '"id"',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(token, text)), (tokens) => {
      for (const trace of parseTraces(tokens.join('')).traces) {
        assert.deepEqual(parseTraces(encodeTrace(trace)).traces.map(plain), [plain(trace)])
      }
    }),
    { numRuns: 500 },
  )
})

test('memory is bounded: long lines are passed over, silent traces handed over', () => {
  const long = new TraceReader({ maxLineLength: 200 })
  const filler = 'x'.repeat(150)
  assert.deepEqual(long.push(`{"host":"${filler}`), [])
  long.push(`${filler}\n${five('rpc-request')}\n[{"a":"${filler}${filler}"},${five('rpc-finish')}]`)
  assert.deepEqual(
    long.end().map(({ entries }) => entries.length),
    [1, 1],
  )
  assert.deepEqual(
    long.problems.map(({ kind }) => kind),
    ['limit', 'limit'],
  )

  const entry = (trace: string) => `${five('rpc-request').slice(0, -1)},"trace":"${trace}"}\n`
  const silent = new TraceReader({ linger: 2 })
  assert.deepEqual(silent.push(entry('a') + entry('b') + entry('b')), [])
  assert.deepEqual(
    silent.push(entry('b')).map((trace) => trace.id),
    ['a'],
  )

  const full = new TraceReader({ maxEntries: 3 })
  const handedOver = full.push(entry('a') + entry('b') + entry('b') + entry('b'))
  assert.deepEqual(
    handedOver.map((trace) => trace.id),
    ['a'],
  )
  assert.deepEqual(full.push(entry('b')), [])
  assert.deepEqual(
    full.problems.map(({ kind }) => kind),
    ['limit'],
  )
})
