import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePacket, type Packet, readPacket } from 'clew/trace/blocks'
import { embeddedStore } from '../store/embedded-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { StoredPacket } from '../store/trace-store.ts'
import { type MadePacket, madePackets } from '../testing/made-packets.ts'
import { Settler } from './settler.ts'

const stored = (traceId: string, bytes: Uint8Array): StoredPacket => ({
  ...{ tenant: 'default', traceId, bytes, arrivedMs: Date.now() },
})

let batches = 0
const nextId = () => (batches++).toString(16).padStart(32, '0')

test('traces are settled whole, whatever order and how often their packets come', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clew-settler-'))
  const store = await embeddedStore(dir)
  const made = [...madePackets(60, { fromMs: Date.now() - 60_000, overMs: 60_000 })]
  const calls = made.reduce((sum, one) => sum + one.calls, 0)
  const settled = new Set<string>()
  const options = {
    ...{ store, quietMs: 20 },
    onSettled: (summaries: readonly { readonly row: { readonly traceId: string } }[]) => {
      for (const { row } of summaries) settled.add(row.traceId)
    },
  }
  const send = async (settler: Settler, packets: readonly StoredPacket[]) => {
    await store.append([{ id: nextId(), packets }])
    settler.take(packets)
  }
  try {
    const settler = new Settler(options)
    const whole = made.slice(0, 40)
    const unended = made.slice(20, 40).map(({ traceId, bytes }) => {
      const packet: Packet = { ...readPacket(bytes)!, ended: false }
      return stored(traceId, encodePacket(packet))
    })
    // The second half comes without its end first, then all, then the first half twice.
    await send(settler, unended)
    await send(
      settler,
      whole.slice(0, 20).map(({ traceId, bytes }) => stored(traceId, bytes)),
    )
    await settler.drain()
    await send(
      settler,
      whole.map(({ traceId, bytes }) => stored(traceId, bytes)),
    )
    await settler.drain()
    assert.equal(settler.pending, 0)
    assert.equal(settled.size, 40)
    await settler.close()

    // Another process, which remembers nothing, gets what is there already and what a crash left.
    const rest = made.slice(40).map(({ traceId, bytes }) => stored(traceId, bytes))
    await store.append([{ id: nextId(), packets: rest }])
    const next = new Settler(options)
    assert.equal(await next.recover(), 20)
    await send(
      next,
      whole.slice(0, 5).map(({ traceId, bytes }) => stored(traceId, bytes)),
    )
    await next.drain()
    const usage = await store.usage('default')
    assert.deepEqual([usage.traces, usage.calls], [60, calls])
    assert.deepEqual(await store.unsettled(), [])
    await next.close()
  } finally {
    await store.close()
    await rm(dir, { recursive: true, force: true })
  }
})

test('a trace that is quiet is settled by itself', async () => {
  const [one] = madePackets(1)
  const packet = { ...readPacket(one!.bytes)!, ended: false }
  const told: string[] = []
  const store = {
    settle: async () => {},
    settled: async () => new Set<string>(),
    packets: async () => new Map<string, readonly Uint8Array[]>(),
    unsettled: async () => [],
  }
  await new Promise<void>((resolve) => {
    const settler = new Settler({
      ...{ store, quietMs: 20 },
      onSettled: ([summary]) => {
        told.push(summary!.row.traceId)
        resolve()
      },
    })
    settler.take([stored(one!.traceId, encodePacket(packet))])
  })
  assert.deepEqual(told, [one!.traceId])
})

test('what the store does not take is tried again, and holds up who brings more', async () => {
  const made = [...madePackets(20)]
  let failures = 3
  const problems: unknown[] = []
  const store = {
    settle: async () => {
      if (failures-- > 0) throw new Error('no room')
    },
    settled: async () => new Set<string>(),
    packets: async () => new Map<string, readonly Uint8Array[]>(),
    unsettled: async () => [],
  }
  const settler = new Settler({ store, maxPending: 10, onProblem: (error) => problems.push(error) })
  settler.take(made.map(({ traceId, bytes }) => stored(traceId, bytes)))
  assert.ok(settler.pending > 10)
  await settler.ready()
  assert.equal(settler.pending, 0)
  assert.equal(problems.length, 3)
})

test('a deletion makes the room that settling waits for', async () => {
  const [gone, other] = [...madePackets(2, { fromMs: Date.now() })].map(({ traceId, bytes }) =>
    stored(traceId, bytes),
  )
  const store = memoryStore()
  let full = true
  const refused = Promise.withResolvers<void>()
  const settler = new Settler({
    store: {
      settle: async (summaries) => {
        if (full) throw new Error('no room')
        await store.settle(summaries)
      },
      settled: (keys) => store.settled(keys),
      packets: (keys) => store.packets(keys),
      unsettled: () => store.unsettled(),
    },
    onProblem: () => refused.resolve(),
  })
  const packets = [gone!, other!]
  await store.append([{ id: nextId(), packets }])
  settler.take(packets)
  await refused.promise
  await settler.without(
    ({ traceId }) => traceId === gone!.traceId,
    async () => {
      await store.remove('default', [gone!.traceId])
      full = false
    },
  )
  await settler.drain()
  assert.equal((await store.usage('default')).traces, 1)
  assert.deepEqual(await store.packets([gone!]), new Map())
  assert.equal(settler.pending, 0)
})

test('late calls of a large trace, however many, are summarised in a small part of the time', async () => {
  const [{ traceId, bytes }] = [...madePackets(1, { fromMs: Date.now() })] as [MadePacket]
  const large = Array.from({ length: 4_000 }, (_, at) => {
    const packet = readPacket(bytes)!
    const id = at.toString(16).padStart(16, '0')
    const root = { ...packet.root!, record: { ...packet.root!.record, id } }
    return stored(traceId, encodePacket({ ...packet, root, ended: false }))
  })
  const store = memoryStore()
  let times = 0
  const settler = new Settler({ store, quietMs: 5, onSettled: () => times++ })
  const send = async (packets: readonly StoredPacket[]) => {
    await store.append([{ id: nextId(), packets }])
    settler.take(packets)
  }
  await send(large)
  await settler.drain()
  for (let at = 0; at < 20; at++) {
    await send([stored(traceId, bytes)])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.ok(times <= 3, `summarised ${times} times`)
  assert.ok(settler.pending > 0)
  await settler.drain()
  assert.equal(settler.pending, 0)
  assert.deepEqual(await store.unsettled(), [])
})

test('what a crash left is read a part at a time, and what is deleted meanwhile stays deleted', async () => {
  const store = memoryStore()
  const made = [...madePackets(2_600, { fromMs: Date.now() - 60_000, overMs: 60_000 })]
  const packets = made.map(({ traceId, bytes }) => stored(traceId, bytes))
  await store.append([{ id: nextId(), packets }])
  const sizes: number[] = []
  const gone = made[0]!
  const settler = new Settler({
    store: {
      settle: (summaries) => store.settle(summaries),
      settled: (keys) => store.settled(keys),
      packets: (keys) => {
        sizes.push(keys.length)
        return store.packets(keys)
      },
      unsettled: async () => {
        const keys = await store.unsettled()
        await store.remove('default', [gone.traceId])
        return keys
      },
    },
  })
  assert.equal(await settler.recover(), 2_600)
  await settler.drain()
  assert.ok(sizes.length > 1 && Math.max(...sizes) <= 2_500, `${sizes}`)
  const { traces, calls } = await store.usage('default')
  const rest = made.slice(1).reduce((sum, one) => sum + one.calls, 0)
  assert.deepEqual([traces, calls], [2_599, rest])
  assert.deepEqual(await store.unsettled(), [])
  await settler.close()
  await store.close()
})
