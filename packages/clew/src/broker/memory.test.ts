import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RpcError } from '../call/index.ts'
import { call, ok, serviceName } from './contract/fixtures.ts'
import { rawPeer } from './contract/raw-peer.ts'
import { brokerContract } from './contract.ts'
import { MemoryTransport, memory, memoryOn } from './memory.ts'
import { MemoryBus } from './memory-bus.ts'

const SILENT = { returned() {}, down() {}, restored() {}, blocked() {}, problem() {} }

for (const delivery of ['nameko', 'fast'] as const) {
  describe(`memory, ${delivery} delivery`, () => {
    const bus = new MemoryBus(100_000)
    brokerContract({
      delivery,
      broker: () => memoryOn(bus),
      peer: async () => rawPeer(new MemoryTransport(bus, SILENT)),
    })
  })
}

describe('memory', () => {
  it('keeps separate brokers apart', async () => {
    const service = serviceName()
    await using one = await memory().connect({})
    await using other = await memory().connect({})
    await one.serve(service, async () => ok(1), { prefetch: 1 })
    await assert.rejects(other.request(call({ service })), { code: 'unknown_service' })
  })

  it('refuses calls when too many wait', async () => {
    await using connection = await memory({ maxPendingCalls: 2 }).connect({})
    const service = serviceName()
    await connection.serve(service, () => new Promise(() => {}), { prefetch: 10 })
    const waiting = [1, 2].map(() => connection.request(call({ service })))
    await assert.rejects(
      connection.request(call({ service })),
      (error: unknown) => error instanceof RpcError && error.code === 'overloaded',
    )
    const failed = Promise.allSettled(waiting)
    await connection.close()
    assert.deepEqual(
      (await failed).map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  })

  it('refuses messages to a full queue', async () => {
    await using connection = await memory({ maxQueueLength: 1 }).connect({})
    const service = serviceName()
    await connection.serve(service, () => new Promise(() => {}), { prefetch: 1 })
    const outcomes = [1, 2, 3].map(() =>
      connection.request(call({ service, timeoutMs: 30 })).catch((error: RpcError) => error.code),
    )
    assert.deepEqual((await Promise.all(outcomes)).sort(), ['overloaded', 'overloaded', 'timeout'])
  })

  it('drops requests whose callers have stopped waiting', async () => {
    await using connection = await memory().connect({})
    const service = serviceName()
    let handled = 0
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    await connection.serve(
      service,
      async () => {
        handled++
        await gate
        return ok(null)
      },
      { prefetch: 1 },
    )
    const first = connection.request(call({ service }))
    const queued = connection.request(call({ service, timeoutMs: 20 }))
    await assert.rejects(queued, { code: 'timeout' })
    // The message's own clock started a little later than its caller's.
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    await first
    await connection.request(call({ service }))
    assert.equal(handled, 2)
  })
})
