/** Events: who gets them, what comes with them, and what becomes of those that fail. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, Dependency, event, eventDispatcher, inject, once, rpc, workerContext } from 'clew'
import { eventually } from 'clew/testing'
import { ROADS, type Road, uniqueName } from './brokers.ts'
import { opened } from './opened.ts'

interface Order {
  readonly id: number
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

  it('need a queue for each method, or half of them would go astray', async () => {
    await using at = await opened(road)
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event('orders', 'created', { handlerType: 'singleton' }) one() {}
      @event('orders', 'created', { handlerType: 'singleton' }) other() {}
    }
    await assert.rejects(at.start(Listener), /on other and @event on one of .* the same queue/)
  })

  it('heed the settings of their exchanges', async () => {
    await using at = await opened(road)
    const source = uniqueName('orders')
    const got: Order[] = []
    class Listener {
      static readonly name: string = uniqueName('listener')
      @event(source, 'created') handle(order: Order) {
        got.push(order)
      }
    }
    const config = { DECLARE_EVENT_EXCHANGES: false }
    await assert.rejects(at.start(Listener, { config }), /exchange is not there/)
    await assert.rejects(at.cluster.dispatch(source, 'created', { id: 0 }, { declare: false }), {
      code: 'unknown_service',
    })
    // Somebody else declares it, as one that goes with its last queue.
    await at.cluster.dispatch(source, 'created', { id: 1 }, { autoDelete: true })
    await at.start(Listener, { config })
    await at.cluster.dispatch(source, 'created', { id: 2 }, { declare: false })
    await eventually(() => assert.deepEqual(got, [{ id: 2 }]))
    await assert.rejects(
      at.start(
        class Other extends Listener {
          static override readonly name: string = uniqueName('other')
        },
        {},
      ),
      /other properties/,
    )
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
