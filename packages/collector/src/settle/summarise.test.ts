import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Entry, encodeTrace, type Trace } from 'clew/trace'
import { encodePacket } from 'clew/trace/blocks'
import { summarise } from './summarise.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

type Part = Omit<Entry, 'host' | 'trace'> & { readonly host?: string }

function packetOf(parts: readonly Part[], more: Partial<Trace> = {}): Uint8Array {
  const entries = parts.map((part): Entry => ({ host: 'vm-1', trace: TRACE, ...part }))
  const trace: Trace = {
    ...{ id: TRACE, entries, folds: [], missing: [], relays: [], complete: true },
    ...more,
  }
  const lines = new TextEncoder().encode(encodeTrace(trace))
  const lineCalls = new Set(entries.map(({ id }) => id)).size
  return encodePacket({ traceId: TRACE, pieces: [], lines, lineCalls, ended: true })
}

const root = { service: 'gateway', method: 'checkout', id: '00000000000000a1' }
const pay = { service: 'payments', method: 'charge', id: '00000000000000a2' }

const request = packetOf([
  { kind: 'rpc-request', timeMs: 1000, parent: null, ...root },
  { kind: 'rpc-receive', timeMs: 1001, inFlight: 3, ...root },
  { kind: 'rpc-request', timeMs: 1002, parent: root.id, ...pay },
])
const rest = packetOf([
  { kind: 'rpc-receive', timeMs: 1003, host: 'vm-2', ...pay },
  { kind: 'rpc-respond', timeMs: 1008, host: 'vm-2', status: 'error', error: 'Declined', ...pay },
  { kind: 'rpc-finish', timeMs: 1009, status: 'error', error: 'Declined', ...pay },
  { kind: 'rpc-respond', timeMs: 1010, status: 'error', error: 'Declined', calls: 1, ...root },
  { kind: 'rpc-finish', timeMs: 1011, status: 'error', error: 'Declined', ...root },
])

const summaryOf = (packets: readonly Uint8Array[]) =>
  summarise({ tenant: 'default', traceId: TRACE, packets, replaces: false })

test('a summary tells what failed, where the time went, and who called whom', () => {
  const { row, calls, parts } = summaryOf([request, rest])
  assert.deepEqual(
    [row.service, row.method, row.status, row.error, row.startUs, row.totalUs],
    ['gateway', 'checkout', 'error', 'Declined', 1_000_000, 11_000],
  )
  assert.deepEqual([row.calls, row.services, row.depth, row.complete], [2, 2, 2, true])
  assert.deepEqual([row.failedService, row.failedMethod], ['payments', 'charge'])
  assert.deepEqual([row.bottleneckService, row.bottleneckMethod], ['payments', 'charge'])
  const [first, second] = calls
  assert.deepEqual([first?.callerService, first?.inFlight, first?.selfUs], ['', 3, 2_000])
  assert.deepEqual(
    [second?.callerService, second?.callerMethod, second?.host, second?.totalUs, second?.origin],
    ['gateway', 'checkout', 'vm-2', 7_000, true],
  )
  const critical = calls.reduce((sum, { criticalUs }) => sum + criticalUs, 0)
  assert.equal(critical, row.totalUs)
  assert.equal(
    parts.reduce((sum, { us }) => sum + us, 0),
    row.totalUs,
  )
})

test('packets in any order, and twice, have the same summary', () => {
  const { row, calls } = summaryOf([request, rest])
  const again = summaryOf([rest, request, rest])
  assert.deepEqual(again.row, row)
  assert.deepEqual(again.calls, calls)
})

test('what cannot be read is told as missing', () => {
  const { row, calls } = summaryOf([request.slice(0, 30), Uint8Array.of(1, 2, 3)])
  assert.equal(calls.length, 0)
  assert.equal(row.complete, false)
  assert.ok(row.missingCalls > 0)
})

test('texts are bounded, and names that objects have are harmless', () => {
  const method = 'x'.repeat(1_000)
  const attributes = { constructor: 'a', toString: 'b'.repeat(1_000) }
  const packet = packetOf(
    [
      { kind: 'rpc-receive', timeMs: 1, ...root, method, attributes },
      { kind: 'rpc-respond', timeMs: 2, ...root, method },
    ],
    { source: 'otlp' },
  )
  const [call] = summaryOf([packet]).calls
  assert.equal(call?.method.length, 256)
  assert.deepEqual(Object.keys(call!.attributes).sort(), ['constructor', 'toString'])
  assert.equal(call!.attributes.toString?.length, 256)
})
