import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Collector, createCollector, memoryStore, traceOf } from '@clew/collector'
import type { RecallAnswer } from '@clew/collector/client'
import { type Broker, connect, type Plugin, proxy, rpc, run } from 'clew'
import { brokerSink, openRecaller, profile } from 'clew/profile'
import { callTree, verdict } from 'clew/trace'
import { Assembly } from 'clew/trace/blocks'
import { ROADS, uniqueName } from './brokers.ts'

/** Two services: the first waits for the second, which answers when it is let. */
function services(gate: Promise<void>, timeoutMs = 60_000) {
  const [front, back] = [uniqueName('front'), uniqueName('back')]
  class Back {
    static readonly name: string = back
    @rpc async work(): Promise<string> {
      await gate
      return 'done'
    }
  }
  class Front {
    static readonly name: string = front
    back = proxy<Back>(back, { timeoutMs })
    @rpc async ask(): Promise<string> {
      return this.back.work()
    }
  }
  return { Front, Back, front }
}

/** What has been answered never reaches the broker. */
const losing: Plugin = {
  name: 'losing',
  callee: (next) => async (call) => {
    await next(call)
    return new Promise<never>(() => {})
  },
}

async function until<T>(value: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await value()
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, 'it did not come in 20 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const quiet = { drainTimeoutMs: 500, signals: false, log: () => {} }

async function collecting(t: TestContext, broker: Broker, queue: string) {
  const store = memoryStore()
  const collector = createCollector({ store, quietMs: 100 })
  await collector.start()
  await collector.consume(broker, { queue })
  t.after(() => collector.close())
  const tree = async (traceId: string) => {
    const key = { tenant: 'default', traceId }
    const packets = [...(await store.packets([key])).values()][0]
    return packets && callTree(traceOf(traceId, packets).trace)
  }
  return { collector, store, tree }
}

async function recall(collector: Collector, id: string) {
  const url = `http://collector.test/api/traces/${id}/recall`
  const response = await collector.fetch(new Request(url, { method: 'POST' }))
  const body = (await response.json()) as RecallAnswer & { error: { code: string } }
  return { status: response.status, body }
}

for (const road of ROADS.filter(({ delivery }) => delivery === 'nameko')) {
  describe(`a collector over ${road.name}`, { skip: road.skip }, () => {
    it('asks for what a timed-out trace lacks, by itself and on demand', async (t) => {
      const broker = road.broker()
      const queue = uniqueName('collect')
      const { Front, Back, front } = services(Promise.resolve(), 200)
      const { collector, store, tree } = await collecting(t, broker, queue)
      const running = await run(Front, { broker, use: [profile()], ...quiet })
      t.after(() => running.stop())
      const deaf = await run(Back, { broker, use: [losing, profile()], ...quiet })
      t.after(() => deaf.stop())
      const sink = brokerSink({ queue })
      // The process that asked does not ask for it: the collector has to.
      const use = [profile({ sink, recallOnLoss: false })]
      await using cluster = await connect(broker, { use })
      await assert.rejects(cluster.proxy<InstanceType<typeof Front>>(front).ask(), /\[timeout\]/u)
      const traceId = await until(async () => (await store.idsWith('default', '', 9))[0])
      const whole = await until(async () => {
        const found = await tree(traceId)
        return found?.root.calls[0]?.presence === '1111' ? found : undefined
      })
      assert.deepEqual(whole.problems, [])
      assert.equal(whole.calls, 2)
      assert.match(
        verdict(whole).sentences[0]!,
        /work on \S+ answered in time, but its reply was lost/u,
      )
      const again = await recall(collector, traceId.slice(0, 20))
      assert.equal(again.status, 200)
      assert.deepEqual([again.body.trace, again.body.heard], [traceId, true])
      const nothing = await recall(collector, 'f'.repeat(32))
      assert.deepEqual(nothing.body, {
        ...{ trace: 'f'.repeat(32), heard: true },
        ...{ answers: 0, calls: 0 },
      })
    })

    it('is told of workers that are running, and who asks alone is told as well', async (t) => {
      const broker = road.broker()
      const gate = Promise.withResolvers<void>()
      const { Front, Back, front } = services(gate.promise)
      const running = await run([Front, Back], { broker, use: [profile()], ...quiet })
      t.after(() => running.stop())
      const { collector, tree } = await collecting(t, broker, uniqueName('collect'))
      const connection = await broker.connect({})
      t.after(() => connection.close())
      // A peer that brings its own trace context, as a Python service would.
      const traceId = `${'ab'.repeat(12)}${Date.now().toString(16).padStart(8, '0').slice(-8)}`
      const peer = await connected(t, broker, traceId)
      const calling = peer.proxy<InstanceType<typeof Front>>(front).ask()
      const assembly = new Assembly(traceId)
      let pieces = 0
      await using recaller = await openRecaller(connection.mailbox, (packet) => {
        for (const piece of packet.pieces) if (assembly.addPiece(piece)) pieces++
      })
      await until(async () => {
        assert.equal(await recaller.ask([traceId]), true)
        await new Promise((resolve) => setTimeout(resolve, 200))
        return pieces >= 2 ? pieces : undefined
      })
      const seen = callTree(assembly.finish())
      assert.deepEqual(
        seen.problems.map(({ kind }) => kind),
        ['orphan'],
      )
      const asked = seen.root.calls[0]!
      assert.equal(asked.presence, '0100')
      assert.equal(asked.calls[0]?.presence, '1100')
      assert.ok(asked.runningMs! > 0 && asked.calls[0]!.runningMs! > 0)
      const { body } = await recall(collector, traceId)
      assert.ok(body.answers >= 1 && body.heard === true)
      gate.resolve()
      assert.equal(await calling, 'done')
      await recall(collector, traceId)
      const ended = await until(async () => await tree(traceId))
      assert.equal(ended.root.calls[0]?.presence, '0110')
      assert.equal(ended.root.calls[0]?.calls[0]?.presence, '1111')
    })

    it('is told nothing where services keep it to themselves', async (t) => {
      const broker = road.broker()
      const { Front, Back, front } = services(Promise.resolve())
      for (const recorder of [false, { answers: false }] as const) {
        const traceId = `${'cd'.repeat(12)}${Math.random().toString(16).slice(2, 10).padEnd(8, '0')}`
        const running = await run([Front, Back], { broker, use: [profile({ recorder })], ...quiet })
        const peer = await connected(t, broker, traceId)
        assert.equal(await peer.proxy<InstanceType<typeof Front>>(front).ask(), 'done')
        const connection = await broker.connect({})
        let came = 0
        await using recaller = await openRecaller(connection.mailbox, () => came++)
        await recaller.ask([traceId])
        await new Promise((resolve) => setTimeout(resolve, 100))
        assert.equal(came, 0)
        await connection.close()
        await running.stop()
      }
    })
  })
}

/** A caller that brings a trace context of its own. */
async function connected(t: TestContext, broker: Broker, traceId: string) {
  const traceparent = `00-${traceId}-00000000000000aa-01`
  const peer: Plugin = {
    name: 'peer',
    caller: (next) => (call) => next({ ...call, headers: { ...call.headers, traceparent } }),
  }
  const cluster = await connect(broker, { use: [peer] })
  t.after(() => cluster.close())
  return cluster
}

describe('a collector at no broker', () => {
  it('says that it has nobody to ask', async (t) => {
    const collector = createCollector({ store: memoryStore() })
    t.after(() => collector.close())
    const { status, body } = await recall(collector, 'f'.repeat(32))
    assert.equal(status, 409)
    assert.equal(body.error.code, 'no_broker')
  })
})
