/** Whatever fires a worker starts one tree or continues one, with what users declare and nothing else. */
import assert from 'node:assert/strict'
import { once as heard } from 'node:events'
import { describe, it } from 'node:test'
import {
  connect,
  consume,
  event,
  eventDispatcher,
  once,
  proxy,
  publisher,
  rpc,
  run,
  type ServiceClass,
  timer,
} from 'clew'
import { HttpServer, http } from 'clew/http'
import { profile } from 'clew/profile'
import { type CallTree, failures, verdict } from 'clew/trace'
import { websocket } from 'clew/websocket'
import { WebSocket } from 'ws'
import { ROADS, type Road, uniqueName } from './brokers.ts'
import { everyCall, KeptTraces, outlineOf } from './kept-traces.ts'

/** A gateway with every kind of entrypoint; each of them keeps an order, of which two others hear. */
function services() {
  const [gateway, orders, products, mailer] = ['gateway', 'orders', 'products', 'mailer'].map(
    uniqueName,
  ) as [string, string, string, string]
  const work = uniqueName('work')
  class Products {
    static readonly name: string = products
    @rpc async decrement(_id: number): Promise<void> {}
  }
  class Orders {
    static readonly name: string = orders
    dispatch = eventDispatcher()
    @rpc async create(id: number): Promise<number> {
      await this.dispatch('order_created', { id })
      return id
    }
    @rpc async cancel(id: number): Promise<void> {
      await this.dispatch('order_cancelled', { id })
    }
  }
  class Mailer {
    static readonly name: string = mailer
    products = proxy<Products>(products)
    @event(orders, 'order_created') async write({ id }: { id: number }): Promise<void> {
      await this.products.decrement(id)
    }
    @event(orders, 'order_cancelled', { requeueOnError: { backoffMs: 10, maxAttempts: 2 } })
    async regret(_order: { id: number }): Promise<void> {
      throw new RangeError('no such customer')
    }
  }
  class Gateway {
    static readonly name: string = gateway
    orders = proxy<Orders>(orders)
    publish = publisher<number>({ queues: [{ name: work }], routingKey: work })
    @http('GET', '/orders/<int:id>') async page(_request: Request, id: number): Promise<string> {
      return `order ${await this.orders.create(id)}`
    }
    @websocket({ params: ['id'] }) async order(_socketId: string, id: number): Promise<number> {
      return this.orders.create(id)
    }
    @timer({ every: '10s', eager: true }) async tick(): Promise<void> {
      await this.orders.create(1)
    }
    @once async begin(): Promise<void> {
      await this.orders.create(2)
    }
    @consume(work) async take(id: number): Promise<void> {
      await this.orders.create(id)
    }
    @rpc async put(id: number): Promise<void> {
      await this.publish(id)
    }
    @http('DELETE', '/orders/<int:id>') async cancel(_: Request, id: number): Promise<string> {
      await this.orders.cancel(id)
      return ''
    }
  }
  return { Products, Orders, Mailer, Gateway, work }
}

async function started(road: Road) {
  const parts = services()
  const sink = new KeptTraces()
  const stack = new AsyncDisposableStack()
  const broker = road.broker()
  const { delivery } = road
  const { Products, Orders, Mailer, Gateway } = parts
  // Each in a process of its own, as far as the framework can tell.
  let url = ''
  for (const service of [Products, Orders, Mailer, Gateway] as ServiceClass[]) {
    const running = await run(service, {
      broker,
      delivery,
      use: [profile({ sink })],
      config: { http: { host: '127.0.0.1', port: 0 } },
      signals: false,
      log: () => {},
    })
    stack.use(running)
    if (service === Gateway) url = running.shared(HttpServer).url
  }
  const cluster = stack.use(await connect(broker, { delivery }))
  return {
    ...parts,
    sink,
    url,
    client: cluster.proxy<InstanceType<typeof Gateway>>(Gateway.name),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** What hangs below every entrypoint that keeps an order. */
const KEPT = ['  create', '    order_created', '      on order_created', '        decrement']

const isWhole = (outline: readonly string[]) => (tree: CallTree) =>
  outlineOf(tree).join('\n') === outline.join('\n')

for (const road of ROADS) {
  describe(`every entrypoint (${road.name})`, { skip: road.skip }, () => {
    it('starts one tree, down to the calls of who hears of it', async () => {
      await using system = await started(road)
      const { sink, url, Gateway } = system
      assert.equal(await (await fetch(`${url}/orders/7`)).text(), 'order 7')
      await asked(url, '{"method":"order","data":{"id":8}}')
      for (const root of ['GET /orders/{id}', 'order', 'every 10s', 'once']) {
        const tree = await sink.until(isWhole([root, ...KEPT]))
        assert.deepEqual(
          [tree.complete, tree.problems, tree.root.service],
          [true, [], Gateway.name],
        )
        assert.equal(verdict(tree).failure, undefined)
      }
      const roots = sink.trees.filter(({ root }) => root.service === Gateway.name)
      assert.equal(roots.length, 4, 'one tree each, and no other')
      assert.equal(sink.trees.length, 4, 'nothing lies about beside its tree')
    })

    it('continues the tree of the call whose message it takes', async () => {
      await using system = await started(road)
      const { sink, client, work } = system
      await client.put(9)
      const inside = [work, `  on ${work}`, ...KEPT.map((line) => `  ${line}`)]
      const tree = await sink.until(isWhole(['put', ...inside.map((line) => `  ${line}`)]))
      assert.deepEqual([tree.complete, tree.problems], [true, []])
    })

    it('shows the failure of a handler that always throws, which its verdict names', async () => {
      await using system = await started(road)
      const { sink, url, Mailer } = system
      assert.equal((await fetch(`${url}/orders/7`, { method: 'DELETE' })).status, 200)
      const attempts = (tree: CallTree) =>
        [...everyCall(tree.root)].filter(({ method }) => method === 'on order_cancelled')
      const tree = await sink.until((made) => attempts(made).length === 2)
      assert.deepEqual(
        attempts(tree).map(({ service, attempt, status, error }) => [
          service,
          attempt,
          status,
          error,
        ]),
        [1, 2].map((attempt) => [Mailer.name, attempt, 'error', 'RangeError']),
      )
      assert.equal(tree.root.status, 'ok', 'whoever dispatched is not to blame')
      const failed = failures(tree)
      assert.deepEqual(
        failed.map(({ handler }) => handler),
        [undefined, attempts(tree)[1]],
        'the last try failed for good',
      )
      const { sentences } = verdict(tree)
      assert.match(
        sentences.join(' '),
        new RegExp(`${Mailer.name}.*on order_cancelled.*RangeError`),
      )
    })
  })
}

/** Asks over a socket of its own. */
async function asked(url: string, frame: string): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  await heard(socket, 'message')
  const answer = heard(socket, 'message')
  socket.send(frame)
  const [text] = await answer
  assert.match(String(text), /"success":true/)
  socket.close()
  await heard(socket, 'close')
}
