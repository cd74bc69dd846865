import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encodeBatch, encodePacket, readPacket } from 'clew/trace/blocks'
import { type Collector, createCollector } from './collector.ts'
import type { ClickHouseStore } from './store/clickhouse/clickhouse-store.ts'
import { embeddedStore } from './store/embedded-store.ts'
import { traceKey } from './store/trace-store.ts'
import { type MadePacket, madePackets } from './testing/made-packets.ts'

let dir: string
let store: ClickHouseStore
let collector: Collector

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clew-collector-'))
  store = await embeddedStore(dir)
  collector = createCollector({ store, quietMs: 20 })
  await collector.start()
})

after(async () => {
  await collector.close()
  await rm(dir, { recursive: true, force: true })
})

const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'ab'.repeat(8) }
let sent = 0
const batchOf = (packets: readonly Uint8Array[]) =>
  encodeBatch({
    ...{ id: (sent++).toString(16).padStart(32, '0'), sender },
    ...{ taken: 0, dropped: {}, packets },
  })

const post = (body: Uint8Array, headers: Record<string, string> = {}) =>
  collector.fetch(
    new Request('http://localhost/v1/batches', { method: 'POST', body: body.slice(), headers }),
  )

test('a batch is answered for when it is durable, and once however often it comes', async () => {
  const made = [...madePackets(20, { seed: 3 })]
  const calls = made.reduce((sum, one) => sum + one.calls, 0)
  const batch = batchOf(made.map(({ bytes }) => bytes))
  const first = await post(gzipSync(batch), { 'content-encoding': 'gzip' })
  assert.equal(first.status, 200)
  assert.deepEqual(await first.json(), { stored: calls, duplicates: 0, rejected: {} })
  const again = await post(batch)
  assert.deepEqual(await again.json(), { stored: calls, duplicates: calls, rejected: {} })
  const keys = made.map(({ traceId }) => ({ tenant: 'default', traceId }))
  const kept = await store.packets(keys)
  for (const [at, key] of keys.entries()) {
    assert.deepEqual([...kept.get(traceKey(key))![0]!], [...made[at]!.bytes])
  }
})

test('what cannot be kept is rejected with its reason, the rest is stored', async () => {
  const [good] = madePackets(1, { seed: 4 })
  const bad = encodePacket({
    ...{ traceId: 'cd'.repeat(16), pieces: [new Uint8Array(20)], ended: true },
    ...{ lines: new Uint8Array(9), lineCalls: 5 },
  }).slice()
  bad[20] = 0xff
  const answer = await post(batchOf([good!.bytes, bad]))
  const { stored, rejected } = (await answer.json()) as {
    stored: number
    rejected: Record<string, number>
  }
  assert.equal(stored, good!.calls)
  assert.deepEqual(Object.keys(rejected), ['unreadable'])
})

test('a batch whose end is damaged is kept as far as it goes, and said not to be whole', async () => {
  const made = [...madePackets(3, { seed: 11 })]
  const batch = batchOf(made.map(({ bytes }) => bytes))
  const cut = batch.slice(0, batch.length - made[2]!.bytes.length + 4)
  const answer = (await (await post(cut)).json()) as object
  const stored = made[0]!.calls + made[1]!.calls
  assert.deepEqual(answer, { stored, duplicates: 0, rejected: { unreadable: 1 } })
})

test('what is deleted while it waits to be settled stays deleted', async () => {
  const found = async () => (await store.usage('default')).traces
  const [one, other] = [...madePackets(2, { seed: 12, fromMs: Date.now() })]
  const waits = (made: MadePacket) => encodePacket({ ...readPacket(made.bytes)!, ended: false })
  const settled = async () => {
    while (collector.counts.pending > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await settled()
  const before = await found()
  await post(batchOf([waits(one!), waits(other!)]))
  const path = `http://localhost/api/traces/${one!.traceId}`
  const answer = await collector.fetch(new Request(path, { method: 'DELETE' }))
  assert.deepEqual(await answer.json(), { removed: 1 })
  await settled()
  assert.equal(await found(), before + 1)
  await post(batchOf([waits(other!)]))
  assert.equal(
    (await collector.fetch(new Request('http://localhost/api/tenant', { method: 'DELETE' })))
      .status,
    200,
  )
  await settled()
  assert.equal(await found(), 0)
})

test('senders at once are answered each for its own', async () => {
  const made = [...madePackets(60, { seed: 5 })]
  const answers = await Promise.all(
    made.map(async ({ bytes }) => (await post(batchOf([bytes]))).json()),
  )
  assert.deepEqual(
    answers.map((answer) => (answer as { stored: number }).stored),
    made.map(({ calls }) => calls),
  )
})

test('bad requests are told what is wrong with them', async () => {
  const cases: [Promise<Response>, number, string][] = [
    [post(Uint8Array.of(1, 2, 3)), 400, 'unreadable'],
    [post(new Uint8Array(17 * 1024 * 1024)), 413, 'too_large'],
    [
      post(gzipSync(new Uint8Array(200 * 1024 * 1024)), { 'content-encoding': 'gzip' }),
      413,
      'too_large',
    ],
    [post(Uint8Array.of(1, 2), { 'content-encoding': 'gzip' }), 400, 'damaged'],
    [post(Uint8Array.of(1, 2), { 'content-encoding': '__proto__' }), 415, 'encoding'],
    [post(Uint8Array.of(1), { origin: 'https://elsewhere.example' }), 403, 'origin'],
    [collector.fetch(new Request('http://localhost/nothing')), 404, 'unknown_path'],
    [collector.fetch(new Request('http://localhost/v1/batches')), 405, 'method'],
  ]
  for (const [answer, status, code] of cases) {
    const response = await answer
    const { error } = (await response.json()) as { error: { code: string } }
    assert.deepEqual([response.status, error.code], [status, code])
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  }
})
