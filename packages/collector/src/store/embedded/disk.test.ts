import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdir, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { EVERYTHING } from '../../filter/filter.ts'
import { summarise } from '../../settle/summarise.ts'
import { keptBatch, TENANT, TRACES } from '../../testing/kept-batches.ts'
import { embeddedStore } from '../embedded-store.ts'
import { StoreError } from '../store-error.ts'
import type { TraceStore } from '../trace-store.ts'

/** A disk of its own; undefined where this process may not have one. */
function disk(context: TestContext, size: string): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'clew-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'clew', dir], { stdio: 'ignore' })
  } catch {
    rmSync(dir, { recursive: true })
    context.skip('to make a disk of its own takes root')
    return undefined
  }
  context.after(() => {
    execFileSync('umount', ['-l', dir])
    rmSync(dir, { recursive: true })
  })
  return dir
}

async function keep(store: TraceStore, number: number): Promise<void> {
  const batch = keptBatch(number)
  await store.append([batch])
  await store.settle(
    batch.packets.map(({ traceId, bytes }) =>
      summarise({ tenant: TENANT, traceId, packets: [bytes], replaces: false }),
    ),
  )
}

/** Keeps batches until one is refused. */
async function fill(store: TraceStore, from: number, most = 400): Promise<number> {
  for (let number = from; number < from + most; number++) {
    try {
      await keep(store, number)
    } catch (error) {
      assert.ok(error instanceof StoreError && error.code === 'full', String(error))
      return number
    }
  }
  throw new Error('it is never full')
}

async function packetsOf(store: TraceStore, batches: number): Promise<number> {
  const keys = Array.from({ length: batches }, (_, number) => keptBatch(number).packets).flat()
  return [...(await store.packets(keys)).values()].reduce((sum, list) => sum + list.length, 0)
}

/** Room that can be had back: what the store has is little beside it. */
async function ballast(dir: string, mib: number): Promise<string> {
  const path = join(dir, 'ballast')
  await writeFile(path, Buffer.alloc(mib * 1024 ** 2))
  return path
}

test('before the disk is full nothing more is taken, and again when there is room', async (context) => {
  const dir = disk(context, '64m')
  if (dir === undefined) return
  const weight = await ballast(dir, 44)
  const store = await embeddedStore(join(dir, 'store'), { reserveBytes: 16 * 1024 ** 2 })
  const full = await fill(store, 0)
  const { writable, reason } = store.health()
  assert.equal(writable, false)
  assert.match(reason!, /MiB left, and 16 MiB are reserved/u)
  assert.equal(await packetsOf(store, full), full * TRACES)
  await unlink(weight)
  await keep(store, full)
  assert.equal(store.health().writable, true)
  await store.close()
})

test('a disk that is full to the last byte loses nothing, and harms no figure', async (context) => {
  const dir = disk(context, '48m')
  if (dir === undefined) return
  const store = await embeddedStore(join(dir, 'store'), { reserveBytes: 0 })
  await keep(store, 0)
  const weight = await ballast(dir, 36)
  await writeFile(join(dir, 'rest'), Buffer.alloc(48 * 1024 ** 2)).catch(() => {})
  await unlink(join(dir, 'rest')).catch(() => {})
  const full = await fill(store, 1)
  assert.equal(await packetsOf(store, full), full * TRACES)
  await unlink(weight)
  // What was kept of the last batch and not settled is settled now, as a settler does that tries again.
  const batch = keptBatch(full)
  await store.append([batch])
  await store.settle(
    batch.packets.map(({ traceId, bytes }) =>
      summarise({ tenant: TENANT, traceId, packets: [bytes], replaces: false }),
    ),
  )
  await keep(store, full + 1)
  assert.equal(await packetsOf(store, full + 2), (full + 2) * TRACES)
  const period = { fromMs: 0, toMs: Date.UTC(2027, 0, 1) }
  const { requests } = await store.breakdown({ tenant: TENANT, period, filter: EVERYTHING })
  assert.equal(
    requests.reduce((sum, row) => sum + row.requests, 0),
    (full + 2) * TRACES,
  )
  await store.close()
})

test('a folder that may not be written, or holds something else, is refused', async (context) => {
  const home = mkdtempSync(join(tmpdir(), 'clew-folder-'))
  context.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'letters'))
  await writeFile(join(home, 'letters', 'one.txt'), 'Dear Ariadne')
  await assert.rejects(embeddedStore(join(home, 'letters')), /is not empty, and holds no store/u)
  await assert.rejects(embeddedStore(join(home, 'letters', 'one.txt')), { code: 'failed' })
  await mkdir(join(home, 'later'))
  await writeFile(join(home, 'later', 'VERSION'), 'clew-store 2\n')
  await assert.rejects(embeddedStore(join(home, 'later')), /by a later version of Clew/u)
  if (process.getuid?.() !== 0) {
    await chmod(home, 0o500)
    await assert.rejects(embeddedStore(join(home, 'new')), /may not write/u)
    return
  }
  const dir = disk(context, '64m')
  if (dir === undefined) return
  const store = await embeddedStore(dir)
  await store.close()
  execFileSync('mount', ['-o', 'remount,ro', dir])
  await assert.rejects(embeddedStore(dir), /may not write in/u)
})
