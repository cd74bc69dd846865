import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type CallNode,
  callTree,
  type Edge,
  type Entry,
  type Fold,
  type Missing,
  type Status,
  type Trace,
} from '../../trace/index.ts'
import { formatOf } from '../format-of.ts'
import { type FormatName, formatReader } from '../format-reader.ts'
import { encodeJaeger } from './jaeger.ts'
import { encodeOtlp } from './otlp.ts'
import { encodeOtlpProtobuf } from './otlp-protobuf.ts'
import { spanId } from './written-ids.ts'
import { encodeZipkin } from './zipkin.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const T0 = 1_795_386_521_833_470

const STATUSES: readonly Status[] = [
  ...(['ok', 'ok', 'error', 'rejected', 'timeout', 'cancelled', 'lost', 'pending'] as const),
]
type Moment = 'request' | 'receive' | 'respond' | 'finish'
const MOMENTS: readonly Moment[] = ['request', 'receive', 'respond', 'finish']
const CALLERS: readonly Moment[] = ['request', 'finish']
const CALLEES: readonly Moment[] = ['receive', 'respond']

/** Calls that began after whoever called them, of which any moments are known. */
const made = fc.array(
  fc.record({
    parent: fc.nat(),
    long: fc.integer({ min: 10, max: 5_000 }),
    service: fc.constantFrom('orders', 'products', 'naïve "café"', '訂單'),
    method: fc.constantFrom('get', 'GET /orders/{id}', '</script>'),
    moments: fc.oneof<fc.Arbitrary<readonly Moment[]>[]>(
      fc.constantFrom([...MOMENTS], [...CALLERS], [...CALLEES]),
      fc.subarray([...MOMENTS], { minLength: 1 }),
    ),
    edge: fc.constantFrom<Edge>('call', 'call', 'event', 'down', 'next', 'local'),
    statuses: fc.tuple(fc.constantFrom(...STATUSES), fc.constantFrom(...STATUSES)),
    error: fc.constantFrom('NotFound', undefined),
    attempt: fc.constantFrom(1, 1, 3),
    started: fc.option(fc.integer({ min: 3, max: 9 }), { nil: undefined }),
    redelivered: fc.boolean(),
    late: fc.boolean(),
    inFlight: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
    busy: fc.option(fc.constantFrom(0, 0.25, 1), { nil: undefined }),
    version: fc.constantFrom('1.2.3', undefined),
    attributes: fc.constantFrom(
      undefined,
      { 'http.status_code': 500, 'user.id': 'ä' },
      { error: true, 'error.type': 'Other' },
    ),
    missing: fc.constantFrom(0, 0, 7),
    folded: fc.constantFrom(0, 0, 5),
  }),
  { minLength: 1, maxLength: 20 },
)
type MadeCall = (typeof made extends fc.Arbitrary<infer T> ? T : never)[number]

interface Ids {
  readonly trace: string
  readonly call: (number: number) => string
}

const HEX: Ids = { trace: TRACE, call: (at) => (at + 1).toString(16).padStart(16, 'a') }
/** Of the paper's lists, or of who knows whom. */
const OTHER: Ids = { trace: 'trace number 1', call: (at) => `call ${at}` }

function entriesOf(call: MadeCall, at: number, { trace, call: idOf }: Ids): Entry[] {
  const up = at === 0 ? undefined : call.parent % at
  const same = {
    ...{ service: call.service, method: call.method, id: idOf(at), trace },
    ...{ parent: up === undefined ? null : idOf(up) },
  }
  const ended = (status: Status) =>
    status === 'ok' ? {} : { status, ...(call.error !== undefined && { error: call.error }) }
  const ms = (micros: number) => (T0 + at * 7 + micros) / 1_000
  const asked = { ...same, host: up === undefined ? 'vm-0' : `vm-${up}` }
  const done = { ...same, host: `vm-${at}` }
  const { edge, attempt, inFlight, busy, version, redelivered, late, started, attributes } = call
  const [callers, callees] = call.statuses
  const more = { edge, attempt, ...(attributes !== undefined && { attributes }) }
  const told = {
    ...{ ...more, redelivered, ...(inFlight !== undefined && { inFlight }) },
    ...{ ...(busy !== undefined && { busy }), ...(version !== undefined && { version }) },
  }
  const all: Record<Moment, Entry> = {
    request: { kind: 'rpc-request', timeMs: ms(0), ...asked, ...more },
    receive: { kind: 'rpc-receive', timeMs: ms(3), ...done, ...told },
    respond: { kind: 'rpc-respond', timeMs: ms(call.long - 3), ...done, ...ended(callees), late },
    finish: { kind: 'rpc-finish', timeMs: ms(call.long), ...asked, ...ended(callers) },
  }
  const entries = call.moments.map((moment) => all[moment])
  if (started !== undefined && call.moments.includes('receive')) {
    entries.push({ kind: 'rpc-start', timeMs: ms(started), ...done })
  }
  return entries
}

function traceOf(calls: readonly MadeCall[], ids: Ids = HEX): Trace {
  const entries: Entry[] = []
  const missing: Missing[] = []
  const folds: Fold[] = []
  for (const [at, call] of calls.entries()) {
    for (const entry of entriesOf(call, at, ids)) entries.push(entry)
    const own = { parent: ids.call(at), trace: ids.trace }
    if (call.missing > 0) missing.push({ ...own, calls: call.missing, reason: 'cut' })
    if (call.folded === 0) continue
    const times = { minMs: 1, medianMs: 2, maxMs: 3, sumMs: 10, timeMs: T0 / 1_000 }
    const name = { host: 'vm-0', service: 'folded', method: 'get' }
    folds.push({ ...own, ...name, ...times, count: call.folded, calls: call.folded })
  }
  return { id: ids.trace, entries, folds, missing, relays: [], complete: true }
}

const micros = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms * 1_000))

/** What must come back of a tree, by id. */
function outline(trace: Trace, idOf: (id: string) => string = (id) => id) {
  const lines: string[] = []
  const left: { readonly call: CallNode; readonly parent: string | undefined }[] = [
    { call: callTree(trace).root, parent: undefined },
  ]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { call, parent } = next
    lines.push(JSON.stringify({ id: idOf(call.id), parent, ...toldOf(call) }))
    for (const child of call.calls) left.push({ call: child, parent: idOf(call.id) })
  }
  return lines.sort()
}

function toldOf(call: CallNode) {
  const { service, method, edge, presence, status, callerStatus, calleeStatus, error } = call
  const { attempt, redelivered, late, inFlight, busy, host, attributes = {}, folds } = call
  const times = [call.requestMs, call.receiveMs, call.startMs, call.respondMs, call.finishMs]
  return {
    ...{ service, method, edge, presence, status, callerStatus, calleeStatus, error },
    ...{ attempt, redelivered, late, inFlight, busy, host },
    version: call.receiveMs === undefined ? undefined : call.version,
    times: times.map(micros),
    missing: folds.reduce((sum, { calls }) => sum + calls, call.missingCalls),
    // Zipkin's tags are text.
    attributes: KEPT.map((key) => String(attributes[key])),
  }
}

const KEPT = ['http.status_code', 'user.id']

function readBack(format: FormatName, parts: Iterable<string | Uint8Array>): Trace[] {
  const bytes = Buffer.concat([...parts].map((part) => Buffer.from(part)))
  assert.equal(formatOf(bytes), format)
  const reader = formatReader(format)
  const traces = [...reader.push(bytes), ...reader.end()]
  assert.deepEqual(reader.problems, [])
  return traces
}

const FORMATS = [
  ['otlp', encodeOtlp],
  ['otlp-protobuf', encodeOtlpProtobuf],
  ['jaeger', encodeJaeger],
  ['zipkin', encodeZipkin],
] as const

describe('written and read back', () => {
  for (const [format, encode] of FORMATS) {
    it(`as ${format} a tree is the same, whatever is known of its calls`, () => {
      fc.assert(
        fc.property(made, (calls) => {
          const trace = traceOf(calls)
          const read = readBack(format, encode([trace]))
          assert.equal(read.length, 1)
          assert.deepEqual(outline(read[0]!), outline(trace))
        }),
        { numRuns: 100 },
      )
    })

    it(`as ${format} several traces are several, ids that are no hexadecimal ones hashed`, () => {
      fc.assert(
        fc.property(made, made, (calls, others) => {
          const traces = [traceOf(calls), traceOf(others, OTHER)]
          const read = readBack(format, encode(traces))
          assert.equal(read.length, 2)
          assert.deepEqual(outline(read[0]!), outline(traces[0]!))
          assert.deepEqual(outline(read[1]!), outline(traces[1]!, spanId))
        }),
        { numRuns: 50 },
      )
    })

    it(`as ${format} once more, nothing changes`, () => {
      fc.assert(
        fc.property(made, (calls) => {
          const once = readBack(format, encode([traceOf(calls)]))
          const twice = readBack(format, encode(once))
          assert.deepEqual(outline(twice[0]!), outline(once[0]!))
        }),
        { numRuns: 50 },
      )
    })
  }
})
