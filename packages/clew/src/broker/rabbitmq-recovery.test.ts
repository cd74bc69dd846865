import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call, Connection, Reply } from '../call/index.ts'
import { call, echo, ok, serveUntilTaken, serviceName } from './contract/fixtures.ts'
import { BLOCKED, deleteQueue, direct, line, UNBLOCKED } from './contract/line.ts'
import type { TcpProxy } from './contract/tcp-proxy.ts'

const url = process.env.CLEW_AMQP_URL
const skip = url === undefined && 'needs RabbitMQ: set CLEW_AMQP_URL, or run `npm test`'

/** Calls until the connection is back. */
async function untilAnswered(connection: Connection, service: string): Promise<Reply> {
  for (;;) {
    try {
      return await connection.request(call({ service, args: ['back'], timeoutMs: 2000 }))
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { passed: promise, open: resolve }
}

describe('rabbitmq, lost connections with nameko delivery', { skip }, () => {
  it('answers calls that were waiting when the caller lost its connection', async (t) => {
    const { proxy, connection, told } = await line(t)
    const service = serviceName()
    const { passed, open } = gate()
    const server = await direct(t)
    await server.serve(
      service,
      async (received) => {
        await passed
        return ok(received.args[0])
      },
      { prefetch: 50 },
    )
    const numbers = Array.from({ length: 50 }, (_, number) => number)
    const calls = numbers.map((number) =>
      connection.request(call({ service, args: [number], timeoutMs: Number.POSITIVE_INFINITY })),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    proxy.reset()
    await told('disconnected')
    open()
    const replies = await Promise.all(calls)
    assert.deepEqual(
      replies.map(({ result }) => result),
      numbers,
    )
  })

  it('sends calls made without a connection when it is back', async (t) => {
    const { proxy, connection, told } = await line(t)
    const service = serviceName()
    await (await direct(t)).serve(service, echo, { prefetch: 10 })
    await connection.request(call({ service }))
    proxy.reset()
    await told('disconnected')
    const reply = await connection.request(call({ service, args: ['waited'] }))
    assert.equal(reply.result, 'waited')
  })

  it('says with a timeout that the connection was away', async (t) => {
    const { proxy, connection, told } = await line(t)
    await connection.request(call({ service: serviceName() })).catch(() => {})
    await proxy[Symbol.asyncDispose]()
    await told('disconnected')
    await assert.rejects(connection.request(call({ service: serviceName(), timeoutMs: 300 })), {
      code: 'timeout',
      message:
        /did not reply within 300 ms: the connection to amqp:.* is lost and being tried again/,
    })
  })

  it('serves on after its connection came back, and says what comes again', async (t) => {
    const { proxy, connection, told } = await line(t)
    const client = await direct(t)
    const service = serviceName()
    const { passed, open } = gate()
    const redelivered: boolean[] = []
    await connection.serve(
      service,
      async (received) => {
        redelivered.push(received.redelivered)
        await passed
        return ok(received.args[0])
      },
      { prefetch: 10 },
    )
    const reply = client.request(call({ service, args: [1] }))
    while (redelivered.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    proxy.reset()
    await told('disconnected')
    open()
    assert.equal((await reply).result, 1)
    assert.equal((await client.request(call({ service, args: [2] }))).result, 2)
    assert.deepEqual(redelivered.slice(0, 2), [false, true])
  })

  it('settles every call exactly once, wherever in the stream the line breaks', async (t) => {
    const { proxy, connection } = await line(t)
    const service = serviceName()
    const server = await line(t)
    await server.connection.serve(service, echo, { prefetch: 10 })
    for (let round = 0; round < 8; round++) {
      // Odd numbers of bytes: most of them within some frame of some call.
      proxy.resetAfter(211 + round * 1733)
      server.proxy.resetAfter(97 + round * 2111)
      const numbers = Array.from({ length: 30 }, (_, number) => number)
      const replies = await Promise.all(
        numbers.map((number) => connection.request(call({ service, args: [number] }))),
      )
      assert.deepEqual(
        replies.map(({ result }) => result),
        numbers,
      )
    }
    assert.ok(proxy.accepted > 4, 'the line was never broken')
  })

  it('notices a line that has gone silent', async (t) => {
    const { proxy, connection, told } = await line(t, 'nameko', { heartbeatSeconds: 1 })
    const service = serviceName()
    await (await direct(t)).serve(service, echo, { prefetch: 10 })
    await connection.request(call({ service }))
    proxy.silent = true
    const reply = connection.request(call({ service, args: ['later'], timeoutMs: 30_000 }))
    await told('disconnected')
    proxy.silent = false
    assert.equal((await reply).result, 'later')
  })

  it('keeps its connections alive, the idle ones and those that only receive', async (t) => {
    const idle = await line(t, 'nameko', { heartbeatSeconds: 1 })
    // Replies come without acknowledgements here: the broker hears nothing and has no reason to ask.
    const busy = await line(t, 'fast', { heartbeatSeconds: 1 })
    const service = serviceName()
    await (await direct(t)).serve(service, echo, { prefetch: 10 })
    await idle.connection.request(call({ service }))
    const end = performance.now() + 4500
    while (performance.now() < end) {
      await busy.connection.request(call({ service }))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.equal((await idle.connection.request(call({ service, args: [1] }))).result, 1)
    assert.deepEqual([...idle.problems, ...busy.problems], [])
  })
})

describe('rabbitmq, lost connections with fast delivery', { skip }, () => {
  it('fails what was pending, and calls again when the connection is back', async (t) => {
    const { proxy, connection } = await line(t, 'fast')
    const service = serviceName()
    const server = await direct(t)
    const { taken } = await serveUntilTaken(server, service)
    const pending = connection.request(call({ service, timeoutMs: Number.POSITIVE_INFINITY }))
    const failed = assert.rejects(pending, { code: 'disconnected' })
    await taken
    proxy.reset()
    await failed
    await assert.rejects(connection.request(call({ service })), { code: 'disconnected' })
    const other = serviceName()
    await server.serve(other, echo, { prefetch: 1 })
    assert.equal((await untilAnswered(connection, other)).result, 'back')
  })

  it('opens its mailbox again', async (t) => {
    const { proxy, connection, told } = await line(t, 'fast')
    const sender = await direct(t)
    const pieces: number[] = []
    const box = await connection.mailbox.open('a1b2c3d4e5f60718', (piece) => pieces.push(piece[0]!))
    assert.equal(await sender.mailbox.post('a1b2c3d4e5f60718', new Uint8Array([1])), true)
    proxy.reset()
    await told('disconnected')
    assert.equal(await connection.mailbox.post('a1b2c3d4e5f60718', new Uint8Array([9])), false)
    while (!pieces.includes(2)) {
      await sender.mailbox.post('a1b2c3d4e5f60718', new Uint8Array([2]))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await box[Symbol.asyncDispose]()
  })
})

describe('rabbitmq, a broker that takes nothing', { skip }, () => {
  it('fails calls as overloaded after a grace, and takes them again afterwards', async (t) => {
    for (const delivery of ['nameko', 'fast'] as const) {
      const { proxy, connection, told } = await line(t, delivery)
      const service = serviceName()
      await (await direct(t)).serve(service, echo, { prefetch: 10 })
      await connection.request(call({ service }))
      proxy.inject(BLOCKED)
      proxy.silent = true
      await told('blocked')
      const overloaded = (error: { readonly code?: string; readonly message?: string }) =>
        error.code === 'overloaded' && /low memory/.test(error.message ?? '')
      await assert.rejects(connection.request(call({ service })), overloaded)
      await assert.rejects(connection.request(call({ service })), overloaded)
      proxy.silent = false
      proxy.inject(UNBLOCKED)
      assert.equal((await untilAnswered(connection, service)).result, 'back')
    }
  })
})

describe('rabbitmq, queues deleted below their consumers', { skip }, () => {
  /** Queue names that were declared while the proxy recorded. */
  function declared(proxy: TcpProxy): string[] {
    return [
      ...Buffer.concat(proxy.sent)
        .toString('latin1')
        .matchAll(/(rpc[.-][\w.-]+)/g),
    ].map(([, name]) => name!)
  }

  it('declares the queue of a service again', async (t) => {
    const { connection, told } = await line(t)
    const client = await direct(t)
    const service = serviceName()
    await connection.serve(service, echo, { prefetch: 10 })
    await deleteQueue(`rpc-${service}`)
    await told('consumer_lost')
    assert.equal((await untilAnswered(client, service)).result, 'back')
  })

  it('tells calls without a deadline that their reply is lost', async (t) => {
    const { proxy, connection } = await line(t)
    const service = serviceName()
    const server = await direct(t)
    const { taken } = await serveUntilTaken(server, service)
    const pending = connection.request(call({ service, timeoutMs: Number.POSITIVE_INFINITY }))
    const failed = assert.rejects(pending, { code: 'disconnected', message: /reply of/ })
    await taken
    const [replyQueue] = declared(proxy).filter((name) => name.startsWith('rpc.reply-'))
    assert.ok(replyQueue)
    await deleteQueue(replyQueue)
    await failed
    const other = serviceName()
    await server.serve(other, echo, { prefetch: 1 })
    assert.equal((await untilAnswered(connection, other)).result, 'back')
  })
})

describe('rabbitmq, messages that the broker does not take', { skip }, () => {
  it('refuses a body that is too large on that call only', async (t) => {
    const { proxy, connection } = await line(t, 'nameko', { maxMessageBytes: 100_000 })
    const service = serviceName()
    await connection.serve(service, echo, { prefetch: 10 })
    await connection.request(call({ service }))
    const accepted = proxy.accepted
    const beside = connection.request(call({ service, args: [1] }))
    await assert.rejects(connection.request(call({ service, args: ['x'.repeat(100_001)] })), {
      code: 'unserializable',
    })
    assert.equal((await beside).result, 1)
    assert.equal(proxy.accepted, accepted)
  })

  it('answers when the result is too large', async (t) => {
    const { connection, problems } = await line(t, 'nameko', { maxMessageBytes: 100_000 })
    const service = serviceName()
    const handler = async (received: Call) => ok('x'.repeat(received.args[0] as number))
    await connection.serve(service, handler, { prefetch: 1 })
    const { error } = await connection.request(call({ service, args: [100_001] }))
    assert.match(error?.message ?? '', /larger than/)
    assert.equal((await connection.request(call({ service, args: [3] }))).result, 'xxx')
    assert.deepEqual(
      problems.map(({ kind }) => kind),
      ['reply_lost'],
    )
  })
})
