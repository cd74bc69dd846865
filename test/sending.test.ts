/** Services that send what their calls bring home, and collectors that come and go: no call notices. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { createCollector, memoryStore, traceOf } from '@clew/collector'
import { type Broker, connect, proxy, rpc, run } from 'clew'
import { brokerSink, httpSink, profile, type SendingSink } from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallTree, callTree } from 'clew/trace'
import { ROADS, uniqueName } from './brokers.ts'
import { everyCall } from './kept-traces.ts'

const CLEW = new URL('../../packages/cli/bin/clew.js', import.meta.url).pathname

for (const road of ROADS.filter(({ delivery }) => delivery === 'nameko')) {
  describe(`traces sent over the broker (${road.name})`, { skip: road.skip }, () => {
    it('are whole trees at the collector', async () => {
      const broker = road.broker()
      const queue = uniqueName('clew.collect')
      const sink = brokerSink({ queue, batchMs: 20 })
      const store = memoryStore()
      await using collector = createCollector({ store })
      {
        await using at = await started(broker, sink)
        for (let width = 0; width < 10; width++) await at.work.fan(width)
      }
      // Everything was sent before the services ended, and nobody was there to take it.
      assert.equal(sink.counts.written, sink.counts.taken)
      await collector.start()
      await collector.consume(broker, { queue })
      const trees = await eventually(async () => {
        const found = await treesIn(store)
        assert.equal(found.length, 10)
        return found
      })
      assert.deepEqual(
        trees.map(({ calls }) => calls).toSorted(byNumber),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      )
      for (const { root, complete } of trees) {
        assert.ok(complete)
        for (const call of everyCall(root)) assert.equal(call.presence, '1111')
      }
    })
  })
}

describe('a collector that is gone, hangs or is killed', () => {
  it('fails no call, and takes up where it was left', async (t) => {
    const store = await mkdtemp(join(tmpdir(), 'clew-sending-'))
    const children: ChildProcess[] = []
    t.after(async () => {
      for (const child of children) await ended(child)
      await rm(store, { recursive: true, force: true })
    })
    const first = await collecting(children, store, 0)
    const { url } = first
    const sink = httpSink({ url, batchMs: 10, timeoutMs: 300, onProblem: () => {} })
    await using at = await started(ROADS[0]!.broker(), sink)
    let calls = 0
    const work = async (rounds: number) => {
      for (let round = 0; round < rounds; round++) {
        assert.equal(await at.work.fan(4), 4)
        calls += 5
      }
    }
    await work(100)
    await eventually(() => assert.equal(sink.counts.written, calls))
    first.child.kill('SIGSTOP')
    await work(100)
    assertExact(sink)
    assert.ok(sink.counts.buffered > 0)
    first.child.kill('SIGCONT')
    await eventually(() => assert.equal(sink.counts.written, calls), 20_000)
    await ended(first.child)
    await work(100)
    assertExact(sink)
    assert.ok(sink.counts.buffered > 0)
    await collecting(children, store, Number(new URL(url).port))
    await eventually(() => assert.equal(sink.counts.written, calls), 20_000)
    assert.deepEqual([sink.counts.dropped, sink.counts.rejected], [0, 0])
  })
})

function assertExact({ counts }: SendingSink): void {
  const { taken, written, rejected, dropped, buffered } = counts
  assert.equal(taken, written + rejected + dropped + buffered)
}

const byNumber = (one: number, other: number) => one - other

async function treesIn(store: ReturnType<typeof memoryStore>): Promise<CallTree[]> {
  const ids = await store.idsWith('default', '', 100)
  const keys = ids.map((traceId) => ({ tenant: 'default', traceId }))
  const packets = await store.packets(keys)
  return [...packets.values()].map((list, index) => callTree(traceOf(ids[index]!, list).trace))
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** `clew collect` in a process of its own. */
async function collecting(
  children: ChildProcess[],
  store: string,
  port: number,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const flags = ['collect', '--store', store, '--port', String(port), '--json']
  const child = spawn(process.execPath, [CLEW, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/[\d.:]+/u.exec(line)?.[0]
    if (url !== undefined) return { url, child }
  }
  throw new Error('clew collect ended before it said where it listens')
}

type Work = InstanceType<ReturnType<typeof workOf>>

function workOf(name: string) {
  return class Work {
    static readonly name: string = name
    self = proxy<Work>(name)
    @rpc async leaf(value: number) {
      return value
    }
    @rpc async fan(width: number): Promise<number> {
      const replies = Array.from({ length: width }, (_, n) => this.self.leaf(n))
      return (await Promise.all(replies)).length
    }
  }
}

async function started(broker: Broker, sink: SendingSink) {
  const name = uniqueName('work')
  const running = await run([workOf(name)], { broker, use: [profile()], signals: false })
  const cluster = await connect(broker, { use: [profile({ sink })] })
  return {
    work: cluster.proxy<Work>(name),
    async [Symbol.asyncDispose]() {
      await cluster.close()
      await running.stop()
    },
  }
}

describe('clew doctor', { skip: ROADS[1]!.skip }, () => {
  it('looks at the broker, and at what waits there', async () => {
    const queue = 'clew.collect'
    await using connection = await ROADS[1]!.broker().connect({ onProblem: () => {} })
    const [collector, broker] = ['http://127.0.0.1:9', process.env.CLEW_AMQP_URL!]
    const flags = ['doctor', '--collector', collector, '--broker', broker, '--json']
    await connection.collectQueue.hand(new Uint8Array(3), { queue, timeoutMs: 5_000 })
    const child = spawn(process.execPath, [CLEW, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.on('data', (part) => {
      text += String(part)
    })
    assert.deepEqual(await once(child, 'close'), [1, null])
    const { findings } = JSON.parse(text) as { findings: { what: string; told: string }[] }
    const told = findings.filter(({ what }) => what === 'queue').map((one) => one.told)
    assert.match(told.join(), /^\d+ batches wait in clew.collect, of which \d+ collectors take/u)
    assert.ok(findings.some(({ what }) => what === 'broker'))
  })
})
