import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { trees } from '../samples/random.ts'
import { traceOf } from '../samples/spec.ts'
import * as samples from '../samples/traces.ts'
import { criticalParts, criticalSteps } from './critical-steps.ts'

test('stretches follow each other without gap or overlap, from the beginning to the answer', () => {
  fc.assert(
    fc.property(trees(20), (tree) => {
      const steps = criticalSteps(tree)
      let at = tree.root.offsetMs
      for (const { fromMs, toMs } of steps) {
        assert.ok(Math.abs(fromMs - at) < 1e-6, `${fromMs} after ${at}`)
        assert.ok(toMs > fromMs)
        at = toMs
      }
      if (steps.length > 0) assert.ok(Math.abs(at - tree.root.offsetMs - tree.totalMs) < 1e-6)
      const parts = criticalParts(steps).reduce((sum, { ms }) => sum + ms, 0)
      assert.ok(Math.abs(parts - (steps.length > 0 ? tree.totalMs : 0)) < 1e-6)
    }),
  )
})

test('a call is on its way, then at work, then on its way back', () => {
  const root = { name: 'a.run', at: 0, total: 10, handle: 6 }
  const steps = criticalSteps(callTree(traceOf(root)))
  assert.deepEqual(
    steps.map(({ leg, fromMs, toMs }) => [leg, fromMs, toMs]),
    [
      ['wait', 0, 2],
      ['work', 2, 8],
      ['wait', 8, 10],
    ],
  )
})

test('what waited in its process is told apart from work', () => {
  const { entries, ...rest } = traceOf({ name: 'a.run', at: 0, total: 10, handle: 8 })
  const receive = entries.find(({ kind }) => kind === 'rpc-receive')!
  const start = { ...receive, kind: 'rpc-start', timeMs: receive.timeMs + 3 } as const
  const steps = criticalSteps(callTree({ ...rest, entries: [...entries, start] }))
  assert.deepEqual(
    steps.map(({ leg, toMs }) => [leg, toMs]),
    [
      ['wait', 1],
      ['queue', 4],
      ['work', 9],
      ['wait', 10],
    ],
  )
})

test('of a callee without a profile nobody says that it worked; of a database everybody', () => {
  const legs = criticalSteps(callTree(samples.failing())).map(({ call, leg }) => [
    call.service,
    leg,
  ])
  assert.ok(legs.some(([service, leg]) => service === 'audit' && leg === 'unknown'))
  assert.ok(legs.some(([service, leg]) => service === 'orders.db' && leg === 'work'))
})
