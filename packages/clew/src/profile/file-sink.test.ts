import assert from 'node:assert/strict'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Trace } from '../trace/index.ts'
import { fileSink } from './file-sink.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'clew-sink-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

function trace(id: number): Trace {
  const entry = { host: 'h', service: 's', method: 'm', id: String(id).padStart(16, '0') }
  const entries = [{ ...entry, kind: 'rpc-request' as const, timeMs: 1 }]
  return { id: '', entries, folds: [], missing: [], relays: [], complete: true }
}

describe('fileSink', () => {
  it('makes the folders it needs and adds to what is there', async (t) => {
    const path = join(await folder(t), 'a', 'b', 'calls.jsonl')
    for (const id of [1, 2]) {
      const sink = fileSink(path)
      sink.take(trace(id))
      await sink.close()
    }
    assert.equal((await readFile(path, 'utf8')).trim().split('\n').length, 2)
    const fresh = fileSink(path, { truncate: true })
    fresh.take(trace(3))
    await fresh.close()
    assert.equal((await readFile(path, 'utf8')).trim().split('\n').length, 1)
  })

  it('drops and counts what its buffer cannot hold, and tells it once', async (t) => {
    const told: string[] = []
    const path = join(await folder(t), 'calls.jsonl')
    const sink = fileSink(path, {
      maxBufferBytes: 1000,
      onProblem: (message) => told.push(message),
    })
    for (let id = 0; id < 10; id++) sink.take(trace(id))
    await sink.close()
    const { taken, written, dropped } = sink.counts
    assert.equal(taken, 10)
    assert.ok(written > 0 && dropped > 0)
    assert.equal(written + dropped, taken)
    assert.equal(told.length, 1)
    assert.match(told[0]!, /buffer of .* is full; traces are dropped and counted/)
  })

  it('leaves its file alone once it is closed', async (t) => {
    const path = join(await folder(t), 'calls.jsonl')
    const sink = fileSink(path, { truncate: true })
    sink.take(trace(1))
    await sink.close()
    const written = await readFile(path, 'utf8')
    sink.take(trace(2))
    await sink.flush()
    assert.equal(await readFile(path, 'utf8'), written)
    assert.deepEqual(sink.counts, { taken: 2, written: 1, dropped: 1 })
  })

  it('counts what cannot be written and never throws', async () => {
    const told: string[] = []
    const sink = fileSink('/proc/none/such/calls.jsonl', {
      onProblem: (message) => told.push(message),
    })
    sink.take(trace(1))
    await sink.close()
    assert.deepEqual(sink.counts, { taken: 1, written: 0, dropped: 1 })
    assert.match(told.join(), /cannot write/)
  })

  it('begins a line of its own after a write that failed half-way', async (t) => {
    const path = join(await folder(t), 'calls.jsonl')
    const probe = await open(path, 'a')
    const handles = Object.getPrototypeOf(probe) as typeof probe
    await probe.close()
    const fails = t.mock.method(
      handles,
      'appendFile',
      async function (this: typeof probe, text: string) {
        await this.write(text.slice(0, 20))
        throw new Error('ENOSPC')
      },
    )
    const sink = fileSink(path, { onProblem: () => {} })
    sink.take(trace(1))
    await sink.flush()
    fails.mock.restore()
    sink.take(trace(2))
    await sink.close()
    assert.deepEqual(sink.counts, { taken: 2, written: 1, dropped: 1 })
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    assert.equal(lines.length, 2)
    assert.equal(JSON.parse(lines[1]!).id, trace(2).entries[0]!.id)
  })
})
