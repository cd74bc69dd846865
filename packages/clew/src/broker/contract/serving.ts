import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Delivery, Handler, Problem } from '../../call/index.ts'
import { type Connect, call, ok, serveUntilTaken, serviceName } from './fixtures.ts'

export function servingTests(connect: Connect, delivery: Delivery): void {
  it('shares a service between consumers and hands out no more than asked for', async (t) => {
    const client = await connect(t)
    const service = serviceName()
    const running: [number, number] = [0, 0]
    const handled: [number, number] = [0, 0]
    let most = 0
    for (const index of [0, 1] as const) {
      const server = await connect(t)
      await server.serve(
        service,
        async () => {
          running[index]++
          handled[index]++
          most = Math.max(most, running[index])
          await new Promise((resolve) => setTimeout(resolve, 2))
          running[index]--
          return ok(index)
        },
        { prefetch: 3 },
      )
    }
    await Promise.all(Array.from({ length: 60 }, () => client.request(call({ service }))))
    assert.equal(handled[0] + handled[1], 60)
    assert.ok(handled[0] > 0 && handled[1] > 0)
    assert.equal(most, 3)
  })

  it('stops without losing a call', async (t) => {
    const client = await connect(t)
    const first = await connect(t)
    const second = await connect(t)
    const service = serviceName()
    const handler: Handler = async (received) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return ok(received.args[0])
    }
    const stopping = await first.serve(service, handler, { prefetch: 5 })
    const calls = Array.from({ length: 100 }, (_, number) =>
      client.request(call({ service, args: [number] })),
    )
    await calls[10]
    await second.serve(service, handler, { prefetch: 5 })
    await stopping.stop()
    await stopping.stop()
    const replies = await Promise.all(calls)
    assert.deepEqual(
      replies.map((reply) => reply.result),
      Array.from({ length: 100 }, (_, number) => number),
    )
  })

  it('delivers again, and says so, what a consumer left behind', async (t) => {
    const client = await connect(t)
    const dying = await connect(t)
    const heir = await connect(t)
    const service = serviceName()
    const { taken } = await serveUntilTaken(dying, service)
    const reply = client.request(call({ service, args: [7] }))
    await taken
    await heir.serve(service, async (received) => ok([received.args[0], received.redelivered]), {
      prefetch: 1,
    })
    await dying.close()
    assert.deepEqual((await reply).result, [7, true])
  })

  it('drops, and tells of, a transient reply whose caller has gone', async (t) => {
    if (delivery !== 'fast') return
    const { promise: told, resolve } = Promise.withResolvers<Problem>()
    const server = await connect(t, { onProblem: resolve })
    const client = await connect(t)
    const service = serviceName()
    const { promise: gone, resolve: leave } = Promise.withResolvers<void>()
    const handler: Handler = async (received) => {
      leave()
      await left
      return ok(received.args[0])
    }
    const left = gone.then(() => client.close())
    await server.serve(service, handler, { prefetch: 1 })
    await assert.rejects(client.request(call({ service })), { code: 'disconnected' })
    assert.equal((await told).kind, 'reply_unroutable')
  })
}
