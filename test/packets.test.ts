/** Traces that are handed to a sink as they came: whoever reads them finds what would have been read here. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, event, eventDispatcher, proxy, rpc, run, withOptions } from 'clew'
import { profile, traced } from 'clew/profile'
import { ROADS, type Road, uniqueName } from './brokers.ts'
import { KeptPackets } from './kept-packets.ts'
import { KeptTraces, outlineOf } from './kept-traces.ts'

for (const road of ROADS.filter(({ delivery }) => delivery === 'nameko')) {
  describe(`packets (${road.name})`, { skip: road.skip }, () => {
    it('come whole and ended in one, where the reply brings all there is', async () => {
      const sink = new KeptPackets()
      await using at = await started(road, sink)
      await at.work.chain(3)
      // Handed over with the reply: nothing has to be read or waited for.
      assert.equal(sink.packets.length, 1)
      const [packet] = sink.read
      assert.equal(packet!.ended, true)
      assert.equal(packet!.pieces.length, 0)
      assert.deepEqual(outlineOf(sink.trees[0]!), ['chain', '  chain', '    chain', '      chain'])
      assert.equal(sink.trees[0]!.complete, true)
    })

    it('have the pieces that came around the reply', async () => {
      const sink = new KeptPackets()
      await using at = await started(road, sink, 1024)
      await at.work.fan(300)
      const tree = await sink.until(({ calls }) => calls === 301)
      assert.equal(tree.missingCalls, 0)
      assert.ok(sink.read[0]!.pieces.length > 1)
      assert.equal(sink.read[0]!.ended, true)
    })

    it('bring what comes when nobody waits any more', async () => {
      const sink = new KeptPackets()
      await using at = await started(road, sink)
      await assert.rejects(withOptions(at.work, { timeoutMs: 30 }).slow(400))
      const tree = await sink.until(({ root }) => root.late)
      assert.equal(tree.root.status, 'timeout')
      assert.equal(tree.calls, 1)
      assert.equal(sink.read.at(-1)!.ended, false)
    })

    it('bring what handlers of events did', async () => {
      const sink = new KeptPackets()
      await using at = await started(road, sink)
      await at.work.publish()
      await sink.until(({ root }) => root.calls[0]?.calls[0]?.status === 'ok')
    })

    it('begin at a callee whose caller keeps none', async () => {
      const sink = new KeptPackets()
      await using at = await started(road, sink, 1024, true)
      await at.work.chain(2)
      await at.work.fan(300)
      const tree = await sink.until(({ calls }) => calls === 3)
      assert.equal(tree.root.presence, '0110')
      await sink.until(({ calls, missingCalls }) => calls === 301 && missingCalls === 0)
    })

    it('are given beside traces to those who want these', async () => {
      const [sink, traces] = [new KeptPackets(), new KeptTraces()]
      const name = uniqueName('work')
      const broker = road.broker()
      await using running = await run([workOf(name)], { broker, use: [profile()], signals: false })
      assert.ok(running)
      const use = [profile({ sink }), profile({ sink: traces })]
      await using cluster = await connect(broker, { use })
      await traced(cluster.proxy<Work>(name)).chain(1)
      await traces.until(({ calls }) => calls === 2)
      await sink.until(({ calls }) => calls === 2)
      assert.equal(sink.read[0]!.traceId, traces.traces[0]!.id)
    })
  })
}

type Work = InstanceType<ReturnType<typeof workOf>>

function workOf(name: string) {
  class Work {
    static readonly name: string = name
    self = proxy<Work>(name)
    dispatch = eventDispatcher()
    @rpc async leaf(value: number) {
      return value
    }
    @rpc async chain(levels: number): Promise<number> {
      return levels === 0 ? 0 : 1 + (await this.self.chain(levels - 1))
    }
    @rpc async fan(width: number): Promise<number> {
      const replies = Array.from({ length: width }, (_, n) => this.self.leaf(n))
      return (await Promise.all(replies)).length
    }
    @rpc async slow(ms: number): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
    @rpc async publish(): Promise<void> {
      await this.dispatch('happened')
    }
    @event(name, 'happened') async handle() {
      await new Promise((resolve) => setTimeout(resolve, 400))
    }
  }
  return Work
}

async function started(road: Road, sink: KeptPackets, budget = 16_384, atCallee = false) {
  const broker = road.broker()
  const name = uniqueName('work')
  const use = [profile({ budget, ...(atCallee && { sink }) })]
  const running = await run([workOf(name)], { broker, use, signals: false })
  const cluster = await connect(broker, atCallee ? {} : { use: [profile({ sink })] })
  return {
    work: cluster.proxy<Work>(name),
    async [Symbol.asyncDispose]() {
      await cluster.close()
      await running.stop()
    },
  }
}
