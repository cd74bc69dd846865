import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTree } from 'clew/trace'
import fc from 'fast-check'
import { trees } from '../samples/random.ts'
import { traceOf } from '../samples/spec.ts'
import { criticalLayout } from './critical-layout.ts'

const close = (one: number, other: number) => Math.abs(one - other) < 1e-6

test('lanes have all of the time, and lie within the picture', () => {
  fc.assert(
    fc.property(trees(20), (tree) => {
      const { lanes, axis, width, steps } = criticalLayout(tree, 1400)
      const ms = lanes.reduce((sum, lane) => sum + lane.ms, 0)
      assert.ok(close(ms, steps.length > 0 ? tree.totalMs : 0))
      for (const { parts, legs, ms } of lanes) {
        assert.ok(close(legs.wait + legs.queue + legs.work + legs.unknown, ms))
        for (const { extent } of parts) {
          assert.ok(extent.x >= axis.x && extent.x + extent.width <= axis.x + axis.width + 1e-6)
        }
      }
      assert.ok(axis.x + axis.width < width)
    }),
  )
})

test('of a hundred methods the costliest have lanes, the others share one', () => {
  const calls = Array.from({ length: 100 }, (_, index) => ({
    ...{ name: `service_${index}.get`, at: index * 10, total: 5 + (index % 5) },
  }))
  const tree = callTree(traceOf({ name: 'portal.report', at: 0, total: 1010, calls }))
  const { lanes } = criticalLayout(tree, 1400)
  assert.equal(lanes.length, 40)
  assert.equal(lanes.filter(({ rest }) => rest).length, 1)
  assert.ok(
    close(
      lanes.reduce((sum, { ms }) => sum + ms, 0),
      1010,
    ),
  )
})
