import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { http } from '../http/index.ts'
import { config, event, eventDispatcher, once, rpc, timer } from '../index.ts'
import {
  entrypointHook,
  entrypointWaiter,
  memoryCluster,
  replaceDependencies,
  restrictEntrypoints,
  workerOf,
} from './index.ts'

interface Order {
  readonly id: number
}

class Orders {
  static readonly name = 'orders'
  dispatch = eventDispatcher<{ created: Order }>()
  settings = config()

  @rpc async create(id: number): Promise<number> {
    await this.dispatch('created', { id })
    return id
  }
  @event('orders', 'created') onCreated(order: Order): string {
    return `saw ${order.id}`
  }
  @timer(3_600_000) tidy(): string {
    return 'tidied'
  }
  @once begin(): string {
    return 'begun'
  }
  @http('GET', '/orders/<int:id>') async show(request: Request, id: number): Promise<string> {
    return `${request.method} ${id} ${String(this.settings.currency)}`
  }
}

const options = { config: { WEB_SERVER_ADDRESS: '127.0.0.1:0', currency: 'EUR' } }

test('events, timers, moments and requests are fired by hand like calls', async () => {
  await using cluster = await memoryCluster(Orders, options)
  assert.equal(await entrypointHook(cluster, Orders, 'create')(1), 1)
  assert.equal(await entrypointHook(cluster, Orders, 'onCreated')({ id: 2 }), 'saw 2')
  assert.equal(await entrypointHook(cluster, Orders, 'tidy')(), 'tidied')
  assert.equal(await entrypointHook(cluster, Orders, 'begin')(), 'begun')
  const request = new Request('http://localhost/orders/7')
  assert.equal(await entrypointHook(cluster, Orders, 'show')(request, 7), 'GET 7 EUR')
})

test('a dispatched event is waited for by its handler', async () => {
  await using cluster = await memoryCluster(restrictEntrypoints(Orders, 'create', 'onCreated'))
  const seen = entrypointWaiter(cluster, Orders, 'onCreated', {
    until: (outcome) => 'result' in outcome && outcome.result === 'saw 9',
  })
  const orders = cluster.proxy<Orders>('orders')
  await orders.create(8)
  await orders.create(9)
  assert.equal(await seen, 'saw 9')
})

test('what a service dispatches is seen by a fake', async () => {
  const dispatch = mock.fn(async () => {})
  assert.equal(await workerOf(Orders, { dispatch }).create(3), 3)
  assert.deepEqual(dispatch.mock.calls[0]?.arguments, ['created', { id: 3 }])
  const Quiet = restrictEntrypoints(replaceDependencies(Orders, { dispatch }), 'create')
  await using cluster = await memoryCluster(Quiet)
  await cluster.proxy<Orders>('orders').create(4)
  assert.equal(dispatch.mock.callCount(), 2)
})
