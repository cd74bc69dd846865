import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SKETCH_ERROR, Sketch, type SketchJson } from './sketch.ts'

const value = fc.oneof(
  fc.double({ min: 0, max: 5_000, noNaN: true }),
  fc.integer({ min: -12, max: 11 }).map((power) => 3.7 * 10 ** power),
  fc.constantFrom(0, 1, 1e-9, 1e-7, 250),
)
const values = fc.oneof(fc.array(value, { maxLength: 40 }), fc.array(value, { maxLength: 400 }))
const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

function sketchOf(list: readonly number[]): Sketch {
  const sketch = new Sketch()
  for (const one of list) sketch.add(one)
  return sketch
}

const told = (sketch: Sketch) => SHARES.map((share) => sketch.quantile(share))

test('every quantile is within the stated error of the true one, by nearest rank', () => {
  fc.assert(
    fc.property(values, (list) => {
      const sketch = sketchOf(list)
      const sorted = list.toSorted((a, b) => a - b)
      for (const share of SHARES) {
        const rank = Math.max(1, Math.ceil(share * list.length - 1e-9))
        const exact = sorted[rank - 1] ?? 0
        const error = Math.abs(sketch.quantile(share) - exact)
        const allowed = list.length <= 32 ? 0 : Math.max(1e-7, exact * SKETCH_ERROR * 1.0001)
        assert.ok(error <= allowed, `${share} of ${list.length}: ${error} > ${allowed}`)
      }
      assert.equal(sketch.count, list.length)
      assert.deepEqual([sketch.min, sketch.max], [sorted[0] ?? 0, sorted.at(-1) ?? 0])
    }),
  )
})

test('merged sketches tell what one that was given everything tells', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 5 }), (lists) => {
      const whole = sketchOf(lists.flat())
      const forth = new Sketch()
      for (const list of lists) forth.merge(sketchOf(list))
      const back = new Sketch()
      for (const list of lists.toReversed()) back.merge(sketchOf(list))
      assert.deepEqual(told(forth), told(whole))
      assert.deepEqual(told(back), told(whole))
      assert.equal(forth.count, whole.count)
      assert.ok(Math.abs(forth.sum - whole.sum) <= 1e-9 * Math.max(1, whole.sum))
      const twice = sketchOf(lists.flat())
      twice.merge(twice)
      assert.equal(twice.count, 2 * whole.count)
      assert.equal(twice.quantile(1), whole.quantile(1))
    }),
  )
})

test('a sketch comes back from JSON as it was', () => {
  fc.assert(
    fc.property(values, values, (list, more) => {
      const sketch = sketchOf(list)
      const json = JSON.parse(JSON.stringify(sketch)) as SketchJson
      const back = Sketch.from(json)
      assert.deepEqual(told(back), told(sketch))
      assert.equal(JSON.stringify(back.toJSON()), JSON.stringify(json))
      back.merge(sketchOf(more))
      sketch.merge(sketchOf(more))
      assert.deepEqual(told(back), told(sketch))
    }),
  )
})

test('those that were not added are 0 where more are told of', () => {
  const few = sketchOf([10])
  assert.deepEqual([few.quantile(0.5, 4), few.quantile(0.99, 4)], [0, 10])
  const many = sketchOf(Array.from({ length: 100 }, (_, index) => index + 1))
  assert.equal(many.quantile(0.49, 200), 0)
  assert.ok(Math.abs(many.quantile(0.75, 200) - 50) <= 0.5)
})

test('what is no duration is passed over or bounded, in values and in JSON', () => {
  const sketch = new Sketch()
  for (const odd of [Number.NaN, Infinity, -Infinity]) sketch.add(odd)
  sketch.add(1, 0)
  assert.deepEqual([sketch.count, sketch.quantile(0.5), sketch.mean], [0, 0, 0])
  sketch.add(-5)
  sketch.add(1e300)
  assert.deepEqual([sketch.min, sketch.max], [0, 1e12])
  const odd = [
    { count: 1e9, sum: Number.NaN, min: 5, max: 1, first: 1e9, bins: [1, 2, 3] },
    { count: 3, sum: 1, min: 0, max: 1, first: -1e12, bins: [-1, Number.NaN, Infinity] },
    { count: 3, sum: 1, min: 0, max: 1, zeros: 4, first: 0, bins: Array(1e5).fill(1) },
  ]
  for (const json of odd) {
    const back = Sketch.from(json as unknown as SketchJson)
    for (const share of SHARES) assert.ok(Number.isFinite(back.quantile(share)))
  }
})

test('memory is bounded whatever is added', () => {
  const sketch = new Sketch()
  for (let power = -300; power <= 300; power += 0.01) sketch.add(10 ** power, 3)
  assert.ok(JSON.stringify(sketch).length < 20_000)
  assert.ok(sketch.toJSON().bins!.length <= 2_200)
})
