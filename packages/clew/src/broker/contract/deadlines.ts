import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Reply, RpcError, type Stray } from '../../call/index.ts'
import { type Connect, call, echo, headers, ok, serveUntilTaken, serviceName } from './fixtures.ts'

export function deadlineTests(connect: Connect): void {
  it('times out and tells of the late reply', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    await connection.serve(
      service,
      async () => {
        await gate
        return ok('late')
      },
      { prefetch: 10 },
    )
    const strays: Stray[] = []
    const arrived = new Promise<void>((resolve) => {
      const stray = (stray: Stray) => {
        strays.push(stray)
        resolve()
      }
      const sent = call({
        service,
        method: 'get',
        timeoutMs: 600,
        observer: { replied() {}, failed() {}, stray },
      })
      assert
        .rejects(connection.request(sent), {
          code: 'timeout',
          message: `[timeout] ${service}.get did not reply within 600 ms`,
          callId: sent.id,
        })
        .then(release, release)
    })
    await arrived
    assert.deepEqual(
      strays.map(({ kind, reply }) => [kind, reply.result]),
      [['late', 'late']],
    )
  })

  it('tells the callee how long the caller will wait', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(
      service,
      async (received) =>
        ok([
          received.timeoutMs === Number.POSITIVE_INFINITY ? 'for ever' : received.timeoutMs,
          'clew-timeout' in received.context,
        ]),
      { prefetch: 10 },
    )
    const bounded = await connection.request(call({ service, timeoutMs: 4321.5 }))
    assert.deepEqual(bounded.result, [4322, false])
    const unbounded = call({ service, timeoutMs: Number.POSITIVE_INFINITY })
    assert.deepEqual((await connection.request(unbounded)).result, ['for ever', false])
    const viaPython = call({
      service,
      timeoutMs: Number.POSITIVE_INFINITY,
      context: headers({ 'clew-timeout': 70 }),
    })
    assert.deepEqual((await connection.request(viaPython)).result, [70, false])
  })

  it('cancels by signal, before and after sending', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    const controller = new AbortController()
    await connection.serve(
      service,
      async () => {
        controller.abort(new Error('enough'))
        return new Promise<Reply>(() => {})
      },
      { prefetch: 10 },
    )
    const cancelled = (error: unknown) =>
      error instanceof RpcError &&
      error.code === 'cancelled' &&
      (error.cause as Error).message === 'enough'
    const { signal } = controller
    await assert.rejects(connection.request(call({ service, signal })), cancelled)
    await assert.rejects(connection.request(call({ service, signal })), cancelled)
  })

  it('fails what is pending when it closes, and everything after', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    const { taken } = await serveUntilTaken(connection, service)
    const disconnected = (error: unknown) =>
      error instanceof RpcError && error.code === 'disconnected'
    const pending = connection.request(call({ service, timeoutMs: Number.POSITIVE_INFINITY }))
    const failed = assert.rejects(pending, disconnected)
    await taken
    await connection.close()
    await failed
    await connection.close()
    await assert.rejects(connection.request(call({ service })), disconnected)
    await assert.rejects(connection.serve(service, echo, { prefetch: 1 }), disconnected)
  })
}
