import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Trace, TraceProblem } from '../trace/index.ts'
import { formatOf } from './format-of.ts'
import { type FormatName, type FormatReaderOptions, formatReader } from './format-reader.ts'
import * as writers from './writers.test.ts'

export interface Got {
  readonly traces: readonly Trace[]
  readonly problems: readonly TraceProblem[]
}

/** Reads a document in pieces of a size. */
export function read(
  format: FormatName,
  document: string | Uint8Array,
  { piece = 1_000, ...options }: FormatReaderOptions & { readonly piece?: number } = {},
): Got {
  const bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document
  const reader = formatReader(format, options)
  const traces: Trace[] = []
  for (let at = 0; at < bytes.length; at += piece) {
    traces.push(...reader.push(bytes.subarray(at, at + piece)))
  }
  traces.push(...reader.end())
  return { traces, problems: reader.problems }
}

const MOMENTS = ['rpc-request', 'rpc-receive', 'rpc-respond', 'rpc-finish']

function callsOf({ traces }: Got): writers.Calls {
  const calls: Record<string, Record<string, unknown>> = {}
  for (const trace of traces) {
    assert.equal(trace.id, writers.TRACE)
    for (const entry of trace.entries) {
      const { id, kind, service, method, parent, edge, from, timeMs } = entry
      const call = calls[id] ?? { service, method, parent, edge: 'call', times: {} }
      calls[id] = call
      assert.deepEqual([call.service, call.method, call.parent], [service, method, parent])
      if (edge !== undefined) call.edge = edge
      if (from !== undefined) call.from = from
      const times = call.times as Record<number, number>
      times[MOMENTS.indexOf(kind)] = timeMs
    }
  }
  return calls
}

const WRITERS = [
  ['jaeger', writers.writeJaeger],
  ['zipkin', writers.writeZipkin],
  ['otlp', writers.writeOtlp],
  ['otlp-protobuf', writers.writeProtobuf],
] as const

for (const [format, write] of WRITERS) {
  test(`${format}: any trace reads as the calls it was written from, cut anywhere`, () => {
    fc.assert(
      fc.property(writers.trees, fc.integer({ min: 1, max: 200 }), ({ records, calls }, piece) => {
        const document = write(records)
        const bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document
        assert.equal(formatOf(bytes), format)
        const got = read(format, bytes, { piece })
        assert.deepEqual(got.problems, [])
        assert.equal(got.traces.length, 1)
        assert.deepEqual(callsOf(got), calls)
      }),
      { numRuns: 150 },
    )
  })

  test(`${format}: nothing that is damaged throws, and nothing is lost silently`, () => {
    const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3) }), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(writers.trees, damage, ({ records }, damages) => {
        const document = write(records)
        let bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document
        for (const { at, byte, cut } of damages) {
          const place = at % bytes.length
          bytes = Uint8Array.from([...bytes.slice(0, place), byte, ...bytes.slice(place + cut)])
        }
        formatOf(bytes)
        const got = read(format, bytes, { piece: 64 })
        // A byte within a text or a number is no damage that anybody could see.
        const intact = records.filter(({ id }) => isIn(bytes, id)).length
        const seen = sidesIn(got)
        assert.ok(
          seen >= intact - damages.length || got.problems.length > 0,
          `${seen} of ${intact}`,
        )
      }),
      { numRuns: 300, endOnFailure: true },
    )
  })
}

const isIn = (bytes: Uint8Array, id: string) => {
  const list = Buffer.from(bytes)
  return list.includes(`"${id}"`) || list.includes(Buffer.from(id, 'hex'))
}

function sidesIn({ traces }: Got): number {
  const kinds = new Set(['rpc-request', 'rpc-receive'])
  return traces.flatMap(({ entries }) => entries).filter(({ kind }) => kinds.has(kind)).length
}

test('damage costs the record it is in, and what follows is read', () => {
  const { writeJaeger, writeOtlp, writeZipkin } = writers
  for (const [format, write] of [
    ['jaeger', writeJaeger],
    ['zipkin', writeZipkin],
    ['otlp', writeOtlp],
  ] as const) {
    const records = Array.from({ length: 20 }, (_, index) => record(index))
    const document = write(records)
    const place = document.indexOf('"work 7"')
    for (const [hurt, least] of [
      [`${document.slice(0, place)}${document.slice(place + 1)}`, 19],
      [`${document.slice(0, place)}}${document.slice(place)}`, 18],
      [`${document.slice(0, place)}\n${document.slice(place)}`, 19],
      [`${document.slice(0, place + 3)}\n${document.slice(place + 3)}`, 19],
      [`${document.slice(0, place)}@${document.slice(place)}`, 18],
    ] as const) {
      const got = read(format, hurt)
      assert.ok(
        sidesIn(got) >= least,
        `${format}: ${sidesIn(got)} of 20: ${hurt.slice(place - 9, place + 9)}`,
      )
      assert.equal(sidesIn(got) === 20, got.problems.length === 0)
    }
    const cut = read(format, document.slice(0, place))
    assert.ok(sidesIn(cut) >= 6)
    assert.match(cut.problems.at(-1)!.message, /ends in the middle|not described/)
  }
})

function record(index: number, kind: writers.Told['kind'] = 'server'): writers.Told {
  const id = (index + 1).toString(16).padStart(16, '0')
  const times = { startUs: 1_700_000_000_000_000 + index, durationUs: 5 }
  const parent = index === 0 ? undefined : '0000000000000001'
  return { id, parent, kind, service: 'shop', name: `work ${index}`, ...times }
}

test('lines of documents are read, and one that is cut off costs itself', () => {
  const lines = [0, 1, 2, 3].map((index) => writers.writeOtlp([record(index)]))
  const hurt = [lines[0], lines[1]!.slice(0, 60), lines[2], lines[3]].join('\n')
  const got = read('otlp', hurt)
  assert.equal(sidesIn(got), 3)
  assert.equal(got.problems.length, 1)
  const all = read('otlp', lines.join('\n'))
  assert.deepEqual([sidesIn(all), all.problems], [4, []])
})

test('messages with their lengths before them are read as one document', () => {
  const message = writers.writeProtobuf([record(0)])
  const other = writers.writeProtobuf([record(1), record(2)])
  const delimited = Buffer.concat([message, other].flatMap((one) => [lengthOf(one), one]))
  assert.equal(formatOf(delimited), 'otlp-protobuf')
  for (const piece of [1, 7, 1_000]) {
    const got = read('otlp-protobuf', delimited, { piece })
    assert.deepEqual([sidesIn(got), got.problems], [3, []])
  }
})

function lengthOf(bytes: Uint8Array): Uint8Array {
  const length = bytes.length
  return length < 128 ? Uint8Array.of(length) : Uint8Array.of((length & 127) | 128, length >> 7)
}

test('what is too long, too many or too deep is told, and the rest is read', () => {
  const records = [0, 1, 2, 3].map((index) => record(index))
  const document = writers.writeZipkin([
    { ...records[0]!, name: 'x'.repeat(500) },
    ...records.slice(1),
  ])
  const long = read('zipkin', document, { maxRecordLength: 400 })
  assert.deepEqual([sidesIn(long), long.problems.map(({ kind }) => kind)], [3, ['limit']])
  const many = read('zipkin', document, { maxRecords: 2 })
  assert.deepEqual(many.traces[0]?.missing[0]?.calls, 2)
  assert.equal(many.problems[0]?.kind, 'limit')
  const deep = `[${'['.repeat(200)}${document.slice(1)}`
  assert.equal(read('zipkin', deep).problems[0]?.kind, 'unreadable')
  assert.ok(sidesIn(read('zipkin', deep)) >= 3)
})

test('traces that nothing more comes of are handed over while the document is read', () => {
  const reader = formatReader('zipkin', { linger: 10 })
  const encoder = new TextEncoder()
  let early = 0
  for (let index = 0; index < 100; index++) {
    const trace = (index + 1).toString(16).padStart(32, 'a')
    early += reader.push(encoder.encode(`${writers.writeZipkin([record(0)], trace)}\n`)).length
  }
  assert.equal(early, 89)
  assert.equal(early + reader.end().length, 100)
})

test('a format is told by its beginning, whatever stands before or is left out', () => {
  const told = (text: string) => formatOf(new TextEncoder().encode(text))
  assert.equal(told('\uFEFF \n{\n  "data" : [\n'), 'jaeger')
  assert.equal(told('{"total":0,"processes":{},"spans":[]}'), 'jaeger')
  assert.equal(told('[{"tags":{"traceID":"x"},"duration":1,"traceId":"1"'), 'zipkin')
  assert.equal(told('{"resource_spans":[{"scope_spans":[{"spans":[{"traceId":"a"'), 'otlp')
  assert.equal(told('{"host":"a","service":"s","method":"m","rpc-request":1'), 'clew')
  assert.equal(told('[{"id":"1","rpc-recv":1'), 'clew')
  assert.equal(told('hello'), undefined)
  assert.equal(told(''), undefined)
  assert.equal(told('\n\n\n\n\n\n\n\n\n\n\n\n\n\n'), undefined)
})
