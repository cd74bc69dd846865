import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from './call-tree.ts'
import type { Edge, Entry } from './entry.ts'
import { encodeTrace, parseTraces } from './file.ts'
import { EDGES, OWN_EXTENSION } from './format.ts'
import { Log } from './log.ts'
import * as model from './model.test.ts'
import { readPiece } from './read.ts'
import type { CallRecord, OwnRecord } from './records.ts'

const OWNER = {
  traceId: model.TRACE,
  callId: 'ab'.repeat(8),
  ...{ service: 'products', method: 'on order_created', host: 'h', pid: 1 },
}
const OWN: OwnRecord = {
  ...{ receiveUs: 10, respondUs: 20, status: 'ok', inFlight: 1, redelivered: false, calls: 0 },
}

const piece = (own: Partial<OwnRecord>, parent: string | null = 'cd'.repeat(8)) =>
  new Log(OWNER, OWN.receiveUs).closePiece({ ...OWN, ...own }, { parent })

const received = (bytes: Uint8Array): Entry => {
  const entry = readPiece(bytes)?.entries.find(({ kind }) => kind === 'rpc-receive')
  assert.ok(entry)
  return entry
}

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits })

test('what only the callee can say of its call comes home, and through a file', () => {
  const foreign = fc.option(
    fc.tuple(hex(32), hex(16)).map(([trace, parent]) => ({ trace, parent })),
    { nil: undefined },
  )
  fc.assert(
    fc.property(
      fc.constantFrom<Edge>(...EDGES),
      fc.integer({ min: 1, max: 1_000_000 }),
      foreign,
      (edge, attempt, outsider) => {
        const trace = readPiece(piece({ edge, attempt, foreign: outsider }))!
        const call = callTree(trace).root.calls[0]!
        assert.deepEqual([call.edge, call.attempt, call.foreign], [edge, attempt, outsider])
        const { traces } = parseTraces(encodeTrace(trace))
        assert.deepEqual(traces[0]?.entries, trace.entries)
      },
    ),
  )
})

test('how busy the process was, its version and its pauses come home too', () => {
  const pauses = fc.array(
    fc.record({
      kind: fc.constantFrom('gc' as const, 'event-loop' as const),
      ...{ fromUs: fc.nat(), us: fc.nat() },
    }),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), pauses, (step, told) => {
      const own = { busy: step / 255, version: '2.1.0', pauses: told }
      const trace = readPiece(piece(own))!
      const call = callTree(trace).root.calls[0]!
      assert.deepEqual([call.busy, call.version], [step / 255, '2.1.0'])
      const kept = told.slice(0, 8).map(({ kind, fromUs, us }) => `${kind} ${fromUs} ${us}`)
      const read = (trace.pauses ?? []).map(
        ({ kind, timeMs, ms }) => `${kind} ${Math.round(timeMs * 1000)} ${Math.round(ms * 1000)}`,
      )
      // Two of one kind that begin together are one.
      assert.deepEqual(new Set(read.map(begin)), new Set(kept.map(begin)))
      assert.equal(trace.pauses?.[0]?.host, OWNER.host)
      assert.deepEqual(parseTraces(encodeTrace(trace)).traces[0], JSON.parse(JSON.stringify(trace)))
    }),
  )
})

const begin = (pause: string) => pause.slice(0, pause.lastIndexOf(' '))

test('values of arguments and results come home, and through a file', () => {
  const value = fc.record({
    of: fc.constantFrom('args' as const, 'result' as const),
    name: fc.oneof(fc.string({ maxLength: 40 }), fc.constant('__proto__')),
    text: fc.string({ unit: 'grapheme', maxLength: 40 }),
  })
  fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), (values) => {
      const trace = readPiece(piece({ values, version: '2' }))!
      const call = callTree(trace).root.calls[0]!
      const kept = values.slice(0, 16)
      // Of one name the result's counts, and of several of one side the last.
      const pairs = ['args', 'result'].flatMap((of) => kept.filter((one) => one.of === of))
      const told = Object.fromEntries(pairs.map(({ name, text }) => [name, text]))
      assert.deepEqual({ ...call.attributes }, kept.length === 0 ? {} : told)
      assert.equal(call.version, '2')
      const { traces } = parseTraces(encodeTrace(trace))
      assert.deepEqual(callTree(traces[0]!).root.calls[0]!.attributes, call.attributes)
    }),
  )
  const bytes = piece({ values: [{ of: 'args', name: 'n', text: 't' }] })
  // The extension ends in side, name and text. A side that nobody knows is passed over.
  bytes[bytes.length - 5] = 9
  assert.equal(received(bytes).attributes, undefined)
  bytes[bytes.length - 2] = 200
  assert.equal(received(bytes).kind, 'rpc-receive')
})

test('a share that is no share costs itself only, and a pause of an unknown kind too', () => {
  for (const busy of [Number.NaN, -1, 7, Number.POSITIVE_INFINITY]) {
    const told = received(piece({ busy })).busy!
    assert.ok(told >= 0 && told <= 1)
  }
  const bytes = piece({ pauses: [{ kind: 'gc', fromUs: 12, us: 3 }] })
  // The extension ends in kind, begin and length.
  bytes[bytes.length - 3] = 99
  assert.equal(readPiece(bytes)?.pauses, undefined)
  assert.equal(received(bytes).kind, 'rpc-receive')
})

test('a record that says nothing more is as long as it was before there was anything', () => {
  assert.deepEqual(piece({ edge: 'call', attempt: 1 }), piece({}))
  assert.equal(piece({ edge: 'event' }).length, piece({}).length + 2)
})

test('what a later version adds behind the known fields is skipped, and damage costs itself only', () => {
  const known = piece({ edge: 'event' })
  const bytes = [...known]
  // The extension is the last thing in this piece: its length, then its flags.
  assert.equal(bytes.at(-2), 1)
  assert.ok(bytes.some((byte) => byte === OWN_EXTENSION))
  const longer = Uint8Array.from([...bytes.slice(0, -2), 3, bytes.at(-1)!, 9, 9])
  longer[1]! += 2
  assert.equal(received(longer).edge, 'event')
  // Flags that announce an outsider's ids, without the ids.
  const broken = Uint8Array.from([...bytes.slice(0, -1), 5])
  assert.equal(received(broken).edge, undefined)
  assert.equal(readPiece(broken)?.missing.length, 0)
})

test('operations one layer down are folded apart from calls of the same name', () => {
  const log = new Log(OWNER, OWN.receiveUs)
  const record = (edge: Edge, seq: number): CallRecord => ({
    id: seq.toString(16).padStart(16, '0'),
    ...{ service: 'db', method: 'get', edge, seq, attempt: 1, status: 'ok', error: undefined },
    ...{ requestUs: 10 + seq, finishUs: 20 + seq },
  })
  for (let seq = 0; seq < 100; seq++) log.append(record(seq % 2 === 0 ? 'down' : 'call', seq))
  log.fold(200)
  const trace = readPiece(log.closePiece({ ...OWN, calls: 100 }, { parent: null }))!
  assert.deepEqual(trace.folds.map(({ edge }) => edge).sort(), ['down', undefined])
  const { traces } = parseTraces(encodeTrace(trace))
  assert.deepEqual(traces[0]?.folds, trace.folds)
  assert.deepEqual(
    callTree(trace)
      .root.folds.map(({ edge }) => edge)
      .sort(),
    ['call', 'down'],
  )
})
