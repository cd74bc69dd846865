import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callTree } from '../call-tree.ts'
import { entriesOf, modelTree, T0 } from '../model.test.ts'
import { CallPaths } from './call-paths.ts'
import { type Made, made, treeOf } from './made.test.ts'
import { MOST_PATHS } from './path-table.ts'

const order = (dbMs: number, extra: readonly Made[] = []): Made => ({
  ...{ service: 'gateway', method: 'GET /orders', wayMs: 0 },
  steps: [
    { workMs: 2 },
    {
      calls: [
        {
          ...{ service: 'orders', method: 'get', wayMs: 1 },
          steps: [
            { workMs: 3 },
            {
              calls: [
                {
                  ...{ service: 'orders.db', method: 'SELECT', wayMs: dbMs / 2, edge: 'down' },
                  ...{ sides: 'caller', steps: [] },
                },
              ],
            },
          ],
        },
        { service: 'users', method: 'get', wayMs: 1, steps: [{ workMs: 5 }] },
        ...extra,
      ],
    },
  ],
})

test('the tree of paths has what each path costs, its drag and its slack', () => {
  const paths = new CallPaths()
  for (let index = 1; index <= 100; index++) paths.add(treeOf(order(index)))
  const told = paths.paths.map((path) => [
    path.name,
    path.traces,
    path.presence,
    path.callsPerTrace,
  ])
  assert.deepEqual(told, [
    ['gateway GET /orders', 100, 1, 1],
    ['orders.get', 100, 1, 1],
    ['users.get', 100, 1, 1],
    ['orders.db SELECT', 100, 1, 1],
  ])
  const [, orders, users, db] = paths.paths
  assert.ok(Math.abs(db!.p50Ms - 50) < 0.6 && Math.abs(db!.p99Ms - 99) < 1)
  assert.ok(Math.abs(db!.windows.p50 - 50) < 1 && db!.windows.p99 > 97)
  assert.ok(Math.abs(orders!.wayMs / orders!.traces - 2) < 0.1)
  // The users' 7 ms are waited for where the orders take less.
  assert.ok(users!.slackMs! > 40 && users!.dragMs < 0.1)
  assert.ok(db!.dragMs > 45 && db!.dragMs < 51)
  assert.equal(
    paths.table.names(3).join(' > '),
    'gateway GET /orders > orders.get > orders.db SELECT',
  )
})

test('the critical times of all paths add up to the time of all requests', () => {
  fc.assert(
    fc.property(fc.array(modelTree, { minLength: 1, maxLength: 6 }), (roots) => {
      const paths = new CallPaths()
      let sum = 0
      for (const root of roots) {
        const tree = callTree(entriesOf(root, T0))
        paths.add(tree)
        sum += tree.totalMs
      }
      const told = paths.paths.reduce((all, { criticalMs }) => all + criticalMs, 0)
      assert.ok(Math.abs(told - sum) <= 1e-6 * Math.max(1, sum))
      assert.equal(paths.traces, roots.length)
      for (const { presence, path } of paths.paths) {
        assert.ok(presence > 0 && presence <= 1 && path.parent < path.index)
      }
    }),
  )
})

test('names and traces are bounded, and what is beyond is one path', () => {
  const paths = new CallPaths({ mostTraces: 50 })
  for (let round = 0; round < 120; round++) {
    const calls = Array.from({ length: 100 }, (_, index): Made => {
      return { service: `s${round}`, method: `m${index}`, wayMs: 1, steps: [] }
    })
    paths.add(treeOf(order(10, calls)))
  }
  assert.ok(paths.table.size <= MOST_PATHS + 2)
  const others = paths.paths.find(({ path }) => path.others)
  assert.equal(others?.name, 'other calls')
  assert.ok(paths.sample.profiles.length <= 50 && paths.sample.profiles.length > 5)
  assert.equal(paths.sample.of, 120)
})

test('a recursion without end is a path of bounded length', () => {
  const deep = fc.sample(made, 1)[0]!
  let call: Made = deep
  for (let depth = 0; depth < 600; depth++) {
    call = { service: 'again', method: 'm', wayMs: 1, steps: [{ calls: [call] }] }
  }
  const paths = new CallPaths()
  paths.add(treeOf(call))
  assert.ok(paths.table.size <= 260)
})

test('the sample is drawn from all traces alike, not from the first or the last', () => {
  const paths = new CallPaths({ mostTraces: 200 })
  for (let index = 0; index < 4_000; index++) {
    paths.add(treeOf({ service: 'a', method: 'm', wayMs: 0, steps: [{ workMs: index }] }))
  }
  const { profiles } = paths.sample
  const mean = profiles.reduce((sum, { totalMs }) => sum + totalMs, 0) / profiles.length
  // Half of 4,000; the mean of 100 or more lies within 4 of its own deviations of 115.
  assert.ok(profiles.length >= 60 && Math.abs(mean - 2_000) < 600, `${profiles.length}: ${mean}`)
})
