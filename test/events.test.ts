/** Events: who gets them, what comes with them, and what becomes of those that fail. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Broker,
  connect,
  Dependency,
  event,
  eventDispatcher,
  inject,
  type LogEvent,
  once,
  type RunOptions,
  rpc,
  run,
  type ServiceClass,
  workerContext,
} from 'clew'
import { eventually } from 'clew/testing'
import { ROADS, type Road, uniqueName } from './brokers.ts'

interface Order {
  readonly id: number
}

/** A cluster for one test, closed with it. */
async function opened(road: Road) {
  const broker = road.broker()
  const log: LogEvent[] = []
  const stack = new AsyncDisposableStack()
  const cluster = await connect(broker, { delivery: road.delivery, timeoutMs: 10_000 })
  stack.use(cluster)
  return {
    broker,
    cluster,
    log,
    async start(
      services: ServiceClass | readonly ServiceClass[],
      options: Partial<RunOptions> = {},
    ) {
      const running = await run(services, quiet(road, broker, log, options))
      stack.use(running)
      return running
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function quiet(road: Road, broker: Broker, log: LogEvent[], options: Partial<RunOptions>) {
  const { delivery } = road
  const take = (told: LogEvent) => void log.push(told)
  return { broker, delivery, signals: false, log: take, ...options }
}

/** A service that dispatches, and the name of its own. */
function ordersService() {
  return class Orders {
    static readonly name: string = uniqueName('orders')
    dispatch = eventDispatcher<{ order_created: Order; 'order.paid': Order; closed: undefined }>()
    @rpc async create(order: { id: number }) {
      await this.dispatch('order_created', order)
    }
    @rpc async close() {
      await this.dispatch('closed')
    }
  }
}

for (const road of ROADS) {
  describe(`events (${road.name})`, { skip: road.skip }, () => {
    whoGetsThem(road)
    whatComesWithThem(road)
    thoseThatFail(road)
  })
}

function whoGetsThem(road: Road): void {
  it('come to one replica of each service, to one of all, or to every replica', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const got = { pool: [] as string[], singleton: [] as string[], broadcast: [] as string[] }
    const listener = (name: string, replica: string) =>
      class {
        static readonly name: string = name
        @event(source, 'order_created') pool(_order: Order) {
          got.pool.push(name)
        }
        @event(source, 'order_created', { handlerType: 'singleton' }) singleton(_order: Order) {
          got.singleton.push(name)
        }
        @event(source, 'order_created', { handlerType: 'broadcast', reliableDelivery: false })
        broadcast(_order: Order) {
          got.broadcast.push(`${name} ${replica}`)
        }
      }
    const [one, other] = [uniqueName('one'), uniqueName('other')]
    await at.start([listener(one, 'first'), listener(other, 'only')])
    await at.start(listener(one, 'second'))
    for (let id = 0; id < 10; id++) await at.cluster.dispatch(source, 'order_created', { id })
    await eventually(() => assert.equal(got.broadcast.length, 30))
    await eventually(() => assert.equal(got.pool.length, 20))
    await eventually(() => assert.equal(got.singleton.length, 10))
    assert.equal(got.pool.filter((name) => name === one).length, 10)
    for (const replica of [`${one} first`, `${one} second`, `${other} only`]) {
      assert.equal(got.broadcast.filter((name) => name === replica).length, 10)
    }
  })

  it('wait for a handler that is away, by its identifier where they are broadcast', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const got: string[] = []
    const named = ({ replica }: Readonly<Record<string, unknown>>) => String(replica)
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created', { handlerType: 'broadcast', broadcastIdentifier: named })
      handle({ id }: Order) {
        got.push(`broadcast ${id}`)
      }
      @event(source, 'created') pool({ id }: Order) {
        got.push(`pool ${id}`)
      }
      @event(source, 'created', { reliableDelivery: false, name: 'unreliable' })
      unreliable({ id }: Order) {
        got.push(`unreliable ${id}`)
      }
    }
    const first = await at.start(Listener, { config: { replica: 'first' } })
    const second = await at.start(Listener, { config: { replica: 'second' } })
    await second.stop()
    await first.stop()
    await at.cluster.dispatch(source, 'created', { id: 1 })
    await at.start(Listener, { config: { replica: 'first' } })
    await at.cluster.dispatch(source, 'created', { id: 2 })
    await eventually(() => assert.equal(got.length, 5))
    assert.deepEqual(got.toSorted(), [
      'broadcast 1',
      'broadcast 2',
      'pool 1',
      'pool 2',
      'unreliable 2',
    ])
    await at.start(Listener, { config: { replica: 'second' } })
    await eventually(() => assert.equal(got.filter((line) => line === 'broadcast 1').length, 2))
  })

  it('come to handlers of patterns, shown as what was dispatched', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const seen: string[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      worker = workerContext()
      @event(source, 'order.*') one() {
        seen.push(`one ${this.worker.call.method}`)
      }
      @event(source, '#') all() {
        seen.push(`all ${this.worker.call.method}`)
      }
    }
    await at.start(Listener)
    for (const type of ['order.paid', 'order.paid.late', 'closed']) {
      await at.cluster.dispatch(source, type)
    }
    await eventually(() => assert.equal(seen.length, 4))
    assert.deepEqual(seen.toSorted(), [
      'all on closed',
      'all on order.paid',
      'all on order.paid.late',
      'one on order.paid',
    ])
  })

  it('reach handlers that start beside the service which dispatches at its start', async () => {
    await using at = await opened(road)
    const source = uniqueName('early')
    const got: unknown[] = []
    class Early {
      static readonly name: string = source
      dispatch = eventDispatcher()
      @once async start() {
        await this.dispatch('started', { id: 1 })
      }
    }
    class Slow extends Dependency<undefined> {
      override async start() {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      override get() {
        return undefined
      }
    }
    class Listener {
      static readonly name: string = uniqueName('listener')
      slow = inject(new Slow())
      @event(source, 'started') handle(order: Order) {
        got.push(order)
      }
    }
    await at.start([Early, Listener])
    await eventually(() => assert.deepEqual(got, [{ id: 1 }]))
  })

  it('may have nobody who listens', async () => {
    await using at = await opened(road)
    await at.cluster.dispatch(uniqueName('orders'), 'order_created', { id: 1 })
  })
}

function whatComesWithThem(road: Road): void {
  it('bring payload, context and the ids of the calls that led to them', async () => {
    await using at = await opened(road)
    const Orders = ordersService()
    const seen: { payload: unknown; context: unknown; stack: readonly string[] }[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      worker = workerContext()
      #note(payload: unknown) {
        const { context, callIdStack } = this.worker
        seen.push({ payload, context: { ...context }, stack: callIdStack })
      }
      @event(Orders.name, 'order_created') created(order: Order) {
        this.#note(order)
      }
      @event(Orders.name, 'closed') closed(payload: null) {
        this.#note(payload)
      }
    }
    await at.start([Orders, Listener])
    const context = { language: 'de', user_id: '7' }
    await using caller = await connect(at.broker, { delivery: road.delivery, context })
    await caller.proxy<InstanceType<typeof Orders>>(Orders.name).create({ id: 7 })
    await eventually(() => assert.equal(seen.length, 1))
    assert.deepEqual(seen[0]!.payload, { id: 7 })
    assert.deepEqual(seen[0]!.context, context)
    assert.deepEqual(
      seen[0]!.stack.map((id) => id.split('.').slice(0, 2).join('.')),
      ['standalone_rpc_proxy.call', `${Orders.name}.create`, `${Listener.name}.created`],
    )
    await caller.proxy<InstanceType<typeof Orders>>(Orders.name).close()
    await eventually(() => assert.equal(seen.length, 2))
    assert.equal(seen[1]!.payload, null)
  })

  it('bring nothing but what they are given when no service dispatched them', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const seen: unknown[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      worker = workerContext()
      @event(source, 'created') handle() {
        const { context, callIdStack, call } = this.worker
        seen.push([{ ...context }, callIdStack.length, { ...call.headers }])
      }
    }
    await at.start(Listener)
    await at.cluster.dispatch(source, 'created', { id: 1 })
    await eventually(() => assert.equal(seen.length, 1))
    await at.cluster.dispatch(source, 'created', { id: 2 }, { context: { language: 'fr' } })
    await eventually(() => assert.equal(seen.length, 2))
    assert.deepEqual(seen, [
      [{}, 1, {}],
      [{ language: 'fr' }, 1, {}],
    ])
  })

  it('are refused where JSON cannot carry them', async () => {
    await using at = await opened(road)
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    await assert.rejects(at.cluster.dispatch('orders', 'created', cyclic), {
      code: 'unserializable',
    })
  })
}

function thoseThatFail(road: Road): void {
  it('are logged and done with where nothing else is asked for', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const seen: number[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created', { expectedErrors: [RangeError] }) handle({ id }: Order) {
        seen.push(id)
        if (id === 1) throw new TypeError('not this one')
        if (id === 2) throw new RangeError('nor this one')
      }
    }
    await at.start(Listener)
    for (const id of [1, 2, 3]) await at.cluster.dispatch(source, 'created', { id })
    await eventually(() => assert.equal(seen.length, 3))
    assert.deepEqual(seen, [1, 2, 3])
    assert.deepEqual(
      at.log.map(({ level, method }) => `${level} ${method}`),
      ['error handle', 'warn handle'],
    )
  })

  it('of a queue that goes with its replica are dropped in the end, and that is told', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    let failures = 0
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created', {
        handlerType: 'broadcast',
        reliableDelivery: false,
        requeueOnError: { backoffMs: 5, maxAttempts: 2 },
      })
      handle(_order: Order) {
        failures++
        throw new RangeError('never')
      }
    }
    await at.start(Listener)
    await at.cluster.dispatch(source, 'created', { id: 1 })
    const told = () => at.log.find(({ message }) => /it is dropped/.test(message))
    await eventually(() => assert.ok(told()))
    assert.match(told()!.message, /\.handle: a message in .* has failed 2 times, it is dropped$/)
    assert.equal(failures, 2)
  })

  it('come again by their policy, each attempt a call of its own', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const seen: { attempt: number | undefined; id: string }[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      worker = workerContext()
      @event(source, 'created', { requeueOnError: { backoffMs: 20, maxAttempts: 5 } })
      handle(_order: Order) {
        const { attempt, id } = this.worker.call
        seen.push({ attempt, id })
        if (seen.length < 3) throw new Error('not yet')
      }
    }
    await at.start(Listener)
    await at.cluster.dispatch(source, 'created', { id: 1 })
    await eventually(() => assert.equal(seen.length, 3))
    assert.deepEqual(
      seen.map(({ attempt }) => attempt),
      [1, 2, 3],
    )
    assert.equal(new Set(seen.map(({ id }) => id)).size, 3)
  })

  it('come again when their own policy says, not when another one does', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const attempts = { soon: 0, late: 0 }
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created', { requeueOnError: true }) soon(_order: Order) {
        attempts.soon++
        throw new Error('in a second')
      }
      @event(source, 'created', { requeueOnError: { backoffMs: 60_000 } }) late(_order: Order) {
        attempts.late++
        throw new Error('in a minute')
      }
    }
    await at.start(Listener)
    await at.cluster.dispatch(source, 'created', { id: 1 })
    await eventually(() => assert.equal(attempts.soon, 2))
    assert.equal(attempts.late, 1)
  })

  it('hold nobody up and are not lost, when a thousand of them fail', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const EVENTS = 1000
    let mended = false
    let failures = 0
    const failing = new Set<number>()
    const handled = new Set<number>()
    const others = new Set<number>()
    class Storm {
      static readonly name: string = uniqueName('storm')
      @event(source, 'created', { requeueOnError: { backoffMs: 2000, maxBackoffMs: 2000 } })
      handle({ id }: Order) {
        if (!mended) {
          failures++
          failing.add(id)
          throw new Error('the shop is closed')
        }
        handled.add(id)
      }
      @event(source, 'created') other({ id }: Order) {
        others.add(id)
      }
    }
    await at.start(Storm)
    const dispatched = Array.from({ length: EVENTS }, (_, id) =>
      at.cluster.dispatch(source, 'created', { id }),
    )
    await Promise.all(dispatched)
    await eventually(() => assert.equal(others.size, EVENTS), 30_000)
    await eventually(() => assert.equal(failing.size, EVENTS), 30_000)
    // Nameko's hot loop would have come to tens of thousands.
    assert.ok(failures < EVENTS * 5, `${failures} attempts: it spins`)
    mended = true
    await eventually(() => assert.equal(handled.size, EVENTS), 30_000)
  })

  it('are handled by others when their service is killed, under the same id', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const seen: { redelivered: boolean; id: string }[] = []
    const gate = Promise.withResolvers<void>()
    class Listener {
      static readonly name: string = uniqueName('listener')
      worker = workerContext()
      @event(source, 'created') async handle(_order: Order) {
        const { redelivered, id } = this.worker.call
        seen.push({ redelivered, id })
        if (!redelivered) await gate.promise
      }
    }
    const first = await at.start(Listener)
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
    await at.cluster.dispatch(source, 'created', { id: 1 }, { headers: { traceparent } })
    await eventually(() => assert.equal(seen.length, 1))
    await first.kill()
    await at.start(Listener)
    await eventually(() => assert.equal(seen.length, 2))
    gate.resolve()
    assert.deepEqual(
      seen.map(({ redelivered }) => redelivered),
      [false, true],
    )
    assert.equal(seen[0]!.id, seen[1]!.id)
  })

  it('are left to others by a service that is stopping', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const seen: string[] = []
    const gate = Promise.withResolvers<void>()
    const listener = (replica: string, name: string) =>
      class {
        static readonly name: string = name
        @event(source, 'created') async handle({ id }: Order) {
          seen.push(`${replica} begins ${id}`)
          if (id === 1) await gate.promise
          seen.push(`${replica} ends ${id}`)
        }
      }
    const name = uniqueName('listener')
    const first = await at.start(listener('first', name))
    await at.cluster.dispatch(source, 'created', { id: 1 })
    await eventually(() => assert.equal(seen.length, 1))
    const stopping = first.stop()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await at.cluster.dispatch(source, 'created', { id: 2 })
    await at.start(listener('second', name))
    await eventually(() => assert.equal(seen.length, 3))
    gate.resolve()
    await stopping
    assert.deepEqual(seen, ['first begins 1', 'second begins 2', 'second ends 2', 'first ends 1'])
  })

  it('do not exist when handlers are restarted one after the other', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const handled: number[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created') async handle({ id }: Order) {
        await new Promise((resolve) => setTimeout(resolve, 2))
        handled.push(id)
      }
    }
    let replicas = [await at.start(Listener), await at.start(Listener)]
    let dispatching = true
    let events = 0
    const stream = (async () => {
      while (dispatching) {
        await at.cluster.dispatch(source, 'created', { id: events++ })
        // Where nothing is confirmed, nothing else would slow it down.
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    for (let restarts = 0; restarts < 4; restarts++) {
      const seen = handled.length
      await eventually(() => handled.length > seen + 20)
      const [oldest, ...rest] = replicas
      await oldest!.stop()
      replicas = [...rest, await at.start(Listener)]
    }
    dispatching = false
    await stream
    await eventually(() => assert.equal(handled.length, events))
    assert.equal(new Set(handled).size, events, 'each of them once')
    assert.ok(events > 80)
  })
}
