import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { Acknowledgements, Unsettled } from './acknowledgements.ts'

type Step =
  | { readonly kind: 'deliver' | 'tell' }
  | { readonly kind: 'settle' | 'forget'; readonly at: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ kind: 'deliver' as const }),
  fc.constant({ kind: 'tell' as const }),
  fc.record({ kind: fc.constantFrom('settle' as const, 'forget' as const), at: fc.nat(30) }),
)

/** What a broker has not been told of, by its own rules. */
class Broker {
  readonly open = new Set<number>()

  acknowledge(tag: number, multiple: boolean): void {
    // RabbitMQ closes the channel for a tag that it does not know, also where it counts for others.
    assert.ok(this.open.has(tag), `tag ${tag} is not open`)
    for (const each of [...this.open])
      if (multiple ? each <= tag : each === tag) this.open.delete(each)
  }
}

it('a broker is told of all that is settled, of nothing else and of nothing twice', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const broker = new Broker()
      const acknowledgements = new Acknowledgements()
      const deliveries: Unsettled[] = []
      const unsettled = new Set<number>()
      const tell = () => acknowledgements.tell((tag, multiple) => broker.acknowledge(tag, multiple))
      let waiting = 0
      for (const { kind, ...where } of steps) {
        const delivery = 'at' in where ? deliveries[where.at] : undefined
        if (kind === 'deliver') {
          const next = new Unsettled(deliveries.length + 1)
          deliveries.push(next)
          acknowledgements.add(next)
          broker.open.add(next.tag)
          unsettled.add(next.tag)
        } else if (kind === 'tell') {
          tell()
          waiting = 0
          assert.deepEqual(broker.open, unsettled)
        } else if (delivery !== undefined && kind === 'settle') {
          const first = acknowledgements.settle(delivery)
          const isNew = unsettled.delete(delivery.tag)
          assert.equal(first, isNew && waiting === 0)
          if (isNew) waiting++
        } else if (delivery !== undefined) {
          const isNew = unsettled.delete(delivery.tag)
          assert.equal(acknowledgements.forget(delivery), isNew)
          if (isNew) broker.acknowledge(delivery.tag, false)
        }
      }
      tell()
      assert.deepEqual(broker.open, unsettled)
    }),
    { numRuns: 500 },
  )
})

it('what is settled in order is told in one word, what is not in one each', () => {
  const acknowledgements = new Acknowledgements()
  const [one, two, three, four, five] = [1, 2, 3, 4, 5].map((tag) => new Unsettled(tag))
  for (const each of [one, two, three, four, five]) acknowledgements.add(each!)
  const words: [number, boolean][] = []
  const tell = () => acknowledgements.tell((tag, multiple) => words.push([tag, multiple]))
  for (const each of [two, five, one]) acknowledgements.settle(each!)
  tell()
  assert.deepEqual(words.splice(0), [
    [2, true],
    [5, false],
  ])
  acknowledgements.settle(four!)
  acknowledgements.settle(three!)
  tell()
  assert.deepEqual(words.splice(0), [[4, true]])
  tell()
  assert.deepEqual(words, [])
  const six = new Unsettled(6)
  acknowledgements.add(six)
  acknowledgements.settle(six)
  tell()
  assert.deepEqual(words, [[6, false]])
})
