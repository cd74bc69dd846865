import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { summarise } from '../../settle/summarise.ts'
import { type MadePacket, madePackets } from '../../testing/made-packets.ts'
import type { TraceSummary } from '../summary.ts'
import { chdbEngine } from './chdb-engine.ts'
import { ClickHouseStore } from './clickhouse-store.ts'
import { TABLES } from './schema.ts'
import type { SqlEngine } from './sql-engine.ts'

let dir: string
let engine: SqlEngine
let store: ClickHouseStore

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clew-figures-'))
  engine = await chdbEngine(dir)
  store = await new ClickHouseStore(engine).open()
})

after(async () => {
  await store.close()
  await rm(dir, { recursive: true, force: true })
})

const FROM_MS = Date.UTC(2026, 5, 1, 10, 58)
const TRACES = 8
const made: readonly MadePacket[] = [
  ...madePackets(TRACES * 3, { fromMs: FROM_MS, overMs: 300_000, failing: 0.05 }),
]

/** The same trace, told in one of three ways: other calls, another time, another weight. */
function summaryOf(trace: number, way: number, weight: number, replaces: boolean): TraceSummary {
  const told = made[trace + way * TRACES]!
  const packets = [told.bytes]
  const summary = summarise({ tenant: 'default', traceId: told.traceId, packets, replaces })
  const row = { ...summary.row, traceId: made[trace]!.traceId, weight }
  return { ...summary, row, packets: way + 1 }
}

/** Every figure, without what sums up to nothing. */
async function figures(): Promise<unknown> {
  const round = (column: string) => `round(sum(${column}), 6)`
  const bins = (column: string) =>
    `arraySort(arrayFilter(x -> abs(x.2) > 1e-6, arrayMap((k, v) -> (k, round(v, 6)), (sumMap(mapKeys(${column}), mapValues(${column})) AS ${column}_sum).1, ${column}_sum.2)))`
  const calls = await engine.query(
    `SELECT tenant, bucket, service, method, caller_service, caller_method, edge, ${round('calls')} AS c, ${round('failed')} AS f, ${round('origins')} AS o, ${round('critical')} AS k, ${round('total_sum')} AS t, ${round('self_sum')} AS s, ${round('in_flight_sum')} AS i, ${round('in_flight_calls')} AS n, ${bins('total_bins')} AS tb, ${bins('self_bins')} AS sb FROM clew.calls_rollup GROUP BY ALL HAVING abs(c) > 1e-6 ORDER BY ALL`,
  )
  const requests = await engine.query(
    `SELECT tenant, bucket, service, method, ${round('requests')} AS r, ${round('failed')} AS f, ${round('total_sum')} AS t, ${bins('total_bins')} AS tb FROM clew.requests_rollup GROUP BY ALL HAVING abs(r) > 1e-6 ORDER BY ALL`,
  )
  const parts = await engine.query(
    `SELECT tenant, bucket, request_service, request_method, service, layer, ${round('requests')} AS r, ${round('sum')} AS t, ${bins('bins')} AS b FROM clew.parts_rollup GROUP BY ALL HAVING abs(r) > 1e-6 ORDER BY ALL`,
  )
  return { calls, requests, parts }
}

async function empty(): Promise<void> {
  for (const table of Object.keys(TABLES)) await engine.command(`TRUNCATE TABLE clew.${table}`)
}

const telling = fc.record({
  trace: fc.nat(TRACES - 1),
  way: fc.nat(2),
  weight: fc.constantFrom(1, 10, 2.5),
})

test('after any settlements, deletions and merges figures are those of what is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(telling, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
      fc.nat(TRACES),
      async (rounds, removed) => {
        await empty()
        const last = new Map<number, TraceSummary>()
        for (const round of rounds) {
          const once = [...new Map(round.map((one) => [one.trace, one])).values()]
          const summaries = once.map(({ trace, way, weight }) =>
            summaryOf(trace, way, weight, last.has(trace)),
          )
          await store.settle(summaries)
          for (const [at, { trace }] of once.entries()) last.set(trace, summaries[at]!)
        }
        if (last.delete(removed)) await store.remove('default', [made[removed]!.traceId])
        const found = await figures()
        await empty()
        await store.settle([...last.values()].map((one) => ({ ...one, replaces: false })))
        assert.deepEqual(found, await figures())
      },
    ),
    { numRuns: 5 },
  )
})

test('what was settled anew counts once, whichever of its rows the engine merged first', async () => {
  // Within one bucket, so that it is counted row by row.
  const period = { fromMs: FROM_MS + 1, toMs: FROM_MS + 600_000 }
  const question = { tenant: 'default', period, filter: { conditions: [] } }
  const callsIn = async () =>
    (await store.statistics(question)).reduce((sum, { calls }) => sum + calls, 0)
  for (const table of ['traces', 'calls', 'none']) {
    await empty()
    // Nothing is merged by chance.
    await engine.command('SYSTEM STOP MERGES')
    const summaries = [1, 2, 3].map((trace) => summaryOf(trace, 0, 1, false))
    await store.settle(summaries)
    const counted = await callsIn()
    assert.ok(counted > 3)
    await store.settle(summaries.map((summary) => ({ ...summary, replaces: true })))
    await engine.command('SYSTEM START MERGES')
    if (table !== 'none') await engine.command(`OPTIMIZE TABLE clew.${table} FINAL`)
    assert.equal(await callsIn(), counted, table)
  }
})

const CANARY = 'canary-7c1f0a52'
const packetOf = (tenant: string, { traceId, bytes }: MadePacket, arrivedMs: number) => ({
  ...{ tenant, traceId, arrivedMs },
  // Bytes of a packet are kept as they are: a text in them that nothing compresses away.
  bytes: Buffer.concat([bytes, Buffer.from(CANARY)]),
})

test('what began before goes, by age and by size, and figures with it', async () => {
  await empty()
  const [before, later] = [FROM_MS - 5 * 86_400_000, FROM_MS]
  const old = [...madePackets(40, { seed: 3, fromMs: before, overMs: 3_600_000 })]
  const young = [...madePackets(40, { seed: 4, fromMs: later, overMs: 3_600_000 })]
  const summaries = [...old, ...young].map(({ traceId, bytes }) =>
    summarise({ tenant: 'default', traceId, packets: [bytes], replaces: false }),
  )
  for (const [at, some] of [old, young].entries()) {
    const packets = some.map((one) => packetOf('default', one, at === 0 ? before : later))
    await store.append([{ id: `e${at}`.padEnd(32, '0'), packets }])
  }
  await store.settle(summaries)
  const cut = later + 1_200_000 + 77
  const kept = summaries.filter(({ row }) => row.startUs >= cut * 1_000)
  assert.ok(kept.length > 10 && kept.length < 40)
  assert.equal(await store.expire({ beforeMs: cut }), 80 - kept.length)
  assert.equal(await store.expire({ beforeMs: cut }), 0)
  const ids = kept.map(({ row }) => row.traceId).sort()
  assert.deepEqual(await store.idsWith('default', '', 100), ids)
  assert.equal((await store.usage('default')).traces, kept.length)
  const found = await figures()
  const { bytes } = await store.usage()
  const expired = await store.expire({ maxBytes: Math.floor(bytes * 0.7) })
  assert.ok(expired > 0)
  const left = await store.idsWith('default', '', 100)
  const newest = [...kept].sort((a, b) => b.row.startUs - a.row.startUs)
  const expected = newest.slice(0, kept.length - expired).map(({ row }) => row.traceId)
  assert.deepEqual(left, expected.sort())
  await empty()
  await store.settle(kept)
  assert.deepEqual(found, await figures())
})

/** In how many of the store's files a text lies. */
async function lies(text: string): Promise<number> {
  try {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    const found = files.map(async ({ parentPath, name }) =>
      (await readFile(join(parentPath, name))).includes(text),
    )
    return (await Promise.all(found)).filter(Boolean).length
  } catch (error) {
    // A merge came to its end meanwhile, and other files are there now.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return await lies(text)
  }
}

test('what is deleted is gone from every file', async () => {
  await empty()
  // Without compression what is kept can be seen in the files.
  await engine.command('ALTER TABLE clew.packets MODIFY COLUMN bytes String CODEC(NONE)')
  const all = [...madePackets(6, { seed: 9, fromMs: FROM_MS })]
  for (const [at, one] of all.entries()) {
    const tenant = at < 3 ? 'mine' : 'theirs'
    const packet = { ...packetOf(tenant, one, FROM_MS), bytes: Buffer.from(`${CANARY}-${at}`) }
    await store.append([{ id: `f${at}`.padEnd(32, '0'), packets: [packet] }])
    const { traceId, bytes } = one
    await store.settle([summarise({ tenant, traceId, packets: [bytes], replaces: false })])
  }
  for (const at of all.keys()) assert.notEqual(await lies(`${CANARY}-${at}`), 0)
  assert.equal(await store.remove('theirs', [all[0]!.traceId]), 0)
  assert.equal(await store.remove('mine', [all[0]!.traceId, all[4]!.traceId]), 1)
  assert.equal(await lies(`${CANARY}-0`), 0)
  assert.notEqual(await lies(`${CANARY}-1`), 0)
  await store.removeTenant('mine')
  for (const at of [0, 1, 2]) assert.equal(await lies(`${CANARY}-${at}`), 0)
  for (const at of [3, 4, 5]) assert.notEqual(await lies(`${CANARY}-${at}`), 0)
  for (const table of Object.keys(TABLES)) {
    // Nobody told of senders here.
    if (table === 'accounts') continue
    const rows = await engine.query(`SELECT DISTINCT tenant FROM clew.${table}`)
    assert.deepEqual(rows, [{ tenant: 'theirs' }], table)
  }
})
