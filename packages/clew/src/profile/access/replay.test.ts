import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ReplayCache } from './replay.ts'

test('no grant is used more often than it may be, and the memory stays within its bound', () => {
  const step = fc.record({
    grant: fc.nat(20),
    call: fc.option(fc.record({ id: fc.constantFrom('a', 'b', 'c'), again: fc.boolean() }), {
      nil: undefined,
    }),
    secondsLater: fc.constantFrom(0, 0, 1, 30, 90),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 15 }),
      (steps, limit) => {
        const cache = new ReplayCache(limit)
        const used = new Map<string, number>()
        let now = 1_000_000
        for (const { grant, call, secondsLater } of steps) {
          now += secondsLater
          // What has expired is refused before its uses are counted.
          const untilSeconds = now - (now % 200) + 200 + (grant % 3) * 60
          const key = `${grant} ${untilSeconds}`
          const uses = 1 + (grant % 4)
          const outcome = cache.use({ key, uses, untilSeconds }, now, call)
          // Delivered again: may use nothing.
          if (outcome === 'used' && call?.again !== true) used.set(key, (used.get(key) ?? 0) + 1)
          assert.ok((used.get(key) ?? 0) <= uses)
          assert.ok(cache.size <= limit)
        }
      },
    ),
  )
})

test('calls of grants with many uses take no more memory than there is for them', () => {
  const cache = new ReplayCache(10)
  const grant = { key: 'k', uses: 1_000_000, untilSeconds: 1_000_300 }
  for (let at = 0; at < 50; at++) {
    cache.use(grant, 1_000_000, { id: `call ${at}`, again: false })
  }
  const again = (id: string) => cache.use({ ...grant, uses: 50 }, 1_000_000, { id, again: true })
  assert.equal(again('call 3'), 'used')
  // Later ones were not remembered: delivered again they use the grant, which works while it has uses.
  assert.equal(again('call 49'), 'used')
  assert.equal(cache.size, 1)
})
