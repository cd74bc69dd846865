import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { summarise } from '../../settle/summarise.ts'
import { keptBatch, TENANT, TRACES } from '../../testing/kept-batches.ts'
import { embeddedStore } from '../embedded-store.ts'
import { StoreError } from '../store-error.ts'
import { type TraceStore, traceKey } from '../trace-store.ts'

const RUNS = process.env.CLEW_NIGHTLY === '1' ? 300 : 5
const BATCHES = 6
const ALL = [...Array(BATCHES).keys()]

let home: string
let whole: string
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'clew-damage-'))
  whole = join(home, 'whole')
  const store = await embeddedStore(whole)
  for (let number = 0; number < BATCHES; number++) await keep(store, number)
  await store.close()
})
after(() => rm(home, { recursive: true, force: true }))

async function keep(store: TraceStore, number: number): Promise<void> {
  const batch = keptBatch(number)
  await store.append([batch])
  await store.settle(
    batch.packets.map(({ traceId, bytes }) =>
      summarise({ tenant: TENANT, traceId, packets: [bytes], replaces: false }),
    ),
  )
}

async function packetsOf(store: TraceStore, numbers: readonly number[]): Promise<number> {
  const keys = numbers.flatMap((number) => keptBatch(number).packets)
  return [...(await store.packets(keys)).values()].reduce((sum, list) => sum + list.length, 0)
}

/** Settles what has no summary. */
async function recover(store: TraceStore): Promise<void> {
  const left = await store.unsettled()
  const packets = await store.packets(left)
  await store.settle(
    left.map((key) =>
      summarise({ ...key, packets: packets.get(traceKey(key)) ?? [], replaces: true }),
    ),
  )
}

async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
}

/** What may happen to a file. */
const harm = fc.record({
  file: fc.nat(),
  kind: fc.constantFrom('flip', 'cut', 'zeros', 'noise', 'delete', 'empty'),
  place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
})

async function inflict(path: string, kind: string, place: number): Promise<void> {
  if (kind === 'delete') return await unlink(path)
  const bytes = await readFile(path)
  const at = Math.floor(place * bytes.length)
  if (kind === 'flip' && bytes.length > 0) bytes[at]! ^= 1 << (at % 8)
  if (kind === 'zeros') bytes.subarray(at, at + 4096).fill(0)
  if (kind === 'noise') bytes.subarray(at, at + 64).fill('\u0017noise', 'latin1')
  await writeFile(path, kind === 'cut' ? bytes.subarray(0, at) : kind === 'empty' ? '' : bytes)
}

test('whatever happens to files, the store opens, tells what was lost, and goes on', {
  timeout: 1_200_000,
}, async () => {
  const dir = join(home, 'harmed')
  await fc.assert(
    fc.asyncProperty(fc.array(harm, { minLength: 1, maxLength: 4 }), async (harms) => {
      await rm(dir, { recursive: true, force: true })
      await cp(whole, dir, { recursive: true, verbatimSymlinks: true })
      const files = await filesOf(dir)
      const harmed = new Map(harms.map((one) => [files[one.file % files.length]!, one]))
      for (const [path, { kind, place }] of harmed) await inflict(path, kind, place)
      const store = await embeddedStore(dir).catch((error: unknown) => error)
      if (store instanceof StoreError) {
        // One that a later version seems to have made is left alone.
        assert.match(store.message, /later version|not empty/u)
        return
      }
      const open = store as TraceStore
      const kept = await packetsOf(open, ALL)
      await recover(open)
      await keep(open, 50)
      assert.equal(await packetsOf(open, [50]), TRACES)
      const lost = BATCHES * TRACES - kept
      if (lost > 0) assert.notDeepEqual(open.health().damage, [], `${lost} were lost, and not told`)
      await open.close()
      const again = await embeddedStore(dir)
      assert.equal(await packetsOf(again, [50]), TRACES)
      await again.close()
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
})

async function copied(): Promise<string> {
  const dir = join(home, 'harmed')
  await rm(dir, { recursive: true, force: true })
  await cp(whole, dir, { recursive: true, verbatimSymlinks: true })
  return dir
}

test('packets that can no longer be read are put aside, counted, and others kept', async () => {
  const dir = await copied()
  for (const path of await filesOf(dir)) {
    if (!path.endsWith('data.bin')) continue
    const columns = await readFile(join(path, '..', 'columns.txt'), 'utf8')
    if (columns.includes('`bytes`')) await inflict(path, 'flip', 0.9)
  }
  const store = await embeddedStore(dir)
  // What was merged already may still lie beside what it was merged into.
  assert.equal(await packetsOf(store, ALL), 0)
  const rows = store.health().damage.map((told) => {
    assert.match(told, /^packets: \d+ rows could not be read/u)
    return Number(/\d+/u.exec(told))
  })
  assert.ok(rows.reduce((sum, one) => sum + one, 0) >= BATCHES * TRACES, String(rows))
  await keep(store, 50)
  assert.equal(await packetsOf(store, [50]), TRACES)
  await store.close()
})

test('definitions of tables that are damaged or gone are put back', async () => {
  const dir = await copied()
  const files = (await filesOf(dir)).filter((path) => /\.sql$|format_version\.txt$/u.test(path))
  for (const [at, path] of files.entries()) {
    if (at % 2 === 0) await unlink(path)
    else await writeFile(path, 'what is this')
  }
  const store = await embeddedStore(dir)
  assert.equal(await packetsOf(store, ALL), BATCHES * TRACES)
  assert.equal((await store.usage()).traces, BATCHES * TRACES)
  assert.equal(store.health().damage.length, files.length)
  await store.close()
})
