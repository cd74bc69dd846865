import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareTraces } from './compare-traces.ts'
import { type Made, made, treeOf } from './made.test.ts'

test('the differences of all calls add up to that of the traces, and every call is in one of them', () => {
  fc.assert(
    fc.property(made, made, (a, b) => {
      const [before, after] = [treeOf(a), treeOf(b)]
      const found = compareTraces(before, after)
      const sum = found.calls.reduce((all, { deltaMs }) => all + deltaMs, 0)
      assert.ok(Math.abs(sum - found.deltaMs) < 0.01)
      assert.equal(found.aligned + found.removed, before.calls)
      assert.equal(found.aligned + found.added, after.calls)
      const same = compareTraces(before, before)
      assert.deepEqual([same.aligned, same.calls.length, same.deltaMs], [before.calls, 0, 0])
      assert.equal(same.sentences[0], 'before and after took as long.')
    }),
  )
})

const call = (service: string, workMs: number): Made => {
  return { service, method: 'get', wayMs: 0, steps: [{ workMs }] }
}
const root = (calls: readonly Made[]): Made => ({
  ...{ service: 'root', method: 'm', wayMs: 0 },
  steps: calls.map((each) => ({ calls: [each] })),
})

test('a call that was added between others does not shift them', () => {
  const before = treeOf(root([call('a', 5), call('b', 5), call('c', 5)]))
  const after = treeOf(root([call('a', 5), call('x', 30), call('b', 9), call('c', 5)]))
  const found = compareTraces(before, after)
  assert.deepEqual(
    found.calls.map(({ what, names, deltaMs }) => [what, names.at(-1), Math.round(deltaMs)]),
    [
      ['added', 'x.get', 30],
      ['retimed', 'b.get', 4],
    ],
  )
  assert.deepEqual(found.sentences, [
    'after took 34.0 ms (227 %) longer; 30.0 ms of it in root.m → x.get, which was added.',
    'Calls: 1 added, 0 removed.',
  ])
})

test('many siblings in another order are aligned in bounded time', () => {
  const many = Array.from({ length: 2_000 }, (_, index) => call(`s${index % 700}`, 1))
  const found = compareTraces(treeOf(root(many)), treeOf(root(many.toReversed())))
  assert.deepEqual([found.aligned, found.added, found.removed], [2_001, 0, 0])
})

/** Length of the longest common subsequence, by trying everything. */
function longestOf(a: readonly string[], b: readonly string[]): number {
  const [first, ...rest] = a
  if (first === undefined) return 0
  const at = b.indexOf(first)
  const without = longestOf(rest, b)
  return at < 0 ? without : Math.max(without, 1 + longestOf(rest, b.slice(at + 1)))
}

test('as many siblings as possible are aligned', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 })
  fc.assert(
    fc.property(names, names, (a, b) => {
      const [before, after] = [a, b].map((list) => treeOf(root(list.map((name) => call(name, 1)))))
      assert.equal(compareTraces(before!, after!).aligned, 1 + longestOf(a, b))
    }),
    { numRuns: 300 },
  )
})
