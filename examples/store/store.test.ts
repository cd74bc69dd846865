import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connect, event, memory, RemoteError, rpc, type ServiceClass } from 'clew'
import { redis } from 'clew/redis'
import { eventually } from 'clew/testing'
import type { CallNode, CallTree } from 'clew/trace'
import { onEachRoad, type Store, withStore } from './on-each-road.ts'
import { GatewayService, OrdersService, ProductsService } from './services.ts'

const MISSING = "['Missing data for required field.']"

function product(id: string, in_stock = 10) {
  return { id, title: 'The Odyssey', passenger_capacity: 101, maximum_speed: 5, in_stock }
}

function order(...details: readonly object[]) {
  return { order_details: details }
}

function detail(product_id: string, more: object = {}) {
  return { product_id, price: '99.99', quantity: 3, ...more }
}

/** Tests on one Redis disturb each other less with products of their own. */
function newId(): string {
  return `airship-${randomUUID().slice(0, 8)}`
}

async function ordered(store: Store, id: string, more: object = {}): Promise<number> {
  assert.equal((await store.request('POST', '/products', product(id))).status, 200)
  const { status, body } = await store.request('POST', '/orders', order(detail(id, more)))
  assert.equal(status, 200, JSON.stringify(body))
  return (body as { id: number }).id
}

onEachRoad('products are created and read', async (store) => {
  const id = newId()
  const created = await store.request('POST', '/products', { ...product(id), unknown: 'dropped' })
  assert.deepEqual(created, { status: 200, body: { id }, type: 'application/json' })
  const { status, body } = await store.request('GET', `/products/${id}`)
  assert.deepEqual([status, body], [200, product(id)])
  assert.deepEqual(linesOf(await store.treeOf('GET /products/{product_id}')), [
    'gateway.GET /products/{product_id}',
    ' products.get',
    '  products.cache.HGETALL products:?',
  ])
  assert.deepEqual(linesOf(await store.treeOf('POST /products')), [
    'gateway.POST /products',
    ' products.create',
    '  products.cache.HSET products:?',
  ])
})

onEachRoad('an order is made, read, and taken off the stock', async (store) => {
  const id = newId()
  const order_id = await ordered(store, id, { price: '100000.123456' })
  const { status, body } = await store.request('GET', `/orders/${order_id}`)
  assert.equal(status, 200)
  const [made] = (body as { order_details: { id: number; product: { in_stock: number } }[] })
    .order_details
  await eventually(async () => {
    const stock = (await store.request('GET', `/products/${id}`)).body as { in_stock: number }
    assert.equal(stock.in_stock, 7)
  })
  const { in_stock } = made!.product
  assert.deepEqual(body, {
    id: order_id,
    order_details: [
      {
        id: made!.id,
        ...detail(id, { price: '100000.12' }),
        image: `http://example.com/images/${id}.jpg`,
        product: product(id, in_stock),
      },
    ],
  })
  const tree = await store.treeOf('POST /orders', ({ calls }) => calls >= 13)
  assert.deepEqual(linesOf(tree).map(withoutTail), [
    'gateway.POST /orders',
    ' products.list',
    '  products.cache.KEYS products:?',
    '  products.cache.PIPELINE HGETALL',
    ' orders.create_order',
    '  orders.db.BEGIN',
    '  orders.db.INSERT INTO orders',
    '  orders.db.INSERT INTO order_details',
    '  orders.db.COMMIT',
    '  orders.events.order_created',
    '   products.on order_created',
    '    products.cache.PIPELINE EXISTS',
    '    products.cache.MULTI HINCRBY',
  ])
  const read = await store.treeOf('GET /orders/{order_id}')
  assert.deepEqual(
    read.root.calls.map(({ service, method }) => `${service}.${method}`),
    ['orders.get_order', 'products.list'],
  )
})

onEachRoad("what is wrong is told in Nameko's example's words", async (store) => {
  const id = newId()
  await store.request('POST', '/products', product(id))
  const cases: readonly (readonly [string, string, unknown, number, string, string])[] = [
    [
      'GET',
      '/products/nope',
      undefined,
      404,
      'PRODUCT_NOT_FOUND',
      'Product ID nope does not exist',
    ],
    [
      'POST',
      '/products',
      '',
      400,
      'BAD_REQUEST',
      'Invalid json: Expecting value: line 1 column 1 (char 0)',
    ],
    [
      'POST',
      '/products',
      '{"id": 1,\n}',
      400,
      'BAD_REQUEST',
      'Invalid json: Expecting property name enclosed in double quotes: line 2 column 1 (char 10)',
    ],
    ['POST', '/products', [], 400, 'VALIDATION_ERROR', "{'_schema': ['Invalid type.']}"],
    [
      'POST',
      '/products',
      { ...product(id), id: 7, title: null },
      400,
      'VALIDATION_ERROR',
      "{'id': ['Not a valid string.'], 'title': ['Field may not be null.']}",
    ],
    [
      'POST',
      '/products',
      { ...product(id), in_stock: 'many' },
      400,
      'VALIDATION_ERROR',
      "{'in_stock': ['Not a valid integer.']}",
    ],
    [
      'GET',
      '/orders/99999999',
      undefined,
      404,
      'ORDER_NOT_FOUND',
      'Order with id 99999999 not found',
    ],
    ['POST', '/orders', order(detail('unknown')), 404, 'PRODUCT_NOT_FOUND', 'Product Id unknown'],
    [
      'POST',
      '/orders',
      order({ product_id: id, price: '1' }),
      400,
      'VALIDATION_ERROR',
      `{'order_details': {0: {'quantity': ${MISSING}}}}`,
    ],
    [
      'POST',
      '/orders',
      order(detail(id), detail(id, { price: 'dear' })),
      400,
      'VALIDATION_ERROR',
      "{'order_details': {1: {'price': ['Not a valid number.']}}}",
    ],
    [
      'POST',
      '/orders',
      {},
      400,
      'VALIDATION_ERROR',
      `{'order_details': {0: {'product_id': ${MISSING}, 'price': ${MISSING}, 'quantity': ${MISSING}}}}`,
    ],
    [
      'POST',
      '/orders',
      'no json',
      400,
      'BAD_REQUEST',
      'Invalid json: Expecting value: line 1 column 1 (char 0)',
    ],
  ]
  for (const [method, path, given, status, error, message] of cases) {
    const answer = await store.request(method, path, given)
    assert.deepEqual(answer, { status, body: { error, message }, type: 'application/json' })
  }
  for (const [method, path, status] of [
    ['GET', '/products', 405],
    ['DELETE', '/orders/1', 405],
    ['GET', '/nothing', 404],
    ['GET', '/orders/one', 404],
  ] as const) {
    const answer = await store.request(method, path)
    assert.equal(answer.status, status)
    assert.match(String(answer.type), /^text\/html/)
  }
  const large = await store.request('POST', '/orders', `"${'x'.repeat(1_100_000)}"`)
  assert.equal(large.status, 413)
  const tree = await store.treeOf('GET /products/{product_id}', ({ root }) => root.status !== 'ok')
  assert.deepEqual(linesOf(tree), [
    'gateway.GET /products/{product_id} threw ProductNotFound',
    ' products.get threw ProductNotFound',
    '  products.cache.HGETALL products:?',
  ])
})

onEachRoad('numbers are taken as Python takes them', async (store) => {
  const id = newId()
  const given = { ...product(id), in_stock: '20', maximum_speed: 3.7 }
  assert.equal((await store.request('POST', '/products', given)).status, 200)
  const { body } = await store.request('GET', `/products/${id}`)
  assert.deepEqual(body, { ...product(id), in_stock: 20, maximum_speed: 3 })
  const many = order(
    detail(id, { price: 1.005, quantity: '2' }),
    detail(id, { price: '  1.5 ', quantity: 2.9 }),
  )
  const made = await store.request('POST', '/orders', many)
  assert.equal(made.status, 200)
  const read = await store.request('GET', `/orders/${(made.body as { id: number }).id}`)
  const prices = (read.body as { order_details: { price: string; quantity: number }[] })
    .order_details
  assert.deepEqual(
    prices.map(({ price, quantity }) => [price, quantity]),
    [
      ['1.01', 2],
      ['1.50', 2],
    ],
  )
  const empty = await store.request('POST', '/orders', order())
  assert.equal(empty.status, 200)
})

/** `orders` and `products` as other services call them. */
async function withServices(
  body: (
    call: (service: string, method: string, ...args: unknown[]) => Promise<unknown>,
  ) => Promise<void>,
): Promise<void> {
  const broker = memory()
  await withStore({ broker }, async () => {
    await using cluster = await connect(broker)
    await body((service, method, ...args) => cluster.invoke(service, method, args, {}))
  })
}

test('the services keep their promises to each other', () =>
  withServices(async (call) => {
    const made = (await call('orders', 'create_order', [detail('a'), detail('b')])) as {
      id: number
      order_details: { id: number }[]
    }
    assert.deepEqual(await call('orders', 'get_order', String(made.id)), made)
    const [first, second] = made.order_details
    const changed = { ...made, order_details: [{ ...first, price: '5', quantity: 1 }, second] }
    const updated = (await call('orders', 'update_order', changed)) as typeof made
    assert.deepEqual(updated, {
      ...made,
      order_details: [{ ...first, price: '5.00', quantity: 1 }, second],
    })
    assert.equal(await call('orders', 'delete_order', made.id), null)
    const refusals: readonly (readonly [
      string,
      string,
      unknown,
      string,
      string,
      readonly string[],
    ])[] = [
      [
        'orders',
        'get_order',
        999_999,
        'orders.exceptions.NotFound',
        'Order with id 999999 not found',
        ['Order with id 999999 not found'],
      ],
      [
        'orders',
        'delete_order',
        made.id,
        'orders.exceptions.NotFound',
        `Order with id ${made.id} not found`,
        [`Order with id ${made.id} not found`],
      ],
      [
        'orders',
        'update_order',
        made,
        'orders.exceptions.NotFound',
        `Order with id ${made.id} not found`,
        [`Order with id ${made.id} not found`],
      ],
      [
        'orders',
        'create_order',
        [{ product_id: 'a', quantity: 1 }],
        'builtins.KeyError',
        "'price'",
        ['price'],
      ],
      [
        'products',
        'get',
        'zzz',
        'products.exceptions.NotFound',
        'Product ID zzz does not exist',
        ['Product ID zzz does not exist'],
      ],
      [
        'products',
        'create',
        { id: 'a' },
        'marshmallow.exceptions.ValidationError',
        `{'title': ${MISSING}, 'passenger_capacity': ${MISSING}, 'maximum_speed': ${MISSING}, 'in_stock': ${MISSING}}`,
        [
          `{'title': ${MISSING}, 'passenger_capacity': ${MISSING}, 'maximum_speed': ${MISSING}, 'in_stock': ${MISSING}}`,
        ],
      ],
    ]
    for (const [service, method, argument, path, message, args] of refusals) {
      const error = await call(service, method, argument).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof RemoteError, String(error))
      assert.deepEqual([error.remotePath, error.message, error.remoteArgs], [path, message, args])
    }
    assert.equal(await call('products', 'create', product('a')), null)
    assert.deepEqual(await call('products', 'list'), [product('a')])
  }))

test('an order of what is no product breaks no list, and is told when it is read', async () => {
  const broker = memory()
  await withStore({ broker }, async (store) => {
    await using cluster = await connect(broker)
    await store.request('POST', '/products', product('a'))
    const args = [[detail('a'), detail('unknown')]]
    const { id } = (await cluster.invoke('orders', 'create_order', args, {})) as { id: number }
    await eventually(async () => {
      const stock = await cluster.invoke('products', 'list', [], {})
      assert.deepEqual(stock, [product('a', 7)])
    })
    assert.deepEqual(await store.request('GET', `/orders/${id}`), UNEXPECTED)
    const tree = await store.treeOf('GET /orders/{order_id}')
    assert.equal(tree.root.error, 'KeyError')
  })
})

/** Looks into the cache beside `products`. */
class Probe {
  static readonly name = 'probe'
  cache = redis()
  @rpc async keys(): Promise<string[]> {
    return await this.cache.keys('*')
  }
  @rpc async put(key: string, name: string, value: string): Promise<void> {
    await this.cache.hset(key, { [name]: value })
  }
}

test('what cannot be counted now is counted later, and what is no product never', async () => {
  const broker = memory()
  const services = [GatewayService, OrdersService, ProductsService, Probe] as ServiceClass[]
  await withStore({ broker, services }, async (store) => {
    await using cluster = await connect(broker)
    const probe = cluster.proxy<Probe>('probe')
    await store.request('POST', '/products', product('a'))
    await probe.put('products:a', 'in_stock', 'broken')
    await cluster.invoke('orders', 'create_order', [[detail('unknown'), detail('a')]], {})
    const failed = await store.treeOf('create_order', ({ root }) =>
      callsOf(root).some(({ error }) => error === 'RedisError'),
    )
    assert.equal(failed.root.status, 'ok')
    await probe.put('products:a', 'in_stock', '10')
    await eventually(async () => {
      const { body } = await store.request('GET', '/products/a')
      assert.equal((body as { in_stock: number }).in_stock, 7)
    })
    assert.deepEqual(await probe.keys(), ['products:a'])
  })
})

async function silentServer() {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return { port, [Symbol.dispose]: () => void server.close() }
}

const UNEXPECTED = {
  status: 500,
  body: { error: 'UNEXPECTED_ERROR', message: 'the request could not be answered' },
  type: 'application/json',
}

test('a database that is down: a clear error, nothing of the inside, and a tree that tells', () =>
  withStore(
    { config: { DB_URIS: { 'orders:Base': 'postgres://u:secret@127.0.0.1:1/x' } } },
    async (store) => {
      await store.request('POST', '/products', product('a'))
      assert.deepEqual(await store.request('POST', '/orders', order(detail('a'))), UNEXPECTED)
      assert.deepEqual(linesOf(await store.treeOf('POST /orders')).map(withoutTail), [
        'gateway.POST /orders threw DatabaseUnavailable',
        ' products.list',
        '  products.cache.KEYS products:?',
        '  products.cache.PIPELINE HGETALL',
        ' orders.create_order threw DatabaseUnavailable',
        '  orders.db.BEGIN threw DatabaseUnavailable',
      ])
    },
  ))

test('a cache that never answers: an error in time, and a tree that tells', async () => {
  using silent = await silentServer()
  const config = { REDIS_URI: `redis://127.0.0.1:${silent.port}/11` }
  await withStore({ config, timeoutMs: 700 }, async (store) => {
    assert.deepEqual(await store.request('GET', '/products/a'), UNEXPECTED)
    const lines = linesOf(await store.treeOf('GET /products/{product_id}'))
    assert.match(lines[0]!, /^gateway\.GET \/products\/\{product_id\} (?:threw|timeout)/)
    assert.match(lines[1]!, /^ products\.get (?:threw|timeout)/)
  })
})

test('an event handler that always throws: the order stands, the tree tells, nothing is lost', () => {
  class FailingProducts extends ProductsService {
    static override readonly name = 'products'
    @event('orders', 'order_created', { requeueOnError: { backoffMs: 10, maxAttempts: 3 } })
    override async handle_order_created(): Promise<void> {
      throw new RangeError('never')
    }
  }
  return withStore(
    { services: [GatewayService, OrdersService, FailingProducts as ServiceClass] },
    async (store) => {
      await store.request('POST', '/products', product('a'))
      const made = await store.request('POST', '/orders', order(detail('a')))
      assert.equal(made.status, 200)
      const tree = await store.treeOf('POST /orders', ({ calls }) => calls >= 11)
      assert.equal(tree.root.status, 'ok')
      const handlers = callsOf(tree.root).filter(({ method }) => method === 'on order_created')
      assert.ok(handlers.length >= 1)
      assert.ok(handlers.every(({ error }) => error === 'RangeError'))
      const { id } = made.body as { id: number }
      assert.equal((await store.request('GET', `/orders/${id}`)).status, 200)
    },
  )
})

function callsOf(call: CallNode): readonly CallNode[] {
  return [call, ...call.calls.flatMap(callsOf)]
}

/** A tree, a line for each call, indented by its depth. */
function linesOf(tree: CallTree): readonly string[] {
  const lines = (call: CallNode, depth: number): readonly string[] => {
    const failed =
      call.error === undefined
        ? call.status === 'ok'
          ? ''
          : ` ${call.status}`
        : ` threw ${call.error}`
    const own = `${' '.repeat(depth)}${call.service}.${call.method}${failed}`
    return [own, ...call.calls.flatMap((one) => lines(one, depth + 1))]
  }
  return lines(tree.root, 0)
}

/** Lists of columns and keys of others' products say nothing here. */
function withoutTail(line: string): string {
  return line.replace(/(INSERT INTO \w+|PIPELINE \w+|MULTI \w+).*$/, '$1')
}
