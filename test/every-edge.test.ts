import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  type Arrival,
  type Cluster,
  connect,
  Dependency,
  declareMethod,
  Entrypoint,
  inject,
  type Reply,
  rpc,
  run,
  type ServiceClass,
  type WorkerContext,
} from 'clew'
import { type ProfileOptions, profile, type Sink, traced, traceOf } from 'clew/profile'
import {
  type CallNode,
  type CallTree,
  callTree,
  criticalPath,
  encodeTrace,
  failures,
  parseTraces,
  slowestPath,
  type Trace,
  verdict,
} from 'clew/trace'
import { uniqueName } from './brokers.ts'
import { postal } from './postal.ts'

/** A database that fails where it is told to. */
class Database extends Dependency<(statement: string) => Promise<void>> {
  override get(worker: WorkerContext) {
    return (statement: string) =>
      worker.down('orders.db', statement, async () => {
        await delay(2)
        if (statement.includes('nowhere')) throw new RangeError('no such table')
      })
  }
}

/** Publishes events of the worker's. */
class Dispatcher extends Dependency<(type: string) => Promise<void>> {
  readonly #exchange: string
  constructor(exchange: string) {
    super()
    this.#exchange = exchange
  }
  override get({ caller }: WorkerContext) {
    return (type: string) => dispatch(caller, this.#exchange, type)
  }
}

function dispatch(caller: Pick<Cluster, 'publish'>, exchange: string, type: string) {
  const declared = { name: exchange, type: 'topic' } as const
  const message = { exchange: declared, routingKey: type, payload: { type } }
  return caller.publish(message, { service: exchange, method: type })
}

/** Fires at messages of one type. */
class Subscribed extends Entrypoint {
  readonly #exchange: string
  readonly #type: string
  constructor(exchange: string, type: string) {
    super()
    this.#exchange = exchange
    this.#type = type
  }
  override async start() {
    const { service, connection } = this.host
    await connection.consume(
      {
        queue: {
          name: `evt-${service}-${this.method.name}-${this.#type}`,
          exchange: { name: this.#exchange, type: 'topic' },
          bindingKey: this.#type,
        },
        prefetch: 10,
      },
      async (arrival) => {
        const reply = await this.#take(arrival)
        return reply.error === undefined || arrival.redelivered ? 'done' : 'requeue'
      },
    )
  }
  #take({ headers, context, payload, redelivered }: Arrival): Promise<Reply> {
    const from = `${headers.traceparent} ${this.host.service} ${this.method.name}`
    const id = createHash('sha256').update(from).digest('hex').slice(0, 32)
    return this.fire({
      args: [payload],
      shownAs: `on ${this.#type}`,
      edge: 'event',
      ...(headers.traceparent === undefined
        ? {}
        : { id: id.replace(/^(.{8})(.{4})(.{4})(.{4})/u, '$1-$2-$3-$4-') }),
      headers,
      context,
      redelivered,
    })
  }
}

/** Fires when a test says so. */
class Moment extends Entrypoint {
  override start() {
    moments.set(this.host.service, () => this.fire({ args: [], shownAs: 'every 5s' }))
  }
}
const moments = new Map<string, () => Promise<Reply>>()

const on =
  (exchange: string, type: string) =>
  (method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext) =>
    declareMethod({ kind: 'event', make: () => new Subscribed(exchange, type) }, method, context)

const moment = (method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext) =>
  declareMethod({ kind: 'moment', make: () => new Moment() }, method, context)

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

class Kept implements Sink {
  readonly traces: Trace[] = []
  readonly #waiting = new Set<() => void>()
  take(trace: Trace): void {
    this.traces.push(trace)
    for (const look of this.#waiting) look()
  }
  async flush() {}
  async close() {}
  readonly counts = { taken: 0, written: 0, dropped: 0 }
  /** The first trace that is as asked for, when it comes. */
  async until(wanted: (trace: Trace) => boolean): Promise<Trace> {
    for (const end = Date.now() + 20_000; Date.now() < end; ) {
      const found = this.traces.find(wanted)
      if (found !== undefined) return found
      await delay(5)
    }
    throw new Error(`no such trace among ${this.traces.length}`)
  }
}

/** An order is kept, which two others hear of: one that fails at first, and one that takes its time. */
function services() {
  const exchange = uniqueName('orders.events')
  const [orders, products, mailer] = ['orders', 'products', 'mailer'].map(uniqueName) as [
    string,
    string,
    string,
  ]
  const gate = Promise.withResolvers<void>()
  const attempts = { products: 0 }
  class Orders {
    static readonly name: string = orders
    db = inject(new Database())
    dispatch = inject(new Dispatcher(exchange))
    @rpc async create(): Promise<string> {
      await this.db('INSERT INTO orders (…) VALUES (…)')
      await this.dispatch('order_created')
      return 'kept'
    }
    @rpc async broken(): Promise<void> {
      await this.db('SELECT * FROM nowhere')
    }
    @rpc async busy(times: number): Promise<void> {
      const statements = Array.from({ length: times }, (_, n) => this.db(`SELECT ${n % 3}`))
      await Promise.all(statements)
    }
    @moment async tick(): Promise<void> {
      await this.db('DELETE FROM orders')
    }
  }
  class Products {
    static readonly name: string = products
    @on(exchange, 'order_created') async decrement(_order: unknown): Promise<void> {
      attempts.products++
      if (attempts.products === 1) throw new TypeError('not yet')
    }
  }
  class Mailer {
    static readonly name: string = mailer
    @on(exchange, 'order_created') async write(_order: unknown): Promise<void> {
      await gate.promise
    }
  }
  return { Orders, Products, Mailer, exchange, gate, attempts }
}

async function started(options: ProfileOptions = {}) {
  const parts = services()
  const broker = postal()
  const sink = new Kept()
  const begin = (service: ServiceClass, use = profile({ sink, ...options })) =>
    run(service, { broker, use: [use], signals: false, log: () => {}, maxWorkers: 10_000 })
  const running = [
    await begin(parts.Orders),
    await begin(parts.Products),
    await begin(parts.Mailer),
  ]
  const cluster = await connect(broker)
  return {
    ...parts,
    broker,
    sink,
    cluster,
    client: cluster.proxy<InstanceType<typeof parts.Orders>>(parts.Orders.name),
    async [Symbol.asyncDispose]() {
      parts.gate.resolve()
      await cluster.close()
      for (const service of running) await service.stop()
    },
  }
}

function find(tree: CallTree, method: string): CallNode {
  const found = [...everyCall(tree.root)].find((call) => call.method === method)
  assert.ok(found, `${method} is in the tree`)
  return found
}

function* everyCall(call: CallNode): Generator<CallNode> {
  yield call
  for (const child of call.calls) yield* everyCall(child)
}

describe('the trace crosses every edge', () => {
  it('shows what a worker did one layer down, on the critical path, with two entries', async () => {
    await using system = await started()
    system.gate.resolve()
    const { trace } = await traced(system.client).create()
    const tree = callTree(trace)
    const insert = find(tree, 'INSERT INTO orders (…) VALUES (…)')
    assert.deepEqual([insert.edge, insert.presence, insert.service], ['down', '1001', 'orders.db'])
    assert.ok(criticalPath(tree).some(({ call }) => call === insert))
    assert.deepEqual([tree.complete, tree.missingCalls, tree.problems], [true, 0, []])
  })

  it('hangs handlers under the call that published, never on the critical path', async () => {
    await using system = await started()
    system.gate.resolve()
    system.attempts.products = 1
    const { trace } = await traced(system.client).create()
    const tree = callTree(trace)
    const published = find(tree, 'order_created')
    assert.deepEqual([published.edge, published.service], ['event', system.exchange])
    assert.deepEqual(published.calls.map(({ service }) => service).sort(), [
      system.Mailer.name,
      system.Products.name,
    ])
    for (const handler of published.calls) {
      assert.deepEqual(
        [handler.method, handler.edge, handler.presence, handler.calls],
        ['on order_created', 'event', '0110', []],
      )
    }
    const waited = new Set([...criticalPath(tree).map(({ call }) => call), ...slowestPath(tree)])
    for (const handler of published.calls) assert.ok(!waited.has(handler))
    assert.deepEqual([trace.complete, tree.complete, tree.missingCalls], [true, true, 0])
  })

  it('keeps executions of a message that came again apart, and shows the last', async () => {
    await using system = await started()
    system.gate.resolve()
    const { trace } = await traced(system.client).create()
    const tree = callTree(trace)
    const published = find(tree, 'order_created')
    const handler = published.calls.find(({ service }) => service === system.Products.name)!
    assert.deepEqual([handler.status, handler.redelivered], ['ok', true])
    assert.deepEqual(
      handler.calls.map(({ status, error, redelivered }) => [status, error, redelivered]),
      [['error', 'TypeError', false]],
    )
    assert.deepEqual([tree.complete, tree.root.status], [true, 'ok'])
  })

  it('tells a handler that fails without blaming the root', async () => {
    await using system = await started()
    system.gate.resolve()
    system.attempts.products = Number.NEGATIVE_INFINITY
    const { trace } = await traced(system.client).create()
    const tree = callTree(trace)
    assert.equal(failures(tree).length, 0)
    // The first of two attempts fails; what the last one said counts.
    system.attempts.products = 0
    const { trace: second } = await traced(system.client).create()
    const [failure] = failures(callTree(second))
    assert.deepEqual(
      [failure?.origin.service, failure?.masked, failure?.passedOn],
      [system.Products.name, true, []],
    )
    const { failure: told } = verdict(callTree(second))
    assert.equal(told, undefined)
  })

  it('names the operation that failed as the origin', async () => {
    await using system = await started()
    const error = await traced(system.client)
      .broken()
      .then(
        () => assert.fail('it answers'),
        (thrown: unknown) => thrown,
      )
    const { sentences } = verdict(callTree(traceOf(error)!))
    assert.match(
      sentences[0]!,
      /^orders\.db SELECT \* FROM nowhere failed with RangeError after .*; .*\.broken only passed it on\.$/u,
    )
  })

  it('lets a handler that is slow come later, by itself, for readers to join', async () => {
    await using system = await started({ graceMs: 20 })
    const own = new Kept()
    await using cluster = await connect(system.broker, {
      use: [profile({ sink: own, graceMs: 20 })],
    })
    system.attempts.products = 1
    await cluster.proxy<InstanceType<typeof system.Orders>>(system.Orders.name).create()
    const first = await own.until(() => true)
    assert.equal(callTree(first).complete, true)
    system.gate.resolve()
    const isMailer = ({ service }: { service: string }) => service === system.Mailer.name
    await own.until(({ entries }) => entries.some(isMailer))
    const { traces } = parseTraces(own.traces.map(encodeTrace).join(''))
    assert.equal(traces.length, 1)
    const tree = callTree(traces[0]!)
    assert.deepEqual([tree.problems, tree.complete], [[], true])
    assert.ok(find(tree, 'order_created').calls.some(isMailer))
  })

  it('begins a trace at whatever fires a worker', async () => {
    await using system = await started()
    await moments.get(system.Orders.name)!()
    const trace = await system.sink.until(() => true)
    const { root, complete } = callTree(trace)
    assert.deepEqual(
      [root.method, root.presence, root.calls.map(({ method }) => method), complete],
      ['every 5s', '0110', ['DELETE FROM orders'], true],
    )
  })

  it('begins a trace at an event published outside services', async () => {
    await using system = await started()
    system.gate.resolve()
    system.attempts.products = 1
    const own = new Kept()
    await using cluster = await connect(system.broker, { use: [profile({ sink: own })] })
    await dispatch(cluster, system.exchange, 'order_created')
    const { root, complete } = callTree(await own.until(() => true))
    assert.deepEqual(
      [root.edge, root.service, root.method, root.calls.length, complete],
      ['event', system.exchange, 'order_created', 2, true],
    )
  })

  it('begins a trace at the handler of an event that nobody traces', async () => {
    await using system = await started()
    system.gate.resolve()
    system.attempts.products = 1
    await dispatch(system.cluster, system.exchange, 'order_created')
    const trace = await system.sink.until(({ entries }) =>
      entries.some(({ service }) => service === system.Products.name),
    )
    const { root, complete } = callTree(trace)
    assert.deepEqual(
      [root.edge, root.method, root.presence, complete],
      ['event', 'on order_created', '0110', true],
    )
  })

  it('keeps ten thousand operations of a worker within the budget', async () => {
    await using system = await started()
    const { trace } = await traced(system.client).busy(10_000)
    const tree = callTree(trace)
    assert.equal(tree.calls, 10_001)
    assert.equal(tree.complete, true)
  })

  it('records each operation once where there are two profilers', async () => {
    const { Orders } = services()
    const broker = postal()
    const sink = new Kept()
    const use = [profile({ sink }), profile()]
    await using running = await run(Orders, { broker, use, signals: false })
    await moments.get(Orders.name)!()
    const { root } = callTree(await sink.until(() => true))
    assert.equal(root.calls.length, 1)
    void running
  })

  it('begins no trace at an operation whose worker has none', async () => {
    const { Orders } = services()
    const sink = new Kept()
    const use = [profile({ sink, roots: false })]
    await using running = await run(Orders, { broker: postal(), use, signals: false })
    await moments.get(Orders.name)!()
    await running.stop()
    assert.deepEqual(sink.traces, [])
  })
})
