import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type CallNode, callTree, type Edge, type Entry, type Trace } from '../../trace/index.ts'
import { formatOf } from '../format-of.ts'
import { type FormatName, formatReader } from '../format-reader.ts'
import { encodeJaeger } from './jaeger.ts'
import { encodeOtlp } from './otlp.ts'
import { encodeOtlpProtobuf } from './otlp-protobuf.ts'
import { encodeZipkin } from './zipkin.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const T0 = 1_795_386_521_833_470

interface MadeCall {
  readonly parent: number
  readonly long: number
  readonly service: string
  readonly method: string
  readonly sides: 'both' | 'caller' | 'callee'
  readonly edge: Edge
  readonly failed: boolean
}

/** Calls that began after whoever called them, with whole sides of whatever edge has them in other formats. */
const made: fc.Arbitrary<readonly MadeCall[]> = fc.array(
  fc
    .record({
      parent: fc.nat(),
      long: fc.integer({ min: 10, max: 5_000 }),
      service: fc.constantFrom('orders', 'products', 'naïve "café"', '訂單'),
      method: fc.constantFrom('get', 'GET /orders/{id}', '</script>'),
      sides: fc.constantFrom<MadeCall['sides']>('both', 'both', 'caller', 'callee'),
      edge: fc.constantFrom<Edge>('call', 'call', 'event', 'down'),
      failed: fc.boolean(),
    })
    .map((call) => ({
      ...call,
      ...(call.edge === 'down' && { sides: 'caller' as const }),
      ...(call.edge === 'event' && call.sides === 'both' && { sides: 'caller' as const }),
    })),
  { minLength: 1, maxLength: 30 },
)

const idOf = (number: number) => (number + 1).toString(16).padStart(16, 'a')

function traceOf(calls: readonly MadeCall[]): Trace {
  const entries: Entry[] = []
  for (const [at, call] of calls.entries()) {
    const up = at === 0 ? undefined : call.parent % at
    const host = up === undefined ? 'vm-0' : `vm-${up}`
    const same = {
      ...{ service: call.service, method: call.method, id: idOf(at), trace: TRACE },
      ...{ parent: up === undefined ? null : idOf(up), edge: call.edge },
    }
    const status = call.failed ? { status: 'error' as const, error: 'NotFound' } : {}
    const ms = (micros: number) => (T0 + at * 7 + micros) / 1_000
    if (call.sides !== 'callee') {
      entries.push({ kind: 'rpc-request', timeMs: ms(0), host, ...same })
      entries.push({ kind: 'rpc-finish', timeMs: ms(call.long), host, ...same, ...status })
    }
    if (call.sides !== 'caller') {
      const own = { ...same, host: `vm-${at}` }
      entries.push({ kind: 'rpc-receive', timeMs: ms(3), ...own })
      entries.push({ kind: 'rpc-respond', timeMs: ms(call.long - 3), ...own, ...status })
    }
  }
  return { id: TRACE, entries, folds: [], missing: [], relays: [], complete: true }
}

const micros = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms * 1_000))

/** What must come back of a tree, by id. */
function outline(trace: Trace, places: boolean) {
  const lines: string[] = []
  const left: { readonly call: CallNode; readonly parent: string | undefined }[] = [
    { call: callTree(trace).root, parent: undefined },
  ]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { call, parent } = next
    const { id, service, method, presence, status, error, host } = call
    // Within one service, only its host says whether a call left its process.
    const edge = !places && call.edge === 'local' ? 'call' : call.edge
    const times = [call.requestMs, call.receiveMs, call.respondMs, call.finishMs].map(micros)
    const place = places ? host : undefined
    lines.push(
      JSON.stringify({ id, parent, service, method, edge, presence, status, error, place, times }),
    )
    for (const child of call.calls) left.push({ call: child, parent: id })
  }
  return lines.sort()
}

function readBack(format: FormatName, parts: Iterable<string | Uint8Array>): Trace[] {
  const bytes = Buffer.concat([...parts].map((part) => Buffer.from(part)))
  assert.equal(formatOf(bytes), format)
  const reader = formatReader(format)
  const traces = [...reader.push(bytes), ...reader.end()]
  assert.deepEqual(reader.problems, [])
  return traces
}

const FORMATS = [
  ['otlp', encodeOtlp, true],
  ['otlp-protobuf', encodeOtlpProtobuf, true],
  ['jaeger', encodeJaeger, true],
  // Its endpoints have no host names.
  ['zipkin', encodeZipkin, false],
] as const

describe('written and read back', () => {
  for (const [format, encode, places] of FORMATS) {
    it(`as ${format} a tree is the same: calls, parents, names, times, statuses, edges`, () => {
      fc.assert(
        fc.property(made, (calls) => {
          const trace = traceOf(calls)
          const read = readBack(format, encode([trace]))
          assert.equal(read.length, 1)
          assert.deepEqual(outline(read[0]!, places), outline(trace, places))
        }),
        { numRuns: 100 },
      )
    })
  }

  it('once more, nothing changes', () => {
    fc.assert(
      fc.property(made, (calls) => {
        const once = [...encodeOtlp([traceOf(calls)])].join('')
        const read = readBack('otlp', [once])
        const twice = readBack('otlp', encodeOtlp(read))
        assert.deepEqual(outline(twice[0]!, true), outline(read[0]!, true))
      }),
      { numRuns: 50 },
    )
  })
})
