import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Cluster,
  connect,
  Dependency,
  declareMethod,
  Entrypoint,
  event,
  eventDispatcher,
  inject,
  type Reply,
  rpc,
  run,
  type ServiceClass,
  type WorkerContext,
} from 'clew'
import { type ProfileOptions, profile, traced, traceOf } from 'clew/profile'
import {
  type CallNode,
  type CallTree,
  callTree,
  criticalPath,
  failures,
  slowestPath,
  verdict,
} from 'clew/trace'
import { ROADS, type Road, uniqueName } from './brokers.ts'
import { KeptTraces } from './kept-traces.ts'

/** A database that fails where it is told to. */
class Database extends Dependency<(statement: string) => Promise<void>> {
  override get(worker: WorkerContext) {
    return (statement: string) =>
      worker.down('orders.db', statement, async () => {
        await new Promise((resolve) => setTimeout(resolve, 2))
        if (statement.includes('nowhere')) throw new RangeError('no such table')
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

const moment = (method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext) =>
  declareMethod({ kind: 'moment', make: () => new Moment() }, method, context)

/** An order is kept, of which two others hear: one that may fail at first, and one that waits. */
function services() {
  const [orders, products, mailer] = ['orders', 'products', 'mailer'].map(uniqueName) as [
    string,
    string,
    string,
  ]
  const gate = Promise.withResolvers<void>()
  const failing = { attempts: 0 }
  class Orders {
    static readonly name: string = orders
    db = inject(new Database())
    dispatch = eventDispatcher()
    @rpc async create(): Promise<string> {
      await this.db('INSERT INTO orders (…) VALUES (…)')
      await this.dispatch('order_created', { id: 1 })
      return 'kept'
    }
    @rpc async broken(): Promise<void> {
      await this.db('SELECT * FROM nowhere')
    }
    @rpc async busy(times: number): Promise<void> {
      await Promise.all(Array.from({ length: times }, (_, n) => this.db(`SELECT ${n % 3}`)))
    }
    @moment async tick(): Promise<void> {
      await this.db('DELETE FROM orders')
    }
  }
  class Products {
    static readonly name: string = products
    @event(orders, 'order_created', { requeueOnError: { backoffMs: 20 } })
    async decrement(_order: unknown): Promise<void> {
      if (failing.attempts-- > 0) throw new TypeError('not yet')
    }
  }
  class Mailer {
    static readonly name: string = mailer
    @event(orders, 'order_created') async write(_order: unknown): Promise<void> {
      await gate.promise
    }
  }
  return { Orders, Products, Mailer, exchange: `${orders}.events`, gate, failing }
}

async function started(road: Road, options: ProfileOptions = {}) {
  const parts = services()
  const broker = road.broker()
  const { delivery } = road
  const sink = new KeptTraces()
  const stack = new AsyncDisposableStack()
  for (const service of [parts.Orders, parts.Products, parts.Mailer] as ServiceClass[]) {
    const use = [profile({ sink, ...options })]
    const rest = { signals: false, log: () => {}, maxWorkers: 1_000, timeoutMs: 60_000 }
    stack.use(await run(service, { broker, delivery, use, ...rest }))
  }
  const cluster = stack.use(await connect(broker, { delivery }))
  return {
    ...parts,
    broker,
    delivery,
    sink,
    cluster,
    client: cluster.proxy<InstanceType<typeof parts.Orders>>(parts.Orders.name),
    dispatch: (from: Cluster) =>
      from.publish(
        {
          exchange: { name: parts.exchange, type: 'topic' },
          ...{ routingKey: 'order_created', payload: { id: 2 } },
        },
        { service: parts.exchange, method: 'order_created' },
      ),
    async [Symbol.asyncDispose]() {
      parts.gate.resolve()
      await stack.disposeAsync()
    },
  }
}

const INSERT = 'INSERT INTO orders (…) VALUES (…)'

function find(tree: CallTree, method: string): CallNode | undefined {
  return [...everyCall(tree.root)].find((call) => call.method === method)
}

function* everyCall(call: CallNode): Generator<CallNode> {
  yield call
  for (const child of call.calls) yield* everyCall(child)
}

/** How often the order was heard of. */
const heard = (tree: CallTree) => find(tree, 'order_created')?.calls.length ?? 0

for (const road of ROADS) {
  describe(`the trace crosses every edge (${road.name})`, { skip: road.skip }, () => {
    operations(road)
    events(road)
    roots(road)
  })
}

function operations(road: Road): void {
  it('shows what a worker did one layer down, on the critical path, with two entries', async () => {
    await using system = await started(road)
    system.gate.resolve()
    const { trace } = await traced(system.client).create()
    const tree = callTree(trace)
    const insert = find(tree, INSERT)!
    assert.deepEqual([insert.edge, insert.presence, insert.service], ['down', '1001', 'orders.db'])
    assert.ok(criticalPath(tree).some(({ call }) => call === insert))
    assert.deepEqual([tree.complete, tree.missingCalls, tree.problems], [true, 0, []])
  })

  it('waits for nothing that an operation could still bring', async () => {
    await using system = await started(road, { graceMs: 1_000_000 })
    const own = new KeptTraces()
    const use = [profile({ sink: own, graceMs: 1_000_000 })]
    await using cluster = await connect(system.broker, { delivery: system.delivery, use })
    await cluster.proxy<InstanceType<typeof system.Orders>>(system.Orders.name).busy(3)
    assert.equal((await own.until(() => true)).complete, true)
    await moments.get(system.Orders.name)!()
    assert.equal((await system.sink.until(() => true)).complete, true)
  })

  it('names the operation that failed as the origin', async () => {
    await using system = await started(road)
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

  it('keeps ten thousand operations of a worker within the budget', async () => {
    await using system = await started(road)
    const own = new KeptTraces()
    // A slow machine may need longer than usual for the pieces; the trace is given away when it is whole.
    const use = [profile({ sink: own, graceMs: 1_000_000 })]
    await using cluster = await connect(system.broker, { delivery: system.delivery, use })
    await cluster.proxy<InstanceType<typeof system.Orders>>(system.Orders.name).busy(10_000)
    const tree = await own.until(() => true)
    assert.deepEqual([tree.calls, tree.complete], [10_001, true])
  })
}

function events(road: Road): void {
  it('hangs handlers under the call that published, never on the critical path', async () => {
    await using system = await started(road)
    system.gate.resolve()
    const own = new KeptTraces()
    const use = [profile({ sink: own })]
    await using cluster = await connect(system.broker, { delivery: system.delivery, use })
    await cluster.proxy<InstanceType<typeof system.Orders>>(system.Orders.name).create()
    const tree = await own.until((made) => heard(made) === 2)
    const published = find(tree, 'order_created')!
    assert.deepEqual([published.edge, published.service], ['event', system.exchange])
    assert.deepEqual(
      published.calls.map(({ service }) => service).sort(),
      [system.Mailer.name, system.Products.name].sort(),
    )
    for (const handler of published.calls) {
      assert.deepEqual(
        [handler.method, handler.edge, handler.presence, handler.calls],
        ['on order_created', 'event', '0110', []],
      )
    }
    const waited = new Set([...criticalPath(tree).map(({ call }) => call), ...slowestPath(tree)])
    for (const handler of published.calls) assert.ok(!waited.has(handler))
    assert.deepEqual([tree.complete, tree.missingCalls, tree.problems], [true, 0, []])
  })

  it('tells every attempt of a handler, and blames nobody above it', async () => {
    await using system = await started(road)
    system.gate.resolve()
    system.failing.attempts = 2
    const own = new KeptTraces()
    const use = [profile({ sink: own })]
    await using cluster = await connect(system.broker, { delivery: system.delivery, use })
    await cluster.proxy<InstanceType<typeof system.Orders>>(system.Orders.name).create()
    const tree = await own.until((made) => heard(made) === 4)
    const attempts = find(tree, 'order_created')!.calls.filter(
      ({ service }) => service === system.Products.name,
    )
    assert.deepEqual(
      attempts.map(({ attempt, status, error }) => [attempt, status, error]),
      [
        [1, 'error', 'TypeError'],
        [2, 'error', 'TypeError'],
        [3, 'ok', undefined],
      ],
    )
    const found = failures(tree)
    assert.deepEqual(
      found.map(({ masked, handler, passedOn }) => [masked, handler, passedOn]),
      [
        [true, undefined, []],
        [true, undefined, []],
      ],
    )
    assert.equal(verdict(tree).failure, undefined)
    assert.equal(tree.root.status, 'ok')
  })

  it('hands over without a handler that is slow, which comes by itself for readers to join', async () => {
    await using system = await started(road, { graceMs: 20 })
    const own = new KeptTraces()
    const use = [profile({ sink: own, graceMs: 20 })]
    await using cluster = await connect(system.broker, { delivery: system.delivery, use })
    await cluster.proxy<InstanceType<typeof system.Orders>>(system.Orders.name).create()
    const first = await own.until((tree) => find(tree, INSERT) !== undefined)
    assert.deepEqual([first.complete, heard(first) < 2], [true, true])
    system.gate.resolve()
    const tree = await own.until((made) => heard(made) === 2)
    assert.deepEqual([tree.problems, tree.complete], [[], true])
  })
}

function roots(road: Road): void {
  it('begins a trace at whatever fires a worker', async () => {
    await using system = await started(road)
    await moments.get(system.Orders.name)!()
    const { root, complete } = await system.sink.until(() => true)
    assert.deepEqual(
      [root.method, root.presence, root.calls.map(({ method }) => method), complete],
      ['every 5s', '0110', ['DELETE FROM orders'], true],
    )
  })

  it('begins a trace at an event published outside services', async () => {
    await using system = await started(road)
    system.gate.resolve()
    const own = new KeptTraces()
    const use = [profile({ sink: own })]
    await using cluster = await connect(system.broker, { delivery: system.delivery, use })
    await system.dispatch(cluster)
    const { root, complete } = await own.until((tree) => heard(tree) === 2)
    assert.deepEqual(
      [root.edge, root.service, root.method, root.presence, complete],
      ['event', system.exchange, 'order_created', '1001', true],
    )
  })

  it('brings the trace of an event to whoever dispatched it', async () => {
    await using system = await started(road)
    system.gate.resolve()
    const { cluster, Orders } = system
    const { result, trace } = await traced(cluster).dispatch(Orders.name, 'order_created', {
      id: 3,
    })
    assert.equal(result, undefined)
    const tree = callTree(trace)
    assert.deepEqual([tree.root.method, heard(tree), tree.complete], ['order_created', 2, true])
  })

  it('begins a trace at each handler of an event that nobody traces', async () => {
    await using system = await started(road)
    system.gate.resolve()
    await system.dispatch(system.cluster)
    for (const service of [system.Products.name, system.Mailer.name]) {
      const { root, complete } = await system.sink.until((tree) => tree.root.service === service)
      assert.deepEqual(
        [root.edge, root.method, root.presence, complete],
        ['event', 'on order_created', '0110', true],
      )
    }
  })

  it('records each operation once where there are two profilers', async () => {
    const { Orders } = services()
    const sink = new KeptTraces()
    const use = [profile({ sink }), profile()]
    const { delivery } = road
    await using _ = await run(Orders, { broker: road.broker(), delivery, use, signals: false })
    await moments.get(Orders.name)!()
    const { root, problems, missingCalls } = await sink.until(() => true)
    assert.deepEqual([root.calls.length, problems, missingCalls], [1, [], 0])
  })

  it('begins no trace at an operation whose worker has none', async () => {
    const { Orders } = services()
    const sink = new KeptTraces()
    const use = [profile({ sink, roots: false })]
    const { delivery } = road
    const running = await run(Orders, { broker: road.broker(), delivery, use, signals: false })
    await moments.get(Orders.name)!()
    await running.stop()
    assert.deepEqual(sink.traces, [])
  })
}
