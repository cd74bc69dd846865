import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { BLOCKED, deleteQueue, UNBLOCKED } from '../../broker/contract/line.ts'
import { TcpProxy } from '../../broker/contract/tcp-proxy.ts'
import { memory, rabbitmq } from '../../broker/index.ts'
import { type Broker, ConfigError, newHalfId } from '../../call/index.ts'
import { eventually } from '../../testing/eventually.ts'
import { type ReadBatch, readBatch } from '../../trace/blocks.ts'
import { profile } from '../profile.ts'
import { brokerSink } from './broker-sink.ts'
import type { SendingSink } from './sending-sink.ts'
import { callsIn } from './test-collector.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

let packets = 0

function take(sink: SendingSink, calls: number): void {
  const traceId = (++packets).toString(16).padStart(32, '0')
  const lines = new Uint8Array(100)
  sink.takePacket({ traceId, pieces: [], lines, lineCalls: calls, ended: true })
}

/** A connection as a profiled process has one. */
async function connected(t: TestContext, broker: Broker, sink: SendingSink) {
  const problems: string[] = []
  const onProblem = ({ kind }: { readonly kind: string }) => void problems.push(kind)
  const connection = await broker.connect({ onProblem })
  const plugin = profile({ sink })
  const { mailbox, collectQueue } = connection
  await plugin.start?.({ mailbox, collectQueue, onProblem })
  const close = () => connection.close(async () => plugin.stop?.())
  t.after(close)
  return { connection, problems, close }
}

async function collected(t: TestContext, broker: Broker, queue: string) {
  const kept = new Map<string, ReadBatch>()
  const connection = await broker.connect({})
  const take = async (bytes: Uint8Array) => {
    const batch = readBatch(bytes)!
    kept.set(batch.id, batch)
  }
  await connection.collectQueue.consume(take, { queue, prefetch: 8 })
  t.after(() => connection.close())
  return {
    get calls() {
      return [...kept.values()].reduce((sum, batch) => sum + callsIn(batch), 0)
    },
  }
}

function ownQueue(t: TestContext): string {
  const queue = `clew.collect-test-${newHalfId()}`
  t.after(async () => {
    if (url === undefined) return
    await deleteQueue(queue)
    await deleteQueue(`dead-${queue}`)
  })
  return queue
}

for (const [name, brokerOf, skipped] of [
  ['memory', memory, false],
  ['rabbitmq', () => rabbitmq(url!), skip],
] as const) {
  describe(`brokerSink (${name})`, { skip: skipped }, () => {
    it('sends before any collector has run, and at the end what is left', async (t) => {
      const [queue, broker] = [ownQueue(t), brokerOf()]
      const sink = brokerSink({ queue, batchMs: 60_000 })
      const { close } = await connected(t, broker, sink)
      take(sink, 5)
      take(sink, 6)
      assert.equal(sink.counts.buffered, 11)
      await close()
      const { taken, written, buffered } = sink.counts
      assert.deepEqual({ taken, written, buffered }, { taken: 11, written: 11, buffered: 0 })
      const collector = await collected(t, broker, queue)
      await eventually(() => assert.equal(collector.calls, 11))
    })

    it('uses whichever connection of its process is there', async (t) => {
      const [queue, broker] = [ownQueue(t), brokerOf()]
      const told: string[] = []
      const sink = brokerSink({ queue, batchMs: 1, onProblem: (message) => told.push(message) })
      take(sink, 1)
      await eventually(() => assert.match(told[0] ?? '', /no profiled process is connected/))
      const first = await connected(t, broker, sink)
      await connected(t, broker, sink)
      await eventually(() => assert.equal(sink.counts.written, 1))
      await first.close()
      take(sink, 2)
      await eventually(() => assert.equal(sink.counts.written, 3))
    })
  })
}

describe('brokerSink', () => {
  it('refuses names that no queue can have', () => {
    for (const queue of ['', 'q'.repeat(251)]) {
      assert.throws(() => brokerSink({ queue }), ConfigError)
    }
  })

  it('goes on by itself when the broker is back, and loses nothing it could hold', {
    skip,
  }, async (t) => {
    const queue = ownQueue(t)
    const proxy = await TcpProxy.open(url!)
    const sink = brokerSink({ queue, batchMs: 1, timeoutMs: 500, onProblem: () => {} })
    await connected(t, rabbitmq(proxy.url), sink)
    t.after(() => proxy[Symbol.asyncDispose]())
    const collector = await collected(t, rabbitmq(url!), queue)
    take(sink, 1)
    await eventually(() => assert.equal(sink.counts.written, 1))
    proxy.reset()
    for (let calls = 1; calls <= 100; calls++) take(sink, 1)
    await eventually(() => assert.equal(sink.counts.written, 101), 15_000)
    // Nothing is heard of the broker, and then it is gone.
    proxy.silent = true
    take(sink, 10)
    await eventually(() => assert.ok(proxy.wasSilent))
    proxy.silent = false
    proxy.reset()
    await eventually(() => assert.equal(sink.counts.written, 111), 15_000)
    await eventually(() => assert.equal(collector.calls, 111))
    assert.equal(sink.counts.dropped, 0)
  })

  it('sends nothing to a broker that takes nothing, and goes on when it does', {
    skip,
  }, async (t) => {
    const queue = ownQueue(t)
    const proxy = await TcpProxy.open(url!)
    t.after(() => proxy[Symbol.asyncDispose]())
    const sink = brokerSink({ queue, batchMs: 1, onProblem: () => {} })
    const { problems } = await connected(t, rabbitmq(proxy.url), sink)
    take(sink, 1)
    await eventually(() => assert.equal(sink.counts.written, 1))
    proxy.inject(BLOCKED)
    await eventually(() => assert.deepEqual(problems, ['blocked']))
    take(sink, 2)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(sink.counts.buffered, 2)
    proxy.inject(UNBLOCKED)
    await eventually(() => assert.equal(sink.counts.written, 3))
  })

  it('holds what a full queue refuses', { skip }, async (t) => {
    const queue = ownQueue(t)
    const sink = brokerSink({ queue, batchMs: 1, onProblem: () => {} })
    const { connection, problems } = await connected(t, rabbitmq(url!), sink)
    const bound = { 'x-max-length': 1, 'x-overflow': 'reject-publish' }
    await connection.declare({ name: queue, arguments: bound })
    take(sink, 1)
    await eventually(() => assert.equal(sink.counts.written, 1))
    await eventually(() => {
      take(sink, 1)
      assert.ok(sink.counts.buffered > 3)
    })
    assert.deepEqual(problems, ['collect_queue'])
    await connection.consume(
      { queue: { name: queue, arguments: bound }, prefetch: 1 },
      async () => 'done',
    )
    await eventually(() => assert.equal(sink.counts.buffered, 0), 10_000)
    assert.equal(sink.counts.written, sink.counts.taken)
  })
})
