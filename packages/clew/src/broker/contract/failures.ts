import assert from 'node:assert/strict'
import { it } from 'node:test'
import { RemoteError, RpcError } from '../../call/index.ts'
import { type Connect, call, echo, failure, headers, ok, serviceName } from './fixtures.ts'

export function failureTests(connect: Connect): void {
  class OutOfStock extends Error {
    readonly args: readonly unknown[]
    constructor(item: string, left: string) {
      super(`${item}: ${left} left`)
      this.args = [item, left]
    }
  }

  it('throws what the callee threw as a RemoteError', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, async () => failure(new OutOfStock('tea', '0')), {
      prefetch: 10,
    })
    const sent = call({ service })
    const { error } = await connection.request(sent)
    assert.ok(error instanceof RemoteError)
    assert.deepEqual(
      [error.remoteName, error.remotePath, error.remoteArgs, error.message, error.callId],
      ['OutOfStock', `${service}.OutOfStock`, ['tea', '0'], 'tea: 0 left', sent.id],
    )
  })

  it('throws registered classes as themselves, both ways', async (t) => {
    const errors = { 'shop.exceptions.OutOfStock': OutOfStock }
    const server = await connect(t, { errors })
    const client = await connect(t, { errors })
    const stranger = await connect(t)
    const service = serviceName()
    await server.serve(service, async () => failure(new OutOfStock('tea', '0')), { prefetch: 10 })
    const { error } = await client.request(call({ service }))
    assert.ok(error instanceof OutOfStock)
    assert.deepEqual(error.args, ['tea', '0'])
    const foreign = (await stranger.request(call({ service }))).error
    assert.ok(foreign instanceof RemoteError)
    assert.equal(foreign.remotePath, 'shop.exceptions.OutOfStock')
  })

  it('knows an unknown service at once', async (t) => {
    const connection = await connect(t)
    const sent = call({ service: serviceName(), timeoutMs: Number.POSITIVE_INFINITY })
    await assert.rejects(connection.request(sent), (error: unknown) => {
      assert.ok(error instanceof RpcError)
      assert.equal(error.code, 'unknown_service')
      assert.equal(error.callId, sent.id)
      return true
    })
  })

  it('tells refusals of this call from errors of nested ones', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(
      service,
      async (received) => {
        const identity = { service, method: received.method, callId: received.id }
        if (received.method === 'nested') {
          return failure(new RpcError('method_not_found', 'of another call', { callId: 'x' }))
        }
        return failure(new RpcError('method_not_found', 'no such method', identity))
      },
      { prefetch: 10 },
    )
    const own = (await connection.request(call({ service, method: 'missing' }))).error
    assert.ok(own instanceof RpcError)
    assert.equal(own.code, 'method_not_found')
    assert.match(own.message, /`missing`/)
    const nested = (await connection.request(call({ service, method: 'nested' }))).error
    assert.ok(nested instanceof RemoteError)
    assert.equal(nested.remotePath, 'clew.errors.MethodNotFound')
  })

  it('passes an error through a chain of services unchanged', async (t) => {
    const connection = await connect(t)
    const [front, back] = [serviceName(), serviceName()]
    await connection.serve(back, async () => failure(new OutOfStock('tea', '0')), { prefetch: 10 })
    await connection.serve(
      front,
      async () => failure((await connection.request(call({ service: back }))).error!),
      { prefetch: 10 },
    )
    const { error } = await connection.request(call({ service: front }))
    assert.ok(error instanceof RemoteError)
    assert.equal(error.remotePath, `${back}.OutOfStock`)
    assert.deepEqual(error.remoteArgs, ['tea', '0'])
  })

  it('refuses arguments that JSON cannot carry before anything is sent', async (t) => {
    const connection = await connect(t)
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    for (const argument of [cyclic, 1n, () => {}, Symbol('x'), new Map(), new Uint8Array(3)]) {
      await assert.rejects(
        connection.request(call({ service: serviceName(), args: [argument] })),
        (error: unknown) => error instanceof RpcError && error.code === 'unserializable',
      )
    }
  })

  it('answers a result that JSON cannot carry with the error of Nameko, and tells of it', async (t) => {
    const told: string[] = []
    const connection = await connect(t, { onProblem: ({ message }) => told.push(message) })
    const service = serviceName()
    await connection.serve(service, async () => ok(() => {}), { prefetch: 10 })
    const { error } = await connection.request(call({ service }))
    assert.ok(error instanceof RpcError)
    assert.equal(error.code, 'unserializable')
    assert.match(told.join(), /returned what JSON cannot carry: it is a function/)
  })

  it('answers when a handler rejects or throws, though it must not', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(
      service,
      (received) => {
        if (received.method === 'throw') throw new Error('thrown')
        return Promise.reject(new Error('rejected'))
      },
      { prefetch: 10 },
    )
    const thrown = (await connection.request(call({ service, method: 'throw' }))).error
    const rejected = (await connection.request(call({ service, method: 'reject' }))).error
    assert.deepEqual([thrown?.message, rejected?.message], ['thrown', 'rejected'])
  })

  it('refuses headers that do not fit, on that call only', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, echo, { prefetch: 10 })
    const large = call({ service, headers: headers({ large: 'x'.repeat(101 * 1024) }) })
    const besides = connection.request(call({ service, args: ['fine'] }))
    await assert.rejects(
      connection.request(large),
      (error: unknown) => error instanceof RpcError && error.code === 'unserializable',
    )
    const fitting = call({ service, args: [1], headers: headers({ large: 'x'.repeat(99 * 1024) }) })
    assert.equal((await connection.request(fitting)).result, 1)
    assert.equal((await besides).result, 'fine')
  })
}
