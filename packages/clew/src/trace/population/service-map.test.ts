import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { placesOf } from '../analysis/walk.ts'
import { callTree } from '../call-tree.ts'
import type { CallTree, Entry } from '../index.ts'
import { type Made, treeOf } from './made.test.ts'
import { ServiceMap, serviceMap } from './service-map.ts'

const names = fc.constantFrom('a', 'b', 'c', '__proto__', '</script>')

type Flat = Omit<Made, 'steps'> & { readonly parent: number }

const flat = fc.record({
  service: names,
  method: fc.constantFrom('get', 'put', 'GET /x', 'SELECT 1'),
  edge: fc.constantFrom('call', 'call', 'call', 'event', 'down', 'local'),
  status: fc.constantFrom('ok', 'ok', 'error'),
  sides: fc.constantFrom('both', 'both', 'caller', 'callee'),
  wayMs: fc.nat({ max: 9 }),
  parent: fc.nat(),
}) as fc.Arbitrary<Flat>

const made = fc.array(flat, { minLength: 1, maxLength: 12 }).map((calls): Made => {
  const steps = calls.map((): { calls: Made[] } => ({ calls: [] }))
  const all = calls.map((call, index) => ({ ...call, steps: [steps[index]!] }))
  for (const [index, call] of all.entries()) {
    if (index > 0) steps[call.parent % index]!.calls.push(call)
  }
  return all[0]!
})

const someTrees = fc
  .array(made, { maxLength: 8 })
  .map((roots) => roots.map((root, index) => treeOf(root, `t${index}`)))

/** Every call is of one place, but for work within a service, which is counted beside. */
function counted(trees: readonly CallTree[]): number {
  let calls = 0
  for (const { root } of trees) for (const call of placesOf(root)) if (!call.placeholder) calls++
  return calls
}

test('the map counts every call once: in its place, in its method, and on its link', () => {
  fc.assert(
    fc.property(someTrees, (trees) => {
      const { places, links, calls, leftOut } = serviceMap(trees)
      const sum = (list: readonly { readonly calls: number }[]) =>
        list.reduce((all, one) => all + one.calls, 0)
      const local = places.reduce((all, place) => all + place.localWork, 0)
      assert.equal(leftOut, 0)
      assert.equal(sum(places) + local, counted(trees))
      assert.ok(calls <= counted(trees))
      assert.equal(sum(links), sum(places))
      for (const place of places) {
        assert.equal(sum(place.methods), place.calls)
        assert.equal(sum(links.filter(({ to }) => to === place.id)), place.calls)
      }
      for (const link of links) {
        assert.equal(sum(link.methods), link.calls)
        assert.ok(places.some(({ id }) => id === link.from))
      }
      const share = places.reduce((all, place) => all + place.criticalShare, 0)
      assert.ok(share === 0 || Math.abs(share - 1) < 1e-9)
    }),
    { numRuns: 200 },
  )
})

/** Sums of the same numbers in another order differ in the last digit. */
const rounded = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_, part) =>
      typeof part === 'number' ? Math.round(part * 1e6) / 1e6 : part,
    ),
  )

test('maps of parts are merged in any grouping to the map of the whole', () => {
  fc.assert(
    fc.property(someTrees, someTrees, someTrees, (...parts) => {
      const [a, b, c] = parts.map((trees) => {
        const map = new ServiceMap()
        for (const tree of trees) map.add(tree)
        return map
      }) as [ServiceMap, ServiceMap, ServiceMap]
      const right = new ServiceMap()
      right.merge(b)
      right.merge(c)
      const left = new ServiceMap()
      left.merge(a)
      left.merge(right)
      a.merge(b)
      a.merge(c)
      const whole = serviceMap(parts.flat())
      assert.deepEqual(rounded(left.map), rounded(whole))
      assert.deepEqual(rounded(a.map), rounded(whole))
    }),
    { numRuns: 60 },
  )
})

const T = 1_795_386_521_000
const at = (id: string, more: Partial<Entry>): Entry =>
  ({ host: 'h', pid: 1, trace: 't', id, ...more }) as Entry

test('stores, events, handlers, circles and versions are what they are', () => {
  const root = { service: 'gateway', method: 'POST /orders', parent: null }
  const create = { service: 'orders', method: 'create', parent: 'r' }
  const back = { service: 'gateway', method: 'price', parent: 'c' }
  const query = { service: 'orders.db', method: 'INSERT', parent: 'c', edge: 'down' } as const
  const publish = {
    ...{ service: 'orders', method: 'created', parent: 'c' },
    edge: 'event',
  } as const
  const handled = {
    ...{ service: 'mail', method: 'on_created', parent: 'e' },
    edge: 'event',
  } as const
  const map = serviceMap([
    callTree([
      at('r', { kind: 'rpc-receive', timeMs: T, ...root, version: '2.1' }),
      at('c', { kind: 'rpc-request', timeMs: T + 1, ...create }),
      at('c', { kind: 'rpc-receive', timeMs: T + 2, ...create, host: 'w' }),
      at('q', { kind: 'rpc-request', timeMs: T + 3, ...query }),
      at('q', { kind: 'rpc-finish', timeMs: T + 6, ...query, status: 'error', error: 'Unique' }),
      at('e', { kind: 'rpc-request', timeMs: T + 7, ...publish }),
      at('e', { kind: 'rpc-finish', timeMs: T + 8, ...publish }),
      at('m', { kind: 'rpc-receive', timeMs: T + 9, ...handled }),
      at('m', { kind: 'rpc-respond', timeMs: T + 12, ...handled }),
      at('b', { kind: 'rpc-request', timeMs: T + 9, ...back }),
      at('b', { kind: 'rpc-finish', timeMs: T + 10, ...back }),
      at('c', { kind: 'rpc-respond', timeMs: T + 13, ...create, host: 'w' }),
      at('c', { kind: 'rpc-finish', timeMs: T + 14, ...create }),
      at('r', { kind: 'rpc-respond', timeMs: T + 15, ...root }),
    ]),
  ])
  assert.deepEqual(
    map.links.map(({ from, to, kind, calls, failed }) => [from, to, kind, calls, failed]),
    [
      ['event:created', 'service:mail', 'event', 1, 0],
      ['outside:outside', 'service:gateway', 'call', 1, 0],
      ['service:gateway', 'service:orders', 'call', 1, 0],
      ['service:orders', 'db:orders.db', 'down', 1, 1],
      ['service:orders', 'event:created', 'event', 1, 0],
      ['service:orders', 'service:gateway', 'call', 1, 0],
    ],
  )
  assert.deepEqual(map.cycles, [['service:gateway', 'service:orders']])
  const gateway = map.places.find(({ id }) => id === 'service:gateway')
  assert.deepEqual(gateway?.versions, ['2.1'])
  assert.deepEqual(
    gateway?.methods.map(({ method, kind, requests }) => [method, kind, requests]),
    [
      ['POST /orders', 'http', 1],
      ['price', 'rpc', 0],
    ],
  )
  const mail = map.places.find(({ id }) => id === 'service:mail')
  assert.equal(mail?.methods[0]?.kind, 'event')
})

test('time on the way is the caller of a record of its own; who only calls is a place', () => {
  const name = { service: 'stock', method: 'get', parent: null }
  const from = { service: 'shop', method: 'HTTP GET' }
  const map = serviceMap([
    callTree([
      at('r', { kind: 'rpc-request', timeMs: T, ...name, from, host: 'c' }),
      at('r', { kind: 'rpc-receive', timeMs: T + 3, ...name }),
      at('r', { kind: 'rpc-respond', timeMs: T + 8, ...name }),
      at('r', { kind: 'rpc-finish', timeMs: T + 10, ...name, host: 'c' }),
    ]),
  ])
  assert.deepEqual(
    map.places.map(({ id, calls, criticalShare }) => [id, calls, criticalShare]),
    [
      ['service:shop', 0, 0.5],
      ['service:stock', 1, 0.5],
    ],
  )
  assert.deepEqual(
    map.links.map(({ from: caller, to, methods }) => [caller, to, methods[0]?.from]),
    [['service:shop', 'service:stock', 'HTTP GET']],
  )
})

test('a store of which only its callers kept records takes its time all the same', () => {
  const query = { service: 'shop.db', method: 'SELECT 1', edge: 'down' as const, parent: null }
  const from = { service: 'shop', method: 'SELECT 1' }
  const { places } = serviceMap([
    callTree([
      at('r', { kind: 'rpc-request', timeMs: T, ...query, from, host: 'c' }),
      at('r', { kind: 'rpc-finish', timeMs: T + 10, ...query, host: 'c' }),
    ]),
  ])
  assert.deepEqual(
    places.filter(({ criticalShare }) => criticalShare > 0).map(({ name }) => name),
    ['shop.db'],
  )
})

test('versions stand side by side, and the wait for a worker is told', () => {
  const root = { service: 'a', method: 'get', parent: null }
  const one = (version: string, took: number, queued: number) =>
    callTree([
      at(version, { kind: 'rpc-receive', timeMs: T, ...root, version, trace: version }),
      at(version, { kind: 'rpc-start', timeMs: T + queued, ...root, version, trace: version }),
      at(version, { kind: 'rpc-respond', timeMs: T + took, ...root, version, trace: version }),
    ])
  const [place] = serviceMap([one('1', 10, 2), one('2', 20, 4)]).places.filter(
    ({ kind }) => kind === 'service',
  )
  assert.deepEqual(
    place?.byVersion.map(({ version, calls, p50Ms }) => [version, calls, Math.round(p50Ms!)]),
    [
      ['1', 1, 10],
      ['2', 1, 20],
    ],
  )
  assert.deepEqual([serviceMap([one('1', 10, 2)]).places[1]?.byVersion], [[]])
  assert.ok(Math.abs(place!.queueMs! - 2) < 0.1 || Math.abs(place!.queueMs! - 4) < 0.1)
})

test('any number of names takes bounded memory, and what is left out is counted', () => {
  const map = new ServiceMap()
  for (let index = 0; index < 3_000; index++) {
    map.add(treeOf({ service: `s${index}`, method: 'run', wayMs: 1, steps: [] }))
  }
  const { places, leftOut, traces } = map.map
  assert.equal(traces, 3_000)
  assert.ok(places.length <= 2_000)
  assert.equal(leftOut + places.reduce((sum, { calls }) => sum + calls, 0), 3_000)
})

test('a trace of any depth is mapped', () => {
  const entries: Entry[] = []
  for (let index = 0; index < 100_000; index++) {
    const parent = index === 0 ? null : `c${index - 1}`
    const name = { id: `c${index}`, service: `s${index % 3}`, method: 'go', parent, host: 'h' }
    entries.push({ ...name, kind: 'rpc-receive', timeMs: T + index })
  }
  const { calls, cycles } = serviceMap([callTree(entries)])
  assert.equal(calls, 100_000)
  assert.deepEqual(cycles, [['service:s0', 'service:s1', 'service:s2']])
})
