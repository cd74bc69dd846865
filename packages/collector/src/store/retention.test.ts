import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summarise } from '../settle/summarise.ts'
import { madePackets } from '../testing/made-packets.ts'
import { memoryStore } from './memory-store.ts'
import { Retention } from './retention.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FROM_MS = Date.UTC(2026, 2, 1)

/** A store with a trace of every hour of ten days. */
async function filled() {
  const store = memoryStore()
  const made = [...madePackets(240, { fromMs: FROM_MS, overMs: 10 * DAY_MS })]
  const packets = made.map(({ traceId, bytes }) => ({
    ...{ tenant: 'default', traceId, bytes, arrivedMs: FROM_MS },
  }))
  await store.append([{ id: 'ab'.repeat(16), packets }])
  await store.settle(
    made.map(({ traceId, bytes }) =>
      summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false }),
    ),
  )
  return store
}

test('what is older than it is kept goes, by whole hours', async () => {
  const store = await filled()
  let now = FROM_MS + 10 * DAY_MS
  const retention = new Retention({ store, keepMs: 7 * DAY_MS, now: () => now, elapsed: () => 0 })
  assert.equal(await retention.run(), 72)
  now += HOUR_MS - 1
  assert.equal(await retention.run(), 0)
  now += 1
  assert.equal(await retention.run(), 1)
})

test('a clock that jumps ahead does not empty a store', async () => {
  const store = await filled()
  const [jumped, keepMs] = [FROM_MS + 400 * DAY_MS, 7 * DAY_MS]
  let elapsed = 0
  const retention = new Retention({ store, keepMs, now: () => jumped, elapsed: () => elapsed })
  // A day beyond the newest, which is an hour before the end of the tenth day.
  assert.equal(await retention.run(), 95)
  elapsed += HOUR_MS
  assert.equal(await retention.run(), 25)
  elapsed += 30 * DAY_MS
  assert.equal(await retention.run(), 120)
})

test('nothing is too old where nothing says how old that is', async () => {
  const store = await filled()
  assert.equal(await new Retention({ store }).run(), 0)
  assert.equal((await store.usage()).traces, 240)
})
