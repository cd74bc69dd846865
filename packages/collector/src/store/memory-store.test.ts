import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sketch } from 'clew/trace'
import fc from 'fast-check'
import { matches, matchesCall, parseFilter } from '../filter/index.ts'
import { summarise } from '../settle/summarise.ts'
import { madePackets } from '../testing/made-packets.ts'
import { memoryStore } from './memory-store.ts'
import type { TraceSummary } from './summary.ts'
import type { Question } from './trace-store.ts'

const made = [...madePackets(120, { seed: 11, failing: 0.05 })]
const summaryOf = (tenant: string, index: number): TraceSummary => {
  const { traceId, bytes } = made[index]!
  return summarise({ tenant, traceId, packets: [bytes], replaces: false })
}
const summaries = made.map((_, index) => summaryOf('shop', index))
const period = { fromMs: 0, toMs: 8e12 }
const ask = (text = ''): Question => ({ tenant: 'shop', period, filter: parseFilter(text) })
const FILTERS = [
  '',
  'status:error',
  'service:orders_*',
  'total:>8ms',
  'failed:true -service:users_0',
]

const packet = (tenant: string, index: number) => ({
  ...{ tenant, traceId: made[index]!.traceId, arrivedMs: Date.now(), bytes: made[index]!.bytes },
})
const idOf = (number: number) => number.toString(16).padStart(32, '0')

async function filled() {
  const store = memoryStore()
  await store.append(
    made.map((_, index) => ({ id: idOf(index), packets: [packet('shop', index)] })),
  )
  await store.settle(summaries)
  return store
}

test('pages hold all that matches, once, in order, while more is being added', async () => {
  const store = await filled()
  for (const order of ['newest', 'slowest'] as const) {
    for (const text of FILTERS) {
      const wanted = summaries.filter(({ row, calls }) => matches(parseFilter(text), row, calls))
      const key = ({ row }: TraceSummary) => (order === 'newest' ? row.startUs : row.totalUs!)
      wanted.sort((a, b) => key(b) - key(a) || (a.row.traceId < b.row.traceId ? 1 : -1))
      const found: string[] = []
      let cursor: string | undefined
      do {
        const page = await store.find({ ...ask(text), order, limit: 7, cursor })
        found.push(...page.traces.map(({ traceId }) => traceId))
        cursor = page.cursor
        // Another tenant's, all the while.
        await store.settle([summaryOf('rival', found.length % made.length)])
      } while (cursor !== undefined)
      assert.deepEqual(
        found,
        wanted.map(({ row }) => row.traceId),
      )
    }
  }
  for (const cursor of [
    '',
    'x',
    Buffer.from('newest 1 x').toString('base64url'),
    'a'.repeat(9999),
  ]) {
    await assert.rejects(store.find({ ...ask(), limit: 5, cursor }), /\[cursor\]/)
  }
})

test('figures are those of counting by hand', async () => {
  const store = await filled()
  for (const text of FILTERS) {
    const filter = parseFilter(text)
    const wanted = summaries.filter(({ row, calls }) => matches(filter, row, calls))
    const calls = wanted.flatMap((trace) => trace.calls.filter((call) => matchesCall(filter, call)))
    const rows = await store.statistics(ask(text))
    assert.equal(
      rows.reduce((sum, row) => sum + row.calls, 0),
      calls.length,
    )
    for (const row of rows) {
      const same = calls.filter((one) => one.service === row.service && one.method === row.method)
      const total = new Sketch()
      for (const { totalUs } of same) if (totalUs !== undefined) total.add(totalUs / 1000)
      assert.equal(row.calls, same.length)
      assert.equal(Sketch.from(row.total).quantile(0.95), total.quantile(0.95))
    }
    const { requests } = await store.breakdown(ask(text))
    assert.equal(
      requests.reduce((sum, row) => sum + row.requests, 0),
      wanted.length,
    )
    const links = await store.links(ask(text))
    assert.equal(
      links.reduce((sum, row) => sum + row.calls, 0),
      calls.length,
    )
    const { fromMs } = { fromMs: Math.min(...summaries.map(({ row }) => row.startUs)) / 1000 - 1 }
    const hour = { ...ask(text), period: { fromMs, toMs: fromMs + 7_200_000 } }
    const buckets = await store.timeline(hour, 60_000)
    assert.equal(
      buckets.reduce((sum, row) => sum + row.requests, 0),
      wanted.length,
    )
    assert.deepEqual(await store.count(ask(text)), { traces: wanted.length, weight: wanted.length })
  }
  await assert.rejects(store.timeline(ask(), 1), /\[costly\]/)
})

test('a batch counts once, a later summary takes the place of the one before', async () => {
  const store = memoryStore()
  const batch = { id: idOf(1), packets: [packet('shop', 0)] }
  assert.deepEqual([...(await store.append([batch]))], [])
  assert.deepEqual([...(await store.append([batch, { id: idOf(2), packets: [] }]))], [idOf(1)])
  const key = { tenant: 'shop', traceId: made[0]!.traceId }
  assert.deepEqual(await store.unsettled(), [key])
  assert.equal((await store.packets([key])).values().next().value?.length, 1)
  await store.settle([summaries[0]!])
  await store.settle([{ ...summaries[0]!, row: { ...summaries[0]!.row, service: 'other' } }])
  assert.deepEqual(await store.unsettled(), [])
  assert.deepEqual(
    (await store.breakdown(ask())).requests.map(({ service }) => service),
    ['other'],
  )
  assert.deepEqual((await store.usage('shop')).traces, 1)
  assert.equal(await store.remove('rival', [key.traceId]), 0)
  assert.equal(await store.remove('shop', [key.traceId, idOf(9)]), 1)
  assert.deepEqual((await store.find({ ...ask(), limit: 9 })).traces, [])
  assert.equal((await store.usage()).bytes, 0)
})

test('when it is full, whoever has the most loses the oldest', async () => {
  const store = memoryStore({ maxTraces: 50 })
  await store.append([{ id: idOf(1), packets: [0, 1, 2].map((index) => packet('small', index)) }])
  for (let index = 0; index < 120; index++) {
    await store.append([{ id: idOf(index + 2), packets: [packet('large', index)] }])
  }
  assert.equal((await store.idsWith('small', '', 99)).length, 3)
  assert.equal((await store.idsWith('large', '', 99)).length, 47)
  assert.equal(store.evicted, 73)
  const bytes = memoryStore({ maxBytes: 10_000 })
  for (let index = 0; index < 120; index++) {
    await bytes.append([{ id: idOf(index), packets: [packet('shop', index)] }])
  }
  assert.ok((await bytes.usage()).bytes <= 10_000)
  const all = await filled()
  const middle = summaries[60]!.row.startUs / 1000
  assert.equal(await all.expire({ beforeMs: middle }), 60)
  assert.ok((await all.expire({ maxBytes: 20_000 })) > 0)
  await all.removeTenant('shop')
  assert.equal((await all.usage()).bytes, 0)
})

test('work ends when whoever asked goes away, or when it takes too long', async () => {
  const store = await filled()
  const signal = AbortSignal.abort()
  await assert.rejects(store.statistics(ask(), { signal }), /\[cancelled\]/)
  await assert.rejects(store.find({ ...ask(), limit: 1 }, { timeoutMs: -1 }), /\[timeout\]/)
  await store.close()
  await assert.rejects(store.count(ask()), /\[failed\]/)
  assert.equal(store.health().writable, false)
})

test('bytes that were given may be used again by whoever gave them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 50 }), async (bytes) => {
      const store = memoryStore()
      const given = bytes.slice()
      const key = { tenant: 'shop', traceId: idOf(5) }
      await store.append([{ id: idOf(1), packets: [{ ...key, arrivedMs: 1, bytes: given }] }])
      given.fill(0)
      const [kept] = (await store.packets([key])).values()
      assert.deepEqual([...kept![0]!], [...bytes])
    }),
  )
})

test('names by how often they occur', async () => {
  const store = await filled()
  const counts = new Map<string, number>()
  for (const { calls } of summaries) {
    for (const { service } of calls) counts.set(service, (counts.get(service) ?? 0) + 1)
  }
  const found = await store.names('shop', 'service', period, 1000)
  assert.deepEqual(new Set(found), new Set(counts.keys()))
  assert.deepEqual(
    found.map((name) => counts.get(name)),
    [...counts.values()].sort((a, b) => b - a),
  )
  assert.deepEqual(await store.names('rival', 'service', period, 5), [])
  assert.equal((await store.names('shop', 'type', period, 3)).length, 3)
})
