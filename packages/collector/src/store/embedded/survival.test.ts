import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EVERYTHING } from '../../filter/filter.ts'
import { summarise } from '../../settle/summarise.ts'
import { FROM_MS, HOUR_MS, keptBatch, TENANT, TRACES } from '../../testing/kept-batches.ts'
import { embeddedStore } from '../embedded-store.ts'
import { StoreError } from '../store-error.ts'
import { type TraceKey, type TraceStore, traceKey } from '../trace-store.ts'

const KILLS = process.env.CLEW_NIGHTLY === '1' ? 200 : 10
const PROGRAM = fileURLToPath(new URL('../../testing/keeping-process.js', import.meta.url))

let dir: string
before(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'clew-survival-')), 'store')
})
after(() => rm(join(dir, '..'), { recursive: true, force: true }))

/** Keeps batches from a number on, and tells which were acknowledged. */
class Keeping {
  readonly process: ChildProcess
  readonly acknowledged: number[] = []
  readonly first: Promise<void>
  errors = ''

  constructor(from: number) {
    this.process = spawn(process.execPath, [PROGRAM, dir, String(from)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stderr?.on('data', (text) => {
      this.errors += String(text)
    })
    this.first = new Promise((resolve, reject) => {
      this.process.once('exit', () => reject(new Error(`it ended by itself: ${this.errors}`)))
      let rest = ''
      this.process.stdout?.on('data', (text) => {
        const lines = (rest + String(text)).split('\n')
        rest = lines.pop()!
        for (const line of lines) this.acknowledged.push(Number(line))
        if (lines.length > 0) resolve()
      })
    })
  }

  async kill(): Promise<void> {
    const closed = once(this.process, 'close')
    this.process.kill('SIGKILL')
    await closed
  }
}

const period = { fromMs: FROM_MS, toMs: FROM_MS + HOUR_MS }
const question = { tenant: TENANT, period, filter: EVERYTHING }

/** Settles what a crash left. */
async function recover(store: TraceStore): Promise<void> {
  const left = await store.unsettled()
  const packets = await store.packets(left)
  await store.settle(
    left.map((key) => summarise({ ...key, packets: packets.get(traceKey(key))!, replaces: true })),
  )
  assert.deepEqual(await store.unsettled(), [])
}

/** How many packets there are of each of these batches. */
async function keptOf(store: TraceStore, numbers: readonly number[]): Promise<number[]> {
  const counts: number[] = []
  for (let at = 0; at < numbers.length; at += 100) {
    const batches = numbers.slice(at, at + 100).map((number) => keptBatch(number).packets)
    const kept = await store.packets(batches.flat())
    const count = (packets: readonly TraceKey[]) =>
      packets.reduce((sum, key) => sum + (kept.get(traceKey(key))?.length ?? 0), 0)
    counts.push(...batches.map(count))
  }
  return counts
}

/** Figures, which come from rollups, are those of the traces that are there. */
async function figuresFit(store: TraceStore): Promise<number> {
  const ids = await store.idsWith(TENANT, '', 1_000_000)
  const keys = ids.map((traceId) => ({ tenant: TENANT, traceId }))
  const packets = await store.packets(keys)
  const summaries = keys.map((key) =>
    summarise({ ...key, packets: packets.get(traceKey(key))!, replaces: false }),
  )
  const calls = summaries.reduce((sum, one) => sum + one.calls.length, 0)
  const rows = await store.statistics(question)
  assert.equal(
    rows.reduce((sum, row) => sum + row.calls, 0),
    calls,
  )
  const { requests } = await store.breakdown(question)
  assert.equal(
    requests.reduce((sum, row) => sum + row.requests, 0),
    ids.length,
  )
  assert.equal((await store.count(question)).traces, ids.length)
  return ids.length
}

test('a process that is killed loses nothing that was acknowledged, and no batch is half there', {
  timeout: 1_800_000,
}, async () => {
  const acknowledged: number[] = []
  let next = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const keeping = new Keeping(next)
    await keeping.first
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
    await keeping.kill()
    acknowledged.push(...keeping.acknowledged)
    // What had not been acknowledged may be there, and is sent again.
    next = acknowledged.length
  }
  assert.deepEqual(acknowledged, [...acknowledged.keys()])
  const store = await embeddedStore(dir)
  const counts = await keptOf(store, acknowledged)
  assert.deepEqual(new Set(counts), new Set([TRACES]))
  const [last = 0] = await keptOf(store, [next])
  assert.ok(last === 0 || last === TRACES, `${last} packets of a batch`)
  await recover(store)
  const traces = await figuresFit(store)
  assert.equal(traces, acknowledged.length * TRACES + last)
  // A batch is known though another process kept it.
  const again = keptBatch(next - 1)
  assert.deepEqual([...(await store.append([again]))], [again.id])
  assert.deepEqual(store.health().damage, [])
  await store.close()
})

test('a second process is refused, and told by which', async () => {
  const keeping = new Keeping(100_000)
  await keeping.first
  const refused = await embeddedStore(dir).catch((error: unknown) => error)
  assert.ok(refused instanceof StoreError && refused.code === 'locked', String(refused))
  assert.match(refused.message, new RegExp(`process ${keeping.process.pid}\\b`, 'u'))
  await keeping.kill()
  const store = await embeddedStore(dir)
  await assert.rejects(embeddedStore(dir), { code: 'locked' })
  await store.close()
})
