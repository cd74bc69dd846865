import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Kept, Ring } from './ring.ts'

const owner = (number: number) => ({
  traceId: (number % 7).toString(16).padStart(32, '0'),
  callId: number.toString(16).padStart(16, '0'),
})

describe('Ring', () => {
  it('holds the last entries that fit, whatever their sizes, and gives them as they were', () => {
    const sizes = fc.array(fc.tuple(fc.nat(900), fc.nat(255)), { maxLength: 200 })
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 4096 }), sizes, (bytes, entries) => {
        const ring = new Ring(bytes)
        const put: Kept[] = []
        for (const [number, [size, parent]] of entries.entries()) {
          const { traceId, callId } = owner(number)
          const contents = new Uint8Array(size).fill(number)
          const kind = (['block', 'piece', 'packet'] as const)[number % 3]!
          const told = 'p'.repeat(Math.min(36, parent))
          const kept = { kind, traceId, callId, parent: told, bytes: contents }
          ring.put(kind, kept, `${'x'.repeat(parent - told.length)}${told}`, contents)
          contents.fill(255)
          if (30 + told.length + size <= bytes / 4) {
            put.push({ ...kept, bytes: new Uint8Array(size).fill(number) })
          }
        }
        const all = new Set(Array.from({ length: 7 }, (_, number) => owner(number).traceId))
        const found = ring.find(all)
        assert.equal(found.length, ring.count)
        assert.deepEqual(found, put.slice(put.length - found.length))
        assert.equal(ring.tooLarge, entries.length - put.length)
        const held = found.reduce((sum, one) => sum + 30 + one.parent.length + one.bytes.length, 0)
        assert.ok(held <= bytes)
        // At most what one entry does not fit behind is unused, and what the next one took.
        const many = put.length > found.length
        if (many) assert.ok(held > bytes / 2 - bytes / 4, `${held} of ${bytes}`)
        const one = owner(3).traceId
        assert.deepEqual(
          ring.find(new Set([one])),
          found.filter(({ traceId }) => traceId === one),
        )
      }),
      { numRuns: 300 },
    )
  })
})
