import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CriticalCredits, callTree, Findings, Load } from 'clew/trace'
import { encodeBatch, encodePacket, readPacket } from 'clew/trace/blocks'
import fc from 'fast-check'
import { CollectorError, collectorClient } from '../client/index.ts'
import { type Collector, createCollector } from '../collector.ts'
import { traceOf } from '../settle/trace-of.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { TraceStore } from '../store/trace-store.ts'
import { type MadePacket, madePackets } from '../testing/made-packets.ts'
import { drawsOf } from './sample.ts'

const HOUR = 3_600_000
const made = [
  ...madePackets(300, { seed: 31, fromMs: Date.now() - 1_800_000, overMs: 60_000, failing: 0.02 }),
]
const trees = made.map(({ traceId, bytes }) => callTree(traceOf(traceId, [bytes]).trace))
let collector: Collector

const client = collectorClient({
  url: 'http://localhost',
  fetch: (input, init) => collector.fetch(new Request(input, init)),
})

let sent = 0
async function send(packets: readonly Uint8Array[]): Promise<void> {
  const id = (++sent).toString(16).padStart(32, '0')
  const sender = { name: 'shop', host: 'vm-1', pid: 7, instance: 'cd'.repeat(8) }
  const body = encodeBatch({ id, sender, taken: 0, dropped: {}, packets })
  const request = new Request('http://localhost/v1/batches', { method: 'POST', body: body.slice() })
  assert.equal((await collector.fetch(request)).status, 200)
}

async function settled(traces: number, from: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await client.statistics({ from, to: from + HOUR })).traces >= traces) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

before(async () => {
  collector = createCollector({ store: memoryStore(), quietMs: 20 })
  await collector.start()
  await send(made.map(({ bytes }) => bytes))
  await settled(made.length, Date.now() - HOUR + 1_000)
})

after(() => collector.close())

test('an analysis of all traces says what reading their files would say', async () => {
  const found = new Findings()
  const credits = new CriticalCredits()
  for (const tree of trees) {
    found.add(tree)
    credits.add(tree)
  }
  const { sample, ...told } = await client.analyze()
  assert.deepEqual(sample, {
    ...{ traces: 300, matching: 300, requests: 300, each: 1, tooLarge: 0, cutShort: null },
  })
  assert.deepEqual([told.calls, told.failed], [found.calls, found.failed])
  const countsOf = (list: Findings['origins']) =>
    list.map(({ service, method, requests }) => `${service}.${method} ${requests}`).sort()
  assert.deepEqual(countsOf(told.failures), countsOf(found.origins))
  assert.ok(found.failed > 3 && told.sentences[0]!.includes('failed request'))

  const failures = await client.failures()
  assert.deepEqual([failures.requests, failures.failed], [300, found.failed])
  assert.ok(failures.sentences[0]!.startsWith(`${found.failed} of 300 requests failed (`))
  assert.ok(failures.sentences[1]!.includes(`of ${found.failed} failed requests`))
  const quiet = await client.failures({ filter: 'failed:false' })
  assert.deepEqual(quiet.sentences, [`None of ${300 - found.failed} requests failed.`])
  const never = await client.failures({ from: '3h', to: '2h' })
  assert.deepEqual(never.sentences, ['There were no requests.'])
  const unmasked = ({ requests }: { requests: number }) => requests > 0
  assert.deepEqual(
    countsOf(failures.failures.filter(unmasked)),
    countsOf(found.origins.filter(unmasked)),
  )
  const path = await client.criticalPath()
  assert.ok(Math.abs(path.totalMs - credits.rootMs) < 1e-3)
  assert.equal(path.methods.length, credits.credits.length)
  const shares = path.paths.reduce((sum, { share }) => sum + share, 0)
  assert.ok(Math.abs(shares - 1) < 1e-3)
  // Each caller stands before whom it calls.
  const seen = new Set<number | null>([null])
  for (const { index, parent } of path.paths) {
    assert.ok(seen.has(parent))
    seen.add(index)
  }
})

test('a sample is told as one, and is even', async () => {
  const { sample, sentences, failed } = await client.analyze({ limit: 100 })
  assert.deepEqual([sample.traces, sample.matching, sample.each], [100, 300, 3])
  assert.ok(sentences.at(-1)!.includes('100 of 300'))
  const all = trees.filter(({ root }) => root.status === 'error').length / 3
  // Five standard deviations.
  assert.ok(Math.abs(failed - all) <= 5 * Math.sqrt(all), `${failed} instead of about ${all}`)
})

test('load is told of traces that came one after the other', async () => {
  const load = new Load()
  for (const tree of trees) load.add(tree)
  assert.deepEqual((await client.load()).sentences[0], load.report().sentences[0])
  // Twenty-five requests a second all the time, whatever is read of them.
  const from = Date.now() - 15 * HOUR
  const many = [...madePackets(1_500, { seed: 61, fromMs: from, overMs: 60_000 })]
  await send(many.map(({ bytes }) => bytes))
  await settled(many.length, from - 1)
  for (const limit of [1_500, 700, 400, 200]) {
    const { sample, report } = await client.load({ from: from - 1, to: from + HOUR, limit })
    assert.equal(sample.traces, limit)
    for (const { rate } of report.bands) assert.ok(rate > 20 && rate < 31, `${rate} of ${limit}`)
  }
})

test('a planted difference is found, and one of chance is not told', async () => {
  const from = Date.now() - 4 * HOUR
  const slow = [...madePackets(200, { seed: 41, fromMs: from, overMs: 60_000, failing: 0.3 })]
  await send(slow.map(({ bytes }) => bytes))
  await settled(slow.length, from - 1)
  const bad = { from, to: from + HOUR }
  const found = await client.compare({ ...bad, against: { from: '1h', to: 'now' } })
  assert.ok(found.certain && found.difference.failures.certain)
  assert.deepEqual([found.sample.traces, found.against.sample.traces], [200, 300])
  assert.ok(found.difference.failures.after > found.difference.failures.before)
  const half = Date.now() - 1_800_000 + 30_000
  const same = await client.compare({ from: half, against: { from: '1h', to: half } })
  assert.equal(same.certain, false, same.sentences.join(' '))
})

test('traces that stand for many count for many', async () => {
  const from = Date.now() - 9 * HOUR
  const kept = [...madePackets(300, { seed: 51, fromMs: from, overMs: 60_000, failing: 0.02 })]
  const isFailed = ({ traceId, bytes }: MadePacket) =>
    callTree(traceOf(traceId, [bytes]).trace).root.status === 'error'
  // A policy that keeps every failure and a tenth of the rest.
  const policy = kept.map((one) => (isFailed(one) ? one.bytes : weighted(one.bytes, 10)))
  const failed = kept.filter(isFailed).length
  await send(policy)
  await settled(kept.length, from - 1)
  const period = { from, to: from + HOUR }
  const requests = failed + 10 * (300 - failed)
  const { sample, ...told } = await client.analyze(period)
  assert.equal(sample.requests, requests)
  const share = told.failed / told.requests.reduce((sum, one) => sum + one.requests, 0)
  assert.ok(Math.abs(share - failed / requests) < 0.02, `${share}, not ${failed / requests}`)
  const failures = await client.failures(period)
  assert.deepEqual([failures.requests, failures.failed], [requests, failed])
  assert.equal(failures.sample.traces, failed)
})

const weighted = (bytes: Uint8Array, weight: number) =>
  encodePacket({ ...readPacket(bytes)!, weight })

test('draws are as many as traces, each as often as it stands for', () => {
  const weights = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), {
    ...{ minLength: 1, maxLength: 300 },
  })
  void fc.assert(
    fc.property(weights, (all) => {
      const draws = drawsOf(all.map((weight) => ({ weight })))
      const sum = all.reduce((total, weight) => total + weight, 0)
      const drawn = draws.reduce((total, times) => total + times, 0)
      // The last one may lie beyond the sum by what adding up costs.
      assert.ok(Math.abs(drawn - all.length) <= 1)
      for (const [at, weight] of all.entries()) {
        assert.ok(Math.abs(draws[at]! - (weight / sum) * all.length) < 1 + 1e-6)
      }
    }),
  )
  assert.deepEqual(drawsOf([{ weight: 7 }, { weight: 7 }, { weight: 7 }]), [1, 1, 1])
  assert.deepEqual(drawsOf([]), [])
})

test('whoever goes away ends the work, and too many at a time are told to come back', async () => {
  let [read, opened] = [0, () => {}]
  const gate = new Promise<void>((resolve) => (opened = resolve))
  const store: TraceStore = memoryStore()
  const watched = new Proxy<TraceStore>(store, {
    get(_, name: keyof TraceStore) {
      if (name !== 'packets') return (store[name] as () => unknown).bind(store)
      return async (...asked: Parameters<TraceStore['packets']>) => {
        read++
        await gate
        return await store.packets(...asked)
      }
    },
  })
  await using own = createCollector({ store: watched, quietMs: 5 })
  await own.start()
  const body = encodeBatch({
    ...{ id: 'e'.repeat(32), taken: 0, dropped: {} },
    sender: { name: 'shop', host: 'vm-1', pid: 7, instance: 'ef'.repeat(8) },
    packets: made.map(({ bytes }) => bytes),
  })
  const url = 'http://localhost/v1/batches'
  await own.fetch(new Request(url, { method: 'POST', body: body.slice() }))
  const other = collectorClient({
    url: 'http://localhost',
    fetch: (input, init) => own.fetch(new Request(input, init)),
  })
  while ((await other.find()).traces.length < 50) await new Promise((done) => setImmediate(done))
  const abort = new AbortController()
  const ask = () => other.analyze({ signal: abort.signal })
  const asked = Array.from({ length: 20 }, ask)
  // They are handled later: not to be handled is no fault here.
  for (const one of asked) one.catch(() => {})
  while (read < 4) await new Promise((done) => setImmediate(done))
  await assert.rejects(
    () => other.analyze(),
    (error) => error instanceof CollectorError && error.status === 429,
  )
  abort.abort()
  opened()
  for (const one of asked) await assert.rejects(one)
  // Of three hundred traces a group of a hundred was read by each, and no more.
  assert.equal(read, 4)
  assert.equal((await other.analyze()).sample.traces, 300)
})

test('names that mean harm are only names', async () => {
  const name = '</script>\u202e__proto__\u0000=cmd'
  const at = Date.now() - 20 * HOUR
  const both = { host: 'h', service: name, method: name, id: 'a'.repeat(16), parent: null }
  const entries = ['b', 'c'].flatMap((digit) => [
    { ...both, 'rpc-request': at, trace: digit.repeat(32) },
    { ...both, 'rpc-finish': at + 5, trace: digit.repeat(32), status: 'error', error: name },
  ])
  const lines = new TextEncoder().encode(entries.map((one) => JSON.stringify(one)).join('\n'))
  const packets = ['b', 'c'].map((digit) => {
    return encodePacket({ traceId: digit.repeat(32), lines, lineCalls: 2, pieces: [], ended: true })
  })
  await send(packets)
  const period = { from: at - 1, to: at + HOUR }
  await settled(2, period.from)
  const answers = await Promise.all([
    ...[client.analyze(period), client.failures(period), client.stragglers(period)],
    ...[client.criticalPath(period), client.load(period)],
    client.compare({ ...period, against: { filter: 'failed:true' } }),
  ])
  for (const { sample } of answers) assert.equal(sample.traces, 2)
  const [analysis, failures] = [await client.analyze(period), await client.failures(period)]
  assert.equal(analysis.requests[0]?.service, name)
  assert.deepEqual([failures.failures[0]?.error, failures.failures[0]?.requests], [name, 2])
})
