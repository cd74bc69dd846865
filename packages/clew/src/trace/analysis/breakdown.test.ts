import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from '../call-tree.ts'
import type { Edge, Entry } from '../entry.ts'
import * as model from '../model.test.ts'
import { Breakdown, breakdown, breakdownRows } from './index.ts'
import { layerOfOperation } from './layer.ts'

const T = 1_795_386_521_000

interface Told {
  readonly service: string
  readonly method?: string
  readonly parent?: string
  readonly edge?: Edge
  /** request, receive, start, respond, finish in milliseconds; undefined where there is no entry. */
  readonly at: readonly (number | undefined)[]
}

const KINDS = ['rpc-request', 'rpc-receive', 'rpc-start', 'rpc-respond', 'rpc-finish'] as const

function tree(calls: Record<string, Told>) {
  const entries = Object.entries(calls).flatMap(([id, told]) =>
    told.at.flatMap((ms, moment): Entry[] => {
      if (ms === undefined) return []
      const { service, method = 'm', edge = 'call', parent = null } = told
      const name = { service, method, id, parent, edge, host: 'h', pid: 1 }
      return [{ kind: KINDS[moment]!, timeMs: T + ms, ...name }]
    }),
  )
  return callTree(entries)
}

const none = undefined

/** An HTTP request that asks two services, one of which asks its cache, and publishes. */
const REQUEST: Record<string, Told> = {
  root: { service: 'gateway', method: 'POST /orders', at: [none, 0, none, 100, none] },
  list: { service: 'products', method: 'list', parent: 'root', at: [10, 12, 15, 28, 30] },
  keys: {
    service: 'products.cache',
    method: 'KEYS products:*',
    parent: 'list',
    edge: 'down',
    at: [16, none, none, none, 21],
  },
  create: { service: 'orders', method: 'create', parent: 'root', at: [40, 45, none, 85, 90] },
  begin: {
    service: 'orders.db',
    method: 'BEGIN',
    parent: 'create',
    edge: 'down',
    at: [50, none, none, none, 60],
  },
  insert: {
    service: 'orders.db',
    method: 'INSERT INTO orders',
    parent: 'create',
    edge: 'down',
    at: [60, none, none, none, 75],
  },
  event: {
    service: 'orders.events',
    method: 'order_created',
    parent: 'create',
    edge: 'event',
    at: [76, none, none, none, 80],
  },
  handler: {
    service: 'products',
    method: 'on order_created',
    parent: 'event',
    edge: 'event',
    at: [none, 79, none, 180, none],
  },
  mail: { service: 'python', method: 'send', parent: 'root', at: [91, none, none, none, 95] },
}

test('each moment of a request goes to the layer that the answer waited for then', () => {
  const [request] = breakdown([tree(REQUEST)])
  assert.deepEqual(
    [request?.request, request?.requests, request?.p99Ms],
    ['gateway POST /orders', 1, 100],
  )
  const parts = request!.parts.map(({ service, layer, p50Ms }) => [service, layer, p50Ms])
  assert.deepEqual(parts.sort(), [
    // 0 to 10, 30 to 40, 90 to 91, 95 to 100
    ['gateway', 'self', 26],
    // 45 to 50, 75 to 76, 80 to 85
    ['orders', 'db', 25],
    // There and back 5 each, and 4 until the broker had the event.
    ['orders', 'queue', 14],
    ['orders', 'self', 11],
    ['products', 'cache', 5],
    // There and back 2 each, and 3 until a worker was free.
    ['products', 'queue', 7],
    // 15 to 16, 21 to 28
    ['products', 'self', 8],
    ['python', 'rpc', 4],
  ])
})

test('percentiles are over all requests of a kind, shares over all their time', () => {
  const request = (ms: number, asked: boolean) =>
    tree({
      root: { service: 'a', at: [none, 0, none, ms, none] },
      ...(asked
        ? {
            sub: {
              service: 'a.db',
              method: 'SELECT',
              parent: 'root',
              edge: 'down',
              at: [0, none, none, none, 10],
            },
          }
        : {}),
    })
  const trees = [20, 30, 40, 50].map((ms, index) => request(ms, index === 3))
  const [kind] = breakdown(trees)
  assert.deepEqual([kind?.p50Ms, kind?.p99Ms, kind?.requests], [30, 50, 4])
  assert.deepEqual(kind?.parts, [
    { service: 'a', layer: 'self', p50Ms: 30, p99Ms: 40, share: 130 / 140 },
    { service: 'a', layer: 'db', p50Ms: 0, p99Ms: 10, share: 10 / 140 },
  ])
  assert.deepEqual(breakdownRows([kind!])[1], {
    request: 'a.m',
    ...{ service: 'a', layer: 'db', p50Ms: 0, p99Ms: 10, share: 10 / 140 },
  })
})

test('the parts of every request add up to its time, whatever the tree', () => {
  fc.assert(
    fc.property(fc.array(model.modelTree, { minLength: 1, maxLength: 4 }), (roots) => {
      const trees = roots.map((root) => callTree(model.entriesOf(root, model.T0)))
      for (const { parts, request } of breakdown(trees)) {
        const sum = parts.reduce((total, { share }) => total + share, 0)
        assert.ok(Math.abs(sum - 1) < 1e-9, `${request}: ${sum}`)
        for (const { p50Ms, p99Ms } of parts) assert.ok(p50Ms >= 0 && p50Ms <= p99Ms)
      }
      for (const one of trees) {
        for (const { parts, p50Ms } of breakdown([one])) {
          const sum = parts.reduce((total, part) => total + part.p50Ms, 0)
          assert.ok(Math.abs(sum - one.totalMs) < 1e-6)
          assert.equal(p50Ms, one.totalMs)
        }
      }
    }),
  )
})

test('merged operations are taken from the time in which their caller seemed to work', () => {
  const { root, ...rest } = tree({ root: { service: 'a', at: [none, 0, none, 50, none] } })
  const merged = { count: 9, calls: 9, minMs: 1, medianMs: 2, maxMs: 4, offsetMs: 5 }
  const folds = [
    { service: 'a.db', method: 'SELECT', edge: 'down' as const, ...merged, sumMs: 20 },
    { service: 'b', method: 'get', edge: 'call' as const, ...merged, sumMs: 100 },
  ]
  const [kind] = breakdown([{ ...rest, root: { ...root, folds } }])
  assert.deepEqual(
    kind?.parts.map(({ service, layer, p50Ms }) => [service, layer, p50Ms]),
    [
      ['b', 'rpc', 30],
      ['a', 'db', 20],
    ],
  )
})

test('an operation is a cache where it is a command of Redis, else a database', () => {
  const cache = [
    'HGETALL products:*',
    'GET *',
    'SET session:* *',
    'MULTI HINCRBY products:*',
    'KEYS products:*',
    'PIPELINE GET a',
  ]
  const db = [
    'SELECT * FROM orders',
    'select 1',
    'INSERT INTO a VALUES (?)',
    'BEGIN',
    'COMMIT',
    'WITH a AS (SELECT 1) SELECT 1',
    'SET LOCAL statement_timeout = ?',
    'SET search_path TO a',
    'find orders',
    '',
  ]
  for (const statement of cache) assert.equal(layerOfOperation(statement), 'cache', statement)
  for (const statement of db) assert.equal(layerOfOperation(statement), 'db', statement)
})

test('what is no request is passed over and counted, and so is what would not end', () => {
  const sums = new Breakdown()
  sums.add(callTree([]))
  sums.add(tree({ open: { service: 'a', at: [0, none, none, none, none] } }))
  assert.deepEqual([sums.requests, sums.passedOver], [[], 2])
  for (let kind = 0; kind < 1_005; kind++) {
    sums.add(tree({ r: { service: 'a', method: `m${kind}`, at: [none, 0, none, 1, none] } }))
  }
  assert.deepEqual([sums.requests.length, sums.passedOver], [1_000, 7])
  const wide = new Breakdown()
  for (let from = 0; from < 1_200; from += 300) {
    const calls = Object.fromEntries(
      Array.from({ length: 300 }, (_, n): [string, Told] => [
        `c${n}`,
        { service: `s${from + n}`, parent: 'r', at: [n, none, none, none, n + 1] },
      ]),
    )
    wide.add(tree({ r: { service: 'a', at: [none, 0, none, 300, none] }, ...calls }))
  }
  const [kind] = wide.requests
  assert.ok(kind!.parts.length <= 1_001)
  const others = kind!.parts.find(({ service }) => service === 'other services')
  assert.deepEqual([others?.p50Ms, others?.p99Ms], [0, 200])
})
