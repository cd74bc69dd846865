/** `clew collect`, killed again and again under load: what it acknowledged is there, once, and accounted for. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { collectorClient } from '@clew/collector/client'
import { httpSink, type SendingSink } from 'clew/profile'
import { eventually } from 'clew/testing'
import type { CallRecord } from 'clew/trace/blocks'

const KILLS = process.env.CLEW_NIGHTLY === '1' ? 200 : 10
const SENDERS = 2
/** Packets that each sender is given every few milliseconds. */
const AT_ONCE = 4
const CLEW = new URL('../../packages/cli/bin/clew.js', import.meta.url).pathname

it('loses and doubles nothing of what several senders send', { timeout: 900_000 }, async (t) => {
  const store = await mkdtemp(join(tmpdir(), 'clew-kills-'))
  const running: ChildProcess[] = []
  t.after(async () => {
    for (const child of running) await killed(child)
    await rm(store, { recursive: true, force: true })
  })
  let collector = await collecting(running, store, 0)
  const { url } = collector
  const sinks = Array.from({ length: SENDERS }, (_, at) =>
    httpSink({ url, name: `sender-${at}`, batchMs: 5, timeoutMs: 2_000, onProblem: () => {} }),
  )
  const ids: string[] = []
  let over = false
  const load = (async () => {
    while (!over) {
      for (const sink of sinks) give(sink, ids)
      await delay(10)
    }
  })()
  for (let kill = 0; kill < KILLS; kill++) {
    const before = written(sinks)
    await eventually(() => assert.ok(written(sinks) > before), 30_000)
    await delay(Math.random() * 300)
    await killed(collector.child)
    for (const { counts } of sinks) {
      const { taken, written: sent, rejected, dropped, buffered } = counts
      assert.equal(taken, sent + rejected + dropped + buffered)
    }
    collector = await collecting(running, store, Number(new URL(url).port))
  }
  over = true
  await load
  await eventually(() => assert.equal(written(sinks), ids.length), 60_000)
  const client = collectorClient({ url })
  const usage = await eventually(async () => {
    const told = await client.usage()
    assert.equal(told.calls, ids.length)
    return told
  }, 60_000)
  assert.equal(usage.traces, ids.length)
  const { total, senders } = await client.accounts()
  const { sent, stored, rejected, dropped, underWay } = total
  assert.deepEqual([sent, stored, underWay], [ids.length, ids.length, 0])
  assert.deepEqual([rejected, dropped, senders.length], [{}, {}, SENDERS])
  for (const id of ids.filter((_, at) => at % Math.ceil(ids.length / 20) === 0)) {
    assert.match(await client.trace(id), new RegExp(id, 'u'))
  }
  for (const sink of sinks) await sink.close()
})

const written = (sinks: readonly SendingSink[]) =>
  sinks.reduce((sum, { counts }) => sum + counts.written, 0)

function give(sink: SendingSink, ids: string[]): void {
  for (let at = 0; at < AT_ONCE; at++) {
    const traceId = crypto.randomUUID().replaceAll('-', '')
    const requestUs = Date.now() * 1000
    const record: CallRecord = {
      ...{ id: traceId.slice(16), service: 'shop', method: 'buy', edge: 'call', seq: 0 },
      ...{ attempt: 1, requestUs, finishUs: requestUs + 900, status: 'ok', error: undefined },
    }
    sink.takePacket({
      ...{ traceId, root: { record, host: 'vm-1', pid: 7 } },
      ...{ pieces: [], ended: true },
    })
    ids.push(traceId)
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function collecting(
  running: ChildProcess[],
  store: string,
  port: number,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const flags = ['collect', '--store', store, '--port', String(port), '--json']
  const child = spawn(process.execPath, [CLEW, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.push(child)
  for await (const line of createInterface({ input: child.stdout })) {
    return { url: (JSON.parse(line) as { url: string }).url, child }
  }
  throw new Error('clew collect ended without saying where it is')
}
