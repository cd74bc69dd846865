import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { estimate, quantile, shuffled, spread } from './statistics.ts'

describe('statistics', () => {
  it('takes medians and quarters, between values where need be', () => {
    assert.deepEqual(spread([5, 1, 3, 2, 4]), { median: 3, low: 2, high: 4 })
    assert.equal(quantile([1, 2], 0.5), 1.5)
    assert.equal(quantile([7], 0.25), 7)
    assert.ok(Number.isNaN(quantile([], 0.5)))
  })

  it('tells how sure a median is', () => {
    const sure = estimate(Array.from({ length: 100 }, (_, index) => 1 + (index % 3) / 100))
    assert.equal(sure.median, 1.01)
    assert.ok(sure.low >= 1 && sure.low <= 1.01 && sure.high >= 1.01 && sure.high <= 1.02)
    const unsure = estimate([1, 2, 3, 4, 5, 6])
    assert.ok(unsure.low < 3 && unsure.high > 4)
  })

  it('leaves the values as they were given', () => {
    const values = [3, 1, 2]
    spread(values)
    assert.deepEqual(values, [3, 1, 2])
  })

  it('shuffles without losing or adding anything, and into every order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (things) => {
        const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b)
        assert.deepEqual(sorted(shuffled(things)), sorted(things))
      }),
    )
    const orders = new Set(Array.from({ length: 500 }, () => shuffled([1, 2, 3]).join('')))
    assert.equal(orders.size, 6)
  })
})
