import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { summarise } from '../../settle/summarise.ts'
import { madePackets } from '../../testing/made-packets.ts'
import { embeddedStore } from '../embedded-store.ts'
import { traceKey } from '../trace-store.ts'

test('batches are kept once, summaries replaced, and what a crash left is told', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clew-store-'))
  const made = [...madePackets(30, { fromMs: Date.now() - 3_600_000 })]
  const packets = made.map(({ traceId, bytes }) => ({
    ...{ tenant: 'default', traceId, bytes, arrivedMs: Date.now() },
  }))
  const batch = { id: 'ab'.repeat(16), packets }
  const summaries = made.map(({ traceId, bytes }) =>
    summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false }),
  )
  const calls = made.reduce((sum, one) => sum + one.calls, 0)
  try {
    const store = await embeddedStore(dir)
    assert.deepEqual([...(await store.append([batch]))], [])
    assert.deepEqual([...(await store.append([batch]))], [batch.id])
    assert.equal((await store.unsettled()).length, 30)
    await store.settle(summaries.slice(0, 20))
    await store.close()

    const again = await embeddedStore(dir)
    assert.deepEqual([...(await again.append([batch]))], [batch.id])
    assert.equal((await again.unsettled()).length, 10)
    await again.settle(summaries.map((summary) => ({ ...summary, replaces: true })))
    assert.deepEqual(await again.unsettled(), [])
    const usage = await again.usage('default')
    assert.deepEqual([usage.traces, usage.calls], [30, calls])
    const keys = made.map(({ traceId }) => ({ tenant: 'default', traceId }))
    assert.equal((await again.settled(keys)).size, 30)
    assert.equal((await again.settled(keys.map((key) => ({ ...key, tenant: 'x' })))).size, 0)
    const kept = await again.packets(keys)
    for (const [at, key] of keys.entries()) {
      assert.deepEqual([...kept.get(traceKey(key))![0]!], [...made[at]!.bytes])
    }
    const { traceId } = made[0]!
    assert.deepEqual(await again.idsWith('default', traceId.slice(0, 9), 10), [traceId])
    await again.close()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('clocks that were wrong by years do no harm', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clew-clocks-'))
  const made = [...madePackets(12, { fromMs: Date.UTC(2026, 3, 1), overMs: 60_000 })]
  const arrivals = [1_000, Date.UTC(2027, 0, 1), Date.UTC(2199, 5, 1), Date.UTC(2026, 3, 1)]
  const years = [2026, 2199, 1999, 2026]
  try {
    for (const [at, year] of years.entries()) {
      const store = await embeddedStore(dir, { now: () => Date.UTC(year, 0, 2) })
      const some = made.slice(at * 3, at * 3 + 3)
      const packets = some.map(({ traceId, bytes }) => ({
        ...{ tenant: 'default', traceId, bytes, arrivedMs: arrivals[at]! },
      }))
      const batch = { id: `${at}c`.repeat(16), packets }
      assert.deepEqual([...(await store.append([batch]))], [])
      assert.deepEqual([...(await store.append([batch]))], [batch.id])
      // Whatever the clock says now: what was left over is found.
      const left = (await store.unsettled()).map(({ traceId }) => traceId)
      for (const { traceId } of some) assert.ok(left.includes(traceId), `${at} ${traceId}`)
      const summaries = made
        .slice(0, at * 3 + 1)
        .map(({ traceId, bytes }) =>
          summarise({ tenant: 'default', traceId, packets: [bytes], replaces: true }),
        )
      await store.settle(summaries)
      assert.equal((await store.usage('default')).traces, summaries.length)
      await store.close()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
