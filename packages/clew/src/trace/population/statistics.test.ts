import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stragglers } from '../analysis/stragglers.ts'
import { Baselines } from './baselines.ts'
import { seeded } from './chance.ts'
import { type Made, treeOf } from './made.test.ts'
import { Statistics } from './statistics.ts'

const call = (lot: () => number, host: string, slower = 1): Made => ({
  ...{ service: 'orders', method: 'get', wayMs: 0.5, host },
  steps: [{ workMs: (8 + 4 * lot()) * slower }],
  ...(lot() < 0.1 && { status: 'error' as const }),
})

const request = (calls: readonly Made[]): Made => ({
  ...{ service: 'gateway', method: 'GET /', wayMs: 0, host: 'front' },
  steps: calls.map((each) => ({ calls: [each] })),
})

function filled(slower: (host: number) => number, seed: number): Statistics {
  const [lot, statistics] = [seeded(seed), new Statistics()]
  for (let index = 0; index < 200; index++) {
    const host = index % 5
    statistics.add(treeOf(request([call(lot, `h${host}`, slower(host))])))
  }
  return statistics
}

/** Five equal instances whose calls take times that are far apart. */
function noisy(seed: number): Statistics {
  const [lot, statistics] = [seeded(seed), new Statistics()]
  for (let index = 0; index < 200; index++) {
    const slower = Math.exp(3 * lot())
    statistics.add(treeOf(request([call(lot, `h${index % 5}`, slower)])))
  }
  return statistics
}

test('every method and every instance has its counts, failures and times', () => {
  const statistics = filled(() => 1, 1)
  const [gateway, orders] = statistics.methods
  assert.deepEqual([gateway?.count, orders?.count], [200, 200])
  assert.equal(orders!.errors.get('error'), orders!.failed)
  assert.ok(orders!.failed > 5 && orders!.failed < 40)
  const { total, handle, network } = orders!.times
  assert.ok(Math.abs(total.quantile(0.5) - handle.quantile(0.5) - 1) < 0.3)
  assert.ok(Math.abs(network.mean - 1) < 0.01)
  assert.equal(statistics.instances.length, 6)
})

test('a slow instance is found, with its ratio and the leg; among equals there is none', (t) => {
  const [slow, ...others] = filled((host) => (host === 3 ? 1.8 : 1), 2).slowInstances
  assert.deepEqual(others, [])
  assert.deepEqual([slow?.instance, slow?.leg, slow?.method], ['h3:2', 'self', 'get'])
  assert.ok(slow!.ratios.low < 1.8 && slow!.ratios.high > 1.6 && slow!.ratio > 1.5)
  let alarms = 0
  for (let round = 0; round < 200; round++) {
    if (noisy(100 + round).slowInstances.length > 0) alarms++
  }
  t.diagnostic(`${alarms} false alarms in 200 populations`)
  assert.ok(alarms <= 10)
})

test('names are bounded, and what is beyond is counted', () => {
  const statistics = new Statistics()
  for (let round = 0; round < 30; round++) {
    const calls = Array.from({ length: 100 }, (_, index): Made => {
      return { service: `s${round}`, method: `m${index}`, wayMs: 0, steps: [] }
    })
    statistics.add(treeOf(request(calls)))
  }
  assert.equal(statistics.methods.length, 2_000)
  assert.ok(statistics.passedOver >= 1_000)
})

test('a single slow call is a straggler where many traces tell how long such calls take', () => {
  const [lot, baselines] = [seeded(5), new Baselines()]
  for (let index = 0; index < 50; index++) baselines.add(treeOf(request([call(lot, 'h')])))
  const slow = treeOf(request([call(lot, 'h', 20)]))
  assert.deepEqual(stragglers(slow), [])
  const [found] = stragglers(slow, undefined, { baseline: baselines.of })
  assert.deepEqual([found?.against, found?.call.method], ['baseline', 'get'])
})
