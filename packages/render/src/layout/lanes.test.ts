import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lanesOf } from './lanes.ts'

const blocks = fc.array(
  fc.record({
    from: fc.integer({ min: 0, max: 60 }),
    length: fc.integer({ min: 0, max: 30 }),
    parent: fc.nat(),
  }),
  { minLength: 1, maxLength: 40 },
)

function laid(all: readonly { from: number; length: number; parent: number }[]) {
  const parents = all.map(({ parent }, index) => (index === 0 ? -1 : parent % index))
  const lanes = lanesOf({
    count: all.length,
    fromOf: (index) => all[index]!.from,
    toOf: (index) => all[index]!.from + all[index]!.length,
    parentOf: (index) => parents[index]!,
  })
  return { ...lanes, parents }
}

test('nothing covers anything, and callees are below their callers', () => {
  fc.assert(
    fc.property(blocks, (all) => {
      const { lane, count, parents } = laid(all)
      assert.equal(count, lane.reduce((most, each) => Math.max(most, each), 0) + 1)
      for (const [index, one] of all.entries()) {
        if (parents[index]! >= 0) assert.ok(lane[index]! > lane[parents[index]!]!)
        for (let other = 0; other < index; other++) {
          if (lane[other] !== lane[index]) continue
          const { from, length } = all[other]!
          assert.ok(one.from >= from + length || one.from + one.length <= from)
        }
      }
    }),
  )
})

test('no lane is left out that was free when a block began', () => {
  const { lane } = laid([
    { from: 0, length: 100, parent: 0 },
    { from: 10, length: 20, parent: 0 },
    { from: 15, length: 20, parent: 0 },
    { from: 40, length: 20, parent: 0 },
  ])
  assert.deepEqual([...lane], [0, 1, 2, 1])
  // Free from the very moment on in which another ends.
  const next = laid([
    { from: 0, length: 100, parent: 0 },
    { from: 10, length: 30, parent: 0 },
    { from: 10, length: 10, parent: 0 },
    { from: 20, length: 5, parent: 0 },
  ])
  assert.deepEqual([...next.lane], [0, 1, 2, 2])
})

test('a hundred thousand blocks at once, and as many below each other, are laid out', () => {
  const count = 100_000
  const wide = lanesOf({ count, fromOf: () => 0, toOf: () => 1, parentOf: () => -1 })
  assert.equal(wide.count, count)
  const deep = lanesOf({ count, fromOf: () => 0, toOf: () => 1, parentOf: (index) => index - 1 })
  assert.equal(deep.lane[count - 1], count - 1)
})

test('times that are none are laid out all the same', () => {
  const of = () => Number.NaN
  assert.equal(lanesOf({ count: 3, fromOf: of, toOf: of, parentOf: () => -1 }).lane.length, 3)
})
