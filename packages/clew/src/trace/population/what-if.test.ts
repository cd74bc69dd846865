import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { placesOf } from '../analysis/walk.ts'
import { callTree } from '../call-tree.ts'
import { entriesOf, modelTree, T0 } from '../model.test.ts'
import { changed, type Made, made, scaled, treeOf } from './made.test.ts'
import { retimed } from './retime.ts'
import { leeways } from './siblings.ts'
import { whatIf } from './what-if.ts'

const FACTORS = [0, 0.25, 0.5, 1, 2, 10]

test('a re-timed trace is what the same steps would have taken', () => {
  fc.assert(
    fc.property(made, fc.constantFrom(...FACTORS), (root, factor) => {
      const faster = changed(root, (call) => (call.service === 'b' ? scaled(call, factor) : call))
      const told = retimed(treeOf(root), { service: 'b', factor })
      assert.ok(Math.abs(told - treeOf(faster).totalMs) < 1e-3, `${told}`)
      const nearer = changed(root, (call) =>
        call.service === 'b' ? { ...call, wayMs: call.wayMs * factor } : call,
      )
      const way = retimed(treeOf(root), { service: 'b', leg: 'way', factor })
      assert.ok(Math.abs(way - treeOf(nearer).totalMs) < 1e-3, `${way}`)
    }),
    { numRuns: 300 },
  )
})

test('any tree at all: factor 1 changes nothing, more is never less, the rest remains', () => {
  fc.assert(
    fc.property(modelTree, (root) => {
      const tree = callTree(entriesOf(root, T0))
      for (const { service } of placesOf(tree.root)) {
        assert.equal(retimed(tree, { service, factor: 1 }), tree.totalMs)
        let before = 0
        for (const factor of FACTORS) {
          const now = retimed(tree, { service, factor })
          assert.ok(now >= before - 1e-6)
          before = now
        }
      }
      const none = retimed(tree, { factor: 0 })
      assert.ok(none >= 0 && none <= tree.totalMs + 1e-6)
    }),
  )
})

test('drag is what the root gains where a call takes no time, slack what it could take more', () => {
  fc.assert(
    fc.property(made, (root) => {
      const tree = treeOf(root)
      const found = leeways(tree.root)
      const calls = [...placesOf(tree.root)]
      assert.equal(found.size, calls.length)
      for (const call of calls) {
        const { dragMs, slackMs } = found.get(call)!
        assert.ok(dragMs >= 0 && slackMs >= -1e-9 && dragMs <= call.totalMs! + 1e-9)
        assert.ok(dragMs < 1e-9 || slackMs < 1e-9)
      }
    }),
  )
  const call = (service: string, workMs: number): Made => {
    return { service, method: 'get', wayMs: 1, steps: [{ workMs }] }
  }
  const fan: Made = {
    ...{ service: 'root', method: 'm', wayMs: 0 },
    steps: [{ calls: [call('fast', 8), call('slow', 48)] }, { calls: [call('last', 18)] }],
  }
  const tree = treeOf(fan)
  const told = tree.root.calls.map((each) => [each.service, leeways(tree.root).get(each)])
  assert.deepEqual(told, [
    ['fast', { dragMs: 0, slackMs: 40 }],
    ['slow', { dragMs: 40, slackMs: 0 }],
    ['last', { dragMs: 20, slackMs: 0 }],
  ])
})

test('what-if tells before, after and how sure that is', () => {
  const trees = Array.from({ length: 400 }, (_, index) =>
    treeOf({
      ...{ service: 'a', method: 'get', wayMs: 1 },
      steps: [
        {
          calls: [
            { service: 'b', method: 'find', wayMs: 1, steps: [{ workMs: 20 + (index % 10) }] },
          ],
        },
      ],
    }),
  )
  const { traces, concerned, p50, mean } = whatIf(trees, { service: 'b', factor: 0.5 })
  assert.deepEqual([traces, concerned], [400, 400])
  assert.ok(Math.abs(mean.beforeMs - 28.5) < 0.01 && Math.abs(mean.afterMs - 16.25) < 0.01)
  assert.ok(p50.savedMs.low <= 12.25 && p50.savedMs.high >= 12 && p50.savedMs.low > 11)
  assert.equal(whatIf(trees, { service: 'nobody', factor: 0 }).concerned, 0)
})

test('neither depth nor width is a limit', () => {
  const entries = []
  for (let depth = 0; depth < 200_000; depth++) {
    const name = { service: 's', method: 'm', id: `${depth}`, host: 'h' }
    const parent = depth === 0 ? null : `${depth - 1}`
    entries.push({ ...name, parent, kind: 'rpc-receive' as const, timeMs: depth / 1000 })
    entries.push({ ...name, kind: 'rpc-respond' as const, timeMs: 500 - depth / 1000 })
  }
  const tree = callTree(entries)
  assert.ok(retimed(tree, { service: 's', factor: 0.5 }) <= tree.totalMs)
  assert.equal(leeways(tree.root).size, 200_000)
})
