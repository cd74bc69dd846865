import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallTree, callTree } from 'clew/trace'
import { traceOf } from '../samples/spec.ts'
import { renderSvg } from '../svg.ts'
import { renderText } from '../text.ts'
import { legsText, uncertainParts } from './legs.ts'

/** A call of 100 ms, 40 of them work, of which the clocks know the place only up to an error. */
function treeWith(legErrorMs: number | undefined): CallTree {
  const tree = callTree(traceOf({ name: 'a.run', at: 0, total: 100, handle: 40 }))
  const legs = legErrorMs === undefined ? {} : { requestLegMs: 30, replyLegMs: 30, legErrorMs }
  return { ...tree, root: { ...tree.root, ...legs } }
}

test('work begins and ends within the bound of the clocks, and within its call', () => {
  assert.deepEqual(uncertainParts(treeWith(5).root), [
    [25, 35],
    [65, 75],
  ])
  assert.deepEqual(uncertainParts(treeWith(50).root), [
    [0, 80],
    [20, 100],
  ])
  for (const known of [0, Number.NaN]) assert.deepEqual(uncertainParts(treeWith(known).root), [])
})

test('the waterfall hatches what is not certain, says how much, and its legend explains it', () => {
  const unsure = renderSvg(treeWith(5), { view: 'waterfall' })
  assert.equal(unsure.match(/url\(#clew-unsure\)/g)?.length, 4)
  assert.match(unsure, /30\.0 ms to it, 30\.0 ms back, each ± 5\.00 ms/)
  assert.match(unsure, /± the bound of the clocks/)
  assert.doesNotMatch(renderSvg(treeWith(0.01), { view: 'waterfall' }), /url\(#clew-unsure\)/)
  const callOnly = callTree(traceOf({ name: 'a.run', at: 0, total: 9, presence: '1001' })).root
  assert.deepEqual([uncertainParts(callOnly), legsText(callOnly)], [[], ''])
})

test('the critical path says ± where it could change what to look at first', () => {
  const text = (ms: number, unicode = true) =>
    renderText(treeWith(ms), { view: 'critical-path', unicode })
  assert.match(text(5), /work of a\.run on host-0 \(± 5\.00 ms between its legs\)/)
  assert.match(text(5, false), /\(\+- 5\.00 ms between its legs\)/)
  assert.doesNotMatch(text(1), /±/)
})
