import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallNode, callTree, type Trace } from '../trace/index.ts'
import { formatReader, pairParts } from './index.ts'

const START = 1_700_000_000_000_000

interface Told {
  readonly id: string
  readonly parent?: string
  readonly kind: 'CLIENT' | 'SERVER'
  readonly service: string
  readonly at: readonly [from: number, to: number]
  readonly tags?: Readonly<Record<string, string>>
}

function read(told: readonly Told[]): Trace[] {
  const records = told.map(({ id, parent, kind, service, at, tags = {} }) => ({
    ...{ traceId: 'a1', id, ...(parent && { parentId: parent }), kind, tags },
    ...{ name: `${kind.toLowerCase()} ${id}`, localEndpoint: { serviceName: service } },
    ...{ timestamp: START + at[0], duration: at[1] - at[0] },
  }))
  const reader = formatReader('zipkin')
  return [...reader.push(new TextEncoder().encode(JSON.stringify(records))), ...reader.end()]
}

const joinedOf = (parts: readonly Trace[]): Trace =>
  pairParts({ ...parts[0]!, entries: parts.flatMap(({ entries }) => entries) })

const shapeOf = (call: CallNode): unknown => {
  const { service, method, presence, status, late, from, requestMs, receiveMs, calls } = call
  return [service, method, presence, status, late, from, requestMs, receiveMs, calls.map(shapeOf)]
}

const CALLS: readonly Told[] = [
  { id: '1', kind: 'SERVER', service: 'gateway', at: [0, 900] },
  { id: '2', parent: '1', kind: 'CLIENT', service: 'gateway', at: [100, 800] },
  { id: '3', parent: '2', kind: 'SERVER', service: 'orders', at: [200, 700] },
  { id: '4', parent: '3', kind: 'CLIENT', service: 'orders', at: [300, 600] },
  { id: '5', parent: '4', kind: 'SERVER', service: 'stock', at: [400, 500] },
]

const byService = (told: readonly Told[]) =>
  [...Map.groupBy(told, ({ service }) => service).values()].flatMap(read)

test('a trace in a file a service is the same as in one file, whatever the order', () => {
  const whole = shapeOf(callTree(read(CALLS)[0]!).root)
  assert.deepEqual(shapeOf(callTree(joinedOf(byService(CALLS))).root), whole)
  assert.deepEqual(shapeOf(callTree(joinedOf(byService(CALLS).toReversed())).root), whole)
})

test('who stopped waiting, and who answered late, is told across files too', () => {
  for (const [took, tags] of [
    [300, { 'otel.status_code': 'ERROR', error: 'DeadlineExceeded' }],
    [100, { 'otel.status_code': 'ERROR', error: 'DeadlineExceeded' }],
  ] as const) {
    const told: readonly Told[] = [
      { id: '1', kind: 'SERVER', service: 'gateway', at: [0, 900] },
      { id: '2', parent: '1', kind: 'CLIENT', service: 'gateway', at: [100, 300], tags },
      { id: '3', parent: '2', kind: 'SERVER', service: 'orders', at: [150, 150 + took] },
    ]
    const whole = shapeOf(callTree(read(told)[0]!).root)
    assert.deepEqual(shapeOf(callTree(joinedOf(byService(told))).root), whole)
  }
})

test('a client with servers in two files is above both', () => {
  const other: Told = { id: '6', parent: '2', kind: 'SERVER', service: 'orders', at: [250, 650] }
  const { root } = callTree(joinedOf([...byService(CALLS), ...read([other])]))
  assert.equal(root.calls[0]?.presence, '1001')
  assert.deepEqual(
    root.calls[0].calls.map(({ presence }) => presence),
    ['0110', '0110'],
  )
})

test('a client that makes further calls stands for none of them across files either', () => {
  const told: readonly Told[] = [
    { id: '1', kind: 'CLIENT', service: 'user', at: [0, 900] },
    { id: '2', parent: '1', kind: 'CLIENT', service: 'user', at: [100, 300] },
    { id: '3', parent: '1', kind: 'SERVER', service: 'orders', at: [400, 800] },
  ]
  const whole = shapeOf(callTree(read(told)[0]!).root)
  assert.deepEqual(shapeOf(callTree(joinedOf(byService(told))).root), whole)
  assert.deepEqual(shapeOf(callTree(joinedOf(byService(told).toReversed())).root), whole)
})
