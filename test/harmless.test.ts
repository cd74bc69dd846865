/** The profiler never changes, delays or fails a call, and keeps nothing of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type Broker,
  connect,
  type Interceptor,
  type Mailbox,
  memory,
  type Plugin,
  proxy,
  rpc,
  run,
  withOptions,
  workerContext,
} from 'clew'
import { profile, type Sink, traced, traceOf } from 'clew/profile'
import { callTree, type Trace } from 'clew/trace'

const QUIET = { signals: false, log: () => {} }

/** A sink that keeps what it is given. */
function collecting(): Sink & { readonly traces: Trace[] } {
  const traces: Trace[] = []
  return {
    traces,
    take: (trace) => void traces.push(trace),
    flush: async () => {},
    close: async () => {},
    counts: { taken: 0, written: 0, dropped: 0 },
  }
}

const gate = Promise.withResolvers<void>()

class Leaf {
  static readonly name: string = 'leaf'
  @rpc async echo(value: number) {
    return value
  }
  @rpc forbidden() {
    return 'never reached'
  }
  @rpc async hold() {
    await gate.promise
  }
  @rpc size(list: number[]) {
    return list.length
  }
}

class Top {
  static readonly name: string = 'top'
  leaf = proxy<Leaf>('leaf')
  worker = workerContext()
  @rpc async three() {
    await this.leaf.echo(1)
    await Promise.all([this.leaf.echo(2), this.leaf.echo(3)])
  }
  @rpc async tracedForbidden() {
    const error = await traced(this.leaf)
      .forbidden()
      .catch((thrown: Error) => thrown)
    return (error as Error).message
  }
  @rpc async tracedTooLate() {
    await new Promise((resolve) => this.worker.signal.addEventListener('abort', resolve))
    const error = await traced(this.leaf)
      .echo(1)
      .catch((thrown: Error) => thrown)
    tooLate.resolve((error as Error).message)
  }
}

const tooLate = Promise.withResolvers<string>()

/** Refuses calls before they leave, or when they come. */
const refuse = (side: 'caller' | 'callee'): Plugin => ({
  name: 'refuse',
  [side]:
    (next: (call: { method: string }) => Promise<unknown>) => async (call: { method: string }) => {
      if (call.method === 'forbidden') throw new Error('not allowed')
      return await next(call)
    },
})

async function started(use: Plugin[], clientUse: Plugin[] = [], broker: Broker = memory()) {
  const running = await run([Leaf, Top], { broker, use, maxWorkers: 6000, ...QUIET })
  const cluster = await connect(broker, { use: clientUse, timeoutMs: 10_000 })
  return {
    leaf: cluster.proxy<Leaf>('leaf'),
    top: cluster.proxy<Top>('top'),
    async [Symbol.asyncDispose]() {
      await cluster.close()
      await running.stop()
    },
  }
}

/** The broker with another mailbox. */
function withMailbox(broker: Broker, mailbox: Mailbox): Broker {
  return {
    name: broker.name,
    async connect(options) {
      const connection = await broker.connect(options)
      return new Proxy(connection, {
        get(target, property) {
          if (property === 'mailbox') return mailbox
          const value: unknown = Reflect.get(target, property, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

describe('a traced call', () => {
  it('fails like any other when an interceptor refuses it within a worker', async () => {
    await using system = await started([refuse('caller'), profile()])
    const { result } = await traced(system.top).tracedForbidden()
    assert.equal(result, 'not allowed')
  })

  it('fails like any other when it is not made at all', async () => {
    await using system = await started([profile()])
    const hasty = traced(withOptions(system.top, { timeoutMs: 40 }))
    await assert.rejects(hasty.tracedTooLate(), { code: 'timeout' })
    assert.match(await tooLate.promise, /was not called: the deadline/)
    const impossible = traced(withOptions(system.leaf, { timeoutMs: -1 }))
    await assert.rejects(impossible.echo(1), /timeoutMs must be/)
  })

  for (const [outcome, open] of [
    ['is refused', () => Promise.reject(new Error('ACCESS_REFUSED'))],
    ['never opens', () => new Promise<never>(() => {})],
  ] as const) {
    it(`goes on when the inbox ${outcome}`, async () => {
      const broker = memory()
      await using _services = await started([profile()], [], broker)
      const deaf = { ask: async () => false, listen: open }
      const mailbox: Mailbox = { post: async () => false, open, ...deaf }
      await using cluster = await connect(withMailbox(broker, mailbox))
      const leaf = traced(withOptions(cluster.proxy<Leaf>('leaf'), { timeoutMs: 1000 }))
      const { result, trace } = await leaf.echo(7)
      assert.equal(result, 7)
      assert.equal(callTree(trace).root.presence, '1111')
    })
  }
})

describe('traces', () => {
  it('begin with each call of a worker that has none, where services begin none', async () => {
    const sink = collecting()
    {
      await using system = await started([profile({ sink, roots: false })])
      await system.top.three()
    }
    assert.equal(new Set(sink.traces.map(({ id }) => id)).size, 3)
    assert.equal(sink.traces.length, 3)
  })

  it('are the same when the profiler is there twice, and both sinks have them', async () => {
    const sinks = [collecting(), collecting()]
    {
      await using system = await started(sinks.map((sink) => profile({ sink })))
      await system.top.three()
      const { trace } = await traced(system.top).three()
      assert.equal(callTree(trace).calls, 4)
      assert.deepEqual(callTree(trace).problems, [])
    }
    for (const { traces } of sinks) {
      assert.deepEqual(
        traces.map((trace) => callTree(trace).calls),
        [4],
      )
    }
  })

  it('end with calls that an interceptor at the callee refuses', async () => {
    const sink = collecting()
    {
      await using system = await started([profile({ sink }), refuse('callee')])
      await assert.rejects(system.leaf.forbidden(), /not allowed/)
      const error = await traced(system.leaf)
        .forbidden()
        .catch((thrown: unknown) => thrown)
      assert.equal(callTree(traceOf(error) ?? assert.fail('no trace')).root.presence, '1111')
    }
    assert.deepEqual(
      sink.traces.map((trace) => callTree(trace).root.status),
      ['error'],
    )
  })

  it('are whole however many calls are on their way at once', async () => {
    const sink = collecting()
    {
      await using system = await started([profile()], [profile({ sink })])
      const calls = Array.from({ length: 4200 }, () => system.leaf.hold())
      gate.resolve()
      await Promise.all(calls)
    }
    assert.equal(sink.traces.length, 4200)
    assert.ok(sink.traces.every((trace) => callTree(trace).root.presence === '1111'))
  })
})

describe('a profiled call that is over', () => {
  it('does not keep its arguments', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    await using system = await started([profile()], [profile({ sink: collecting() })])
    const references: WeakRef<number[]>[] = []
    for (let call = 0; call < 10; call++) {
      const list = Array.from({ length: 100 }, (_, n) => n)
      references.push(new WeakRef(list))
      await system.leaf.size(list)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    collectGarbage()
    const kept = references.filter((reference) => reference.deref() !== undefined)
    assert.ok(kept.length <= 1, `the arguments of ${kept.length} of 10 calls are still there`)
  })
})

describe('profile()', () => {
  it('serves one connection, and says so to who gives it to two', async () => {
    const plugin = profile({ sink: collecting() })
    const broker = memory()
    const first = await connect(broker, { use: [plugin] })
    await assert.rejects(
      connect(broker, { use: [plugin] }),
      /One profile\(\) serves one connection/,
    )
    await first.close()
    const again = await connect(broker, { use: [plugin] })
    await again.close()
  })

  it('refuses limits that are none', () => {
    for (const options of [{ graceMs: Number.NaN }, { graceMs: Infinity }, { budget: -1 }]) {
      assert.throws(() => profile(options), /must be a number from 0/)
    }
  })

  it('lets services end although their sink does not', async () => {
    const sink = { ...collecting(), flush: () => Promise.reject(new Error('no')) }
    const system = await started([profile({ sink })], [profile({ sink })])
    await system[Symbol.asyncDispose]()
  })

  it('publishes nothing more for roots that collect nothing', async (t) => {
    const broker = memory()
    let posts = 0
    const counting: Broker = {
      name: broker.name,
      async connect(options) {
        const connection = await broker.connect(options)
        const { post } = connection.mailbox
        t.mock.method(connection.mailbox, 'post', (key: string, piece: Uint8Array) => {
          posts++
          return post.call(connection.mailbox, key, piece)
        })
        return connection
      },
    }
    await using _running = await run(Leaf, { broker: counting, use: [profile()], ...QUIET })
    const foreign = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const peer: Interceptor = (next) => (call) =>
      next({ ...call, headers: { ...call.headers, traceparent: foreign } })
    await using cluster = await connect(broker, { use: [{ name: 'peer', caller: peer }] })
    for (let call = 0; call < 5; call++) {
      assert.equal(await cluster.proxy<Leaf>('leaf').echo(call), call)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(posts, 1)
  })
})
