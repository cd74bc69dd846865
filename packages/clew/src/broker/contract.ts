import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import {
  type Broker,
  type Call,
  type Connection,
  type ConnectOptions,
  ContextValues,
  type Delivery,
  type Handler,
  type Headers,
  type HeaderValue,
  newCallId,
  newHalfId,
  type Problem,
  RemoteError,
  type Reply,
  RpcError,
  type Stray,
} from '../call/index.ts'

/** Test-only: what every broker must do, run over each of them. */

export function headers(entries: Record<string, HeaderValue> = {}): Headers {
  return Object.assign(Object.create(null), entries)
}

export function call(fields: Partial<Call> & { readonly service: string }): Call {
  return {
    method: 'echo',
    args: [],
    kwargs: headers(),
    id: newCallId(),
    context: headers(),
    headers: headers(),
    timeoutMs: 10_000,
    signal: undefined,
    redelivered: false,
    attachable: false,
    rejected: undefined,
    values: new ContextValues(),
    onStray: undefined,
    ...fields,
  }
}

export function ok(result: unknown, attachment?: Uint8Array): Reply {
  return { result, error: undefined, attachment }
}

export function failure(error: Error): Reply {
  return { result: undefined, error, attachment: undefined }
}

const echo: Handler = async (received) => ok(received.args[0])

/** A service name of its own for every test: durable queues outlive them. */
export function serviceName(): string {
  return `test_${newHalfId()}`
}

export interface ContractOptions {
  readonly delivery: Delivery
  /** Opens a broker; called once a suite. */
  readonly open: () => Broker
}

/** Opens connections that are closed when the test ends. */
export function connector(open: () => Broker, delivery: Delivery) {
  let broker: Broker | undefined
  return async (context: TestContext, options: ConnectOptions = {}): Promise<Connection> => {
    broker ??= open()
    const connection = await broker.connect({ delivery, ...options })
    context.after(() => connection.close())
    return connection
  }
}

export function brokerContract({ delivery, open }: ContractOptions): void {
  const connect = connector(open, delivery)
  describe('calls', () => callTests(connect))
  describe('failures', () => failureTests(connect))
  describe('headers', () => headerTests(connect))
  describe('attachments', () => attachmentTests(connect))
  describe('serving', () => servingTests(connect))
  describe('mailbox', () => mailboxTests(connect))
}

type Connect = ReturnType<typeof connector>

/** Serves without ever answering; `taken` resolves when the first call is in. */
async function serveUntilTaken(connection: Connection, service: string) {
  const { promise: taken, resolve } = Promise.withResolvers<void>()
  const handler: Handler = () => {
    resolve()
    return new Promise<Reply>(() => {})
  }
  await connection.serve(service, handler, { prefetch: 1 })
  return { taken }
}

function callTests(connect: Connect): void {
  it('carries arguments there and the result back', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let seen: Call | undefined
    await connection.serve(
      service,
      async (received) => {
        seen = received
        return ok({ sum: 3, text: 'café ☃' })
      },
      { prefetch: 10 },
    )
    const sent = call({
      service,
      method: 'add',
      args: [1, { a: [null, true] }],
      kwargs: { x: 'y' },
    })
    const reply = await connection.request(sent)
    assert.deepEqual(reply, ok({ sum: 3, text: 'café ☃' }))
    assert.ok(seen)
    assert.deepEqual(
      [seen.service, seen.method, seen.args, { ...seen.kwargs }, seen.id],
      [service, 'add', [1, { a: [null, true] }], { x: 'y' }, sent.id],
    )
    assert.equal(seen.redelivered, false)
    assert.equal(seen.attachable, false)
    assert.equal(seen.rejected, undefined)
    assert.equal(Object.getPrototypeOf(seen.kwargs), null)
  })

  it('answers nothing with null', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, async () => ok(undefined), { prefetch: 10 })
    assert.equal((await connection.request(call({ service }))).result, null)
  })

  it('keeps concurrent calls apart', async (t) => {
    const server = await connect(t)
    const client = await connect(t)
    const service = serviceName()
    await server.serve(
      service,
      async (received) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
        return ok(received.args[0])
      },
      { prefetch: 20 },
    )
    const numbers = Array.from({ length: 200 }, (_, number) => number)
    const replies = await Promise.all(
      numbers.map((number) => client.request(call({ service, args: [number] }))),
    )
    assert.deepEqual(
      replies.map((reply) => reply.result),
      numbers,
    )
  })

  it('lets a service call itself through its own connection', async (t) => {
    const connection = await connect(t, { owner: 'looper' })
    const service = serviceName()
    await connection.serve(
      service,
      async (received) => {
        const depth = received.args[0] as number
        if (depth === 0) return ok('bottom')
        return connection.request(call({ service, args: [depth - 1] }))
      },
      { prefetch: 10 },
    )
    assert.equal((await connection.request(call({ service, args: [5] }))).result, 'bottom')
  })

  it('carries bodies larger than a frame', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, echo, { prefetch: 10 })
    const text = 'ä0'.repeat(300_000)
    assert.equal((await connection.request(call({ service, args: [text] }))).result, text)
  })

  it('carries NaN, infinities and integers no number holds', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, async (received) => ok(received.args), { prefetch: 10 })
    const args = [Number.NaN, Number.POSITIVE_INFINITY, [-(2n ** 70n)], 'NaN']
    assert.deepEqual((await connection.request(call({ service, args }))).result, args)
  })
}

function failureTests(connect: Connect): void {
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

  it('answers a result that JSON cannot carry with the error of Nameko', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    await connection.serve(service, async () => ok(() => {}), { prefetch: 10 })
    const { error } = await connection.request(call({ service }))
    assert.ok(error instanceof RpcError)
    assert.equal(error.code, 'unserializable')
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

  deadlineTests(connect)
}

function deadlineTests(connect: Connect): void {
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
      const onStray = (stray: Stray) => {
        strays.push(stray)
        resolve()
      }
      const sent = call({ service, method: 'get', timeoutMs: 50, onStray })
      assert
        .rejects(connection.request(sent), {
          code: 'timeout',
          message: `[timeout] ${service}.get did not reply within 50 ms`,
          callId: sent.id,
        })
        .then(release, release)
    })
    await arrived
    assert.deepEqual(strays, [{ kind: 'late', reply: ok('late') }])
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

function headerTests(connect: Connect): void {
  it('hands context data on under its names and headers as they are', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let seen: Call | undefined
    await connection.serve(
      service,
      async (received) => {
        seen = received
        return ok(null)
      },
      { prefetch: 10 },
    )
    await connection.request(
      call({
        service,
        timeoutMs: Number.POSITIVE_INFINITY,
        context: headers({
          call_id_stack: ['a.b.1', 'c.d.2'],
          user_id: 42,
          big: 2 ** 40,
          negative: -(2 ** 40),
          ratio: 1.1,
          flag: true,
          nothing: null,
          table: headers({ x: 1, nested: [null, 'y'] }),
          shadowed: 'context',
        }),
        headers: headers({
          'x-raw': 'raw',
          shadowed: 'header',
          traceparent: '00-aa-bb-01',
          bytes: new Uint8Array([1, 2, 3]),
          short: 300,
        }),
      }),
    )
    assert.ok(seen)
    const own = {
      'x-raw': 'raw',
      shadowed: 'header',
      bytes: new Uint8Array([1, 2, 3]),
      short: 300,
    }
    assert.deepEqual(seen.headers, headers({ ...own, traceparent: '00-aa-bb-01' }))
    assert.deepEqual(
      seen.context,
      headers({
        call_id_stack: ['a.b.1', 'c.d.2'],
        user_id: 42,
        big: 2 ** 40,
        negative: -(2 ** 40),
        ratio: 1.1,
        flag: true,
        table: headers({ x: 1, nested: [null, 'y'] }),
        ...own,
      }),
    )
  })

  it('takes names that reach prototypes elsewhere as plain names', async (t) => {
    const connection = await connect(t)
    const service = serviceName()
    let seen: Call | undefined
    await connection.serve(
      service,
      async (received) => {
        seen = received
        return ok(received.kwargs.constructor)
      },
      { prefetch: 10 },
    )
    const hostile = Object.create(null)
    hostile.__proto__ = headers({ isAdmin: true })
    hostile.constructor = 'c'
    const sent = call({ service, context: hostile, kwargs: hostile })
    assert.equal((await connection.request(sent)).result, 'c')
    assert.ok(seen)
    assert.equal(Object.getPrototypeOf(seen.context), null)
    assert.equal(seen.context.isAdmin, undefined)
    assert.equal(seen.kwargs.isAdmin, undefined)
    assert.deepEqual(Object.keys(seen.context), ['__proto__', 'constructor'])
    assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined)
  })
}

function attachmentTests(connect: Connect): void {
  const block = new Uint8Array([0, 255, 1, 2, 3])

  it('brings the attachment to callers that asked for one', async (t) => {
    const server = await connect(t)
    const reader = await connect(t, { attachments: true })
    const plain = await connect(t)
    const service = serviceName()
    const attachable: boolean[] = []
    await server.serve(
      service,
      async (received) => {
        attachable.push(received.attachable)
        return ok('result', block)
      },
      { prefetch: 10 },
    )
    const reply = await reader.request(call({ service }))
    assert.equal(reply.result, 'result')
    assert.deepEqual(new Uint8Array(reply.attachment!), block)
    assert.equal((await plain.request(call({ service }))).attachment, undefined)
    assert.deepEqual(attachable, [true, false])
  })

  it('brings the attachment of errors and of empty results too', async (t) => {
    const connection = await connect(t, { attachments: true })
    const service = serviceName()
    await connection.serve(
      service,
      async (received) =>
        received.method === 'fail'
          ? { result: undefined, error: new Error('no'), attachment: block }
          : ok(undefined, new Uint8Array(0)),
      { prefetch: 10 },
    )
    const failed = await connection.request(call({ service, method: 'fail' }))
    assert.equal(failed.error?.message, 'no')
    assert.deepEqual(new Uint8Array(failed.attachment!), block)
    const empty = await connection.request(call({ service }))
    assert.equal(empty.result, null)
    assert.equal(empty.attachment?.length, 0)
  })
}

function servingTests(connect: Connect): void {
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
}

function mailboxTests(connect: Connect): void {
  it('brings a piece to the box that is open', async (t) => {
    const opener = await connect(t)
    const sender = await connect(t)
    const key = newHalfId()
    const pieces: Uint8Array[] = []
    const box = await opener.mailbox.open(key, (piece) => pieces.push(new Uint8Array(piece)))
    assert.equal(await sender.mailbox.post(key, new Uint8Array([1, 2])), true)
    assert.equal(await sender.mailbox.post(key, new Uint8Array(64 * 1024)), true)
    const deadline = Date.now() + 5000
    while (pieces.length < 2 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.deepEqual(
      pieces.map((piece) => piece.length),
      [2, 64 * 1024],
    )
    await box[Symbol.asyncDispose]()
    assert.equal(await sender.mailbox.post(key, new Uint8Array([1])), false)
  })

  it('refuses what is too large, unknown or too much', async (t) => {
    const problems: Problem[] = []
    const connection = await connect(t, { onProblem: (problem) => problems.push(problem) })
    const key = newHalfId()
    assert.equal(await connection.mailbox.post(key, new Uint8Array(64 * 1024 + 1)), false)
    assert.equal(await connection.mailbox.post(key, new Uint8Array(1)), false)
    const box = await connection.mailbox.open(key, () => {})
    const posts = Array.from({ length: 300 }, () => connection.mailbox.post(key, new Uint8Array(1)))
    const outcomes = await Promise.all(posts)
    assert.equal(outcomes.filter((arrived) => arrived).length, 256)
    const heavy = Array.from({ length: 20 }, () =>
      connection.mailbox.post(key, new Uint8Array(60 * 1024)),
    )
    assert.equal((await Promise.all(heavy)).filter((arrived) => arrived).length, 17)
    await box[Symbol.asyncDispose]()
    await connection.close()
    assert.equal(await connection.mailbox.post(key, new Uint8Array(1)), false)
    assert.deepEqual(problems, [])
  })
}
