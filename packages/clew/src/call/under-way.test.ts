import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ById, type Waiting } from './by-id.ts'
import { type Place, UnderWay } from './under-way.ts'

describe('what is under way', () => {
  it('is held in order until it leaves, as a set would', () => {
    const steps = fc.array(fc.option(fc.nat(40), { freq: 2 }), { maxLength: 300 })
    fc.assert(
      fc.property(steps, (all) => {
        const underWay = new UnderWay<number>()
        const model = new Set<number>()
        const places: Place<number>[] = []
        for (const [number, at] of all.entries()) {
          const place = at === null ? undefined : places[at]
          if (place === undefined) {
            places.push(underWay.add(number))
            model.add(number)
          } else {
            const item = place.item
            assert.equal(place.taken, item !== undefined)
            assert.equal(place.leave(), item !== undefined && model.delete(item))
            assert.equal(place.leave(), false)
          }
          assert.deepEqual([...underWay], [...model])
          assert.equal(underWay.isEmpty, model.size === 0)
        }
        const even = [...model].filter((item) => item % 2 === 0)
        assert.deepEqual(
          underWay.take((item) => item % 2 === 0),
          even,
        )
        assert.deepEqual(
          [...underWay],
          [...model].filter((item) => item % 2 === 1),
        )
      }),
    )
  })

  it('is found by its id, as in a map, however many there are', () => {
    const ids = fc.constantFrom(
      '',
      'a',
      'ab',
      ...Array.from({ length: 600 }, (_, at) => `id-${at}`),
    )
    const steps = fc.array(fc.tuple(ids, fc.boolean()), { maxLength: 1_500, size: 'max' })
    fc.assert(
      fc.property(steps, (all) => {
        const byId = new ById<string>()
        const model = new Map<string, Waiting<string>>()
        for (const [id, leaves] of all) {
          const waiting = model.get(id)
          assert.equal(byId.get(id), waiting?.value)
          assert.equal(byId.has(id), waiting !== undefined)
          if (waiting === undefined) model.set(id, byId.add(id, `value of ${id}`))
          else if (leaves) {
            byId.delete(waiting)
            byId.delete(waiting)
            model.delete(id)
          }
          assert.equal(byId.size, model.size)
        }
        const values = Array.from(model.values(), ({ value }) => value)
        assert.deepEqual(byId.values().sort(), values.sort())
      }),
      { numRuns: 30 },
    )
  })
})
