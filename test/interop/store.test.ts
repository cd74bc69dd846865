import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, RpcError, rabbitmq, run, type ServiceClass } from 'clew'
import { HttpServer } from 'clew/http'
import { profile } from 'clew/profile'
import { eventually } from 'clew/testing'
import { type CallNode, callTree, type Trace } from 'clew/trace'
import { GatewayService, OrdersService, ProductsService, STORE_ERRORS } from 'clew-examples/store'
import { environmentOf, SOURCES } from './python.ts'

const { CLEW_AMQP_URL: amqp, CLEW_POSTGRES_URL: database, CLEW_REDIS_URL: cache } = process.env
const START_MS = 30_000

const python = [amqp, database, cache].includes(undefined)
  ? { missing: 'needs RabbitMQ, PostgreSQL and Redis: run `npm run test:interop`' }
  : await environmentOf('requirements-store.txt')

const config = {
  DB_URIS: { 'orders:Base': database },
  REDIS_URI: cache,
  PRODUCT_IMAGE_ROOT: 'http://example.com/images',
  http: { host: '127.0.0.1', port: 0 },
}

/** One service of the store as `nameko run`, which ends with us. */
class PythonService implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  output = ''

  constructor(executable: string, service: string) {
    const parameters = [
      join(SOURCES, 'launch.py'),
      'run',
      '--config',
      'config.yaml',
      `${service}.service`,
    ]
    const env = {
      ...process.env,
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONPATH: '.',
    }
    this.#child = spawn(executable, parameters, { cwd: join(SOURCES, 'store'), env, stdio: 'pipe' })
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

interface World {
  readonly traces: readonly Trace[]
  request(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>
}

/** Runs the store with one service in Python and the others ours. */
async function withStore(
  inPython: 'orders' | 'products',
  body: (world: World) => Promise<void>,
): Promise<void> {
  assert.ok('python' in python)
  const broker = rabbitmq(amqp!)
  const options = { broker, config, errors: STORE_ERRORS, signals: false, log: () => {} }
  // Python takes the tables as ours made them.
  await (await run(OrdersService, options)).stop()
  await using service = new PythonService(python.python, inPython)
  await using cluster = await connect(broker)
  await eventually(async () => {
    assert.ok(service.alive, service.output)
    const failed = await cluster
      .invoke(inPython, 'nothing', [], { timeoutMs: 2000 })
      .catch((error: unknown) => error)
    return failed instanceof RpcError && failed.code === 'method_not_found'
  }, START_MS)
  const traces: Trace[] = []
  const sink = {
    take: (trace: Trace) => void traces.push(trace),
    flush: async () => {},
    close: async () => {},
    counts: { taken: 0, written: 0, dropped: 0 },
  }
  const ours = [GatewayService, inPython === 'orders' ? ProductsService : OrdersService]
  await using running = await run(ours as ServiceClass[], { ...options, use: [profile({ sink })] })
  const { url } = running.shared(HttpServer)
  await body({
    traces,
    async request(method, path, given) {
      const sent = given === undefined ? {} : { body: JSON.stringify(given) }
      const response = await fetch(`${url}${path}`, { method, ...sent })
      return { status: response.status, body: await response.json() }
    },
  })
  assert.ok(service.alive, service.output)
}

function callsOf(call: CallNode): readonly CallNode[] {
  return [call, ...call.calls.flatMap(callsOf)]
}

for (const inPython of ['orders', 'products'] as const) {
  describe(`the store with ${inPython} in Python`, {
    skip: 'missing' in python && python.missing,
  }, () => {
    it('answers as with ours: products, orders, stock, and what is not there', () =>
      withStore(inPython, async ({ request, traces }) => {
        const id = `airship-${randomUUID().slice(0, 8)}`
        const product = {
          ...{ id, title: 'Qitian', passenger_capacity: 101, maximum_speed: 5 },
          in_stock: 10,
        }
        assert.deepEqual(await request('POST', '/products', product), { status: 200, body: { id } })
        assert.deepEqual(await request('GET', `/products/${id}`), { status: 200, body: product })
        const detail = { product_id: id, price: '1.005', quantity: 3 }
        const created = await request('POST', '/orders', { order_details: [detail, detail] })
        assert.equal(created.status, 200)
        const order_id = (created.body as { id: number }).id
        await eventually(async () => {
          const { body } = await request('GET', `/products/${id}`)
          assert.equal((body as { in_stock: number }).in_stock, 4)
        })
        const { body, status } = await request('GET', `/orders/${order_id}`)
        assert.equal(status, 200)
        const { order_details } = body as { order_details: { id: number }[] }
        const shown = {
          ...{ product_id: id, price: '1.01', quantity: 3 },
          ...{ product: { ...product, in_stock: 4 }, image: `http://example.com/images/${id}.jpg` },
        }
        assert.deepEqual(
          order_details,
          order_details.map((one) => ({ id: one.id, ...shown })),
        )
        assert.equal(order_details.length, 2)
        assert.deepEqual(await request('GET', '/products/nope'), {
          status: 404,
          body: { error: 'PRODUCT_NOT_FOUND', message: 'Product ID nope does not exist' },
        })
        assert.deepEqual(await request('GET', '/orders/99999999'), {
          status: 404,
          body: { error: 'ORDER_NOT_FOUND', message: 'Order with id 99999999 not found' },
        })
        const tree = await eventually(() => {
          const trees = traces.map((trace) => callTree(trace))
          return trees.find(({ root }) => root.method === 'POST /orders') ?? false
        })
        const names = callsOf(tree.root).map(({ service, method }) => `${service}.${method}`)
        for (const name of ['gateway.POST /orders', 'products.list', 'orders.create_order']) {
          assert.ok(names.includes(name), `${name} is not among ${names}`)
        }
      }))
  })
}
