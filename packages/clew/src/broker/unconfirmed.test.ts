import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { Unconfirmed } from './unconfirmed.ts'

it('holds what waits under numbers, as a map would, whatever leaves when', () => {
  const steps = fc.array(
    fc.oneof(
      { arbitrary: fc.constant({ kind: 'add' as const }), weight: 4 },
      { arbitrary: fc.record({ kind: fc.constant('take' as const), at: fc.nat(300) }), weight: 2 },
      { arbitrary: fc.record({ kind: fc.constant('upTo' as const), at: fc.nat(300) }), weight: 1 },
    ),
    { maxLength: 600 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const unconfirmed = new Unconfirmed<string>()
      const model = new Map<number, string>()
      let added = 0
      for (const step of all) {
        if (step.kind === 'add') {
          const item = `item ${++added}`
          assert.equal(unconfirmed.add(item), added)
          model.set(added, item)
        } else if (step.kind === 'take') {
          assert.equal(unconfirmed.take(step.at), model.get(step.at))
          model.delete(step.at)
        } else {
          const expected = [...model].filter(([number]) => number <= step.at)
          assert.deepEqual(
            unconfirmed.takeUpTo(step.at),
            expected.map(([, item]) => item),
          )
          for (const [number] of expected) model.delete(number)
        }
      }
      assert.deepEqual(unconfirmed.takeUpTo(Number.POSITIVE_INFINITY), [...model.values()])
    }),
  )
})
