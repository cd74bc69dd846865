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
