import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { memory, type Plugin, run } from 'clew'
import { HttpServer } from 'clew/http'
import {
  generateGrantKey,
  grantIssuer,
  grantVerifier,
  importGrantKeys,
  profile,
  type Scope,
} from 'clew/profile'
import { callTree } from 'clew/trace'
import { readPiece } from 'clew/trace/blocks'
import { GatewayService, OrdersService, ProductsService, STORE_ERRORS } from 'clew-examples/store'
import { raw, requestOf } from './raw-http.ts'

const SECRET_HOST = 'secret-host-of-the-inside'

async function store(use: Plugin[]) {
  const running = await run([GatewayService, OrdersService, ProductsService], {
    broker: memory(),
    use,
    errors: STORE_ERRORS,
    signals: false,
    log: () => {},
    config: {
      DB_URIS: { 'orders:Base': 'pglite:' },
      REDIS_URI: 'memory:',
      PRODUCT_IMAGE_ROOT: 'http://images.example',
      http: { host: '127.0.0.1', port: 0 },
    },
  })
  const { url } = running.shared(HttpServer)
  return { url, port: Number(new URL(url).port), [Symbol.asyncDispose]: () => running.stop() }
}

const PRODUCT = {
  id: 'the_odyssey',
  title: 'The Odyssey',
  passenger_capacity: 101,
  maximum_speed: 5,
  in_stock: 1_000_000,
}
const DETAIL = { product_id: PRODUCT.id, price: '100000.99', quantity: 1 }
const order = (detail: object) => JSON.stringify({ order_details: [{ ...DETAIL, ...detail }] })

const REQUESTS: readonly (readonly [line: string, body?: string])[] = [
  ['POST /products', JSON.stringify(PRODUCT)],
  ['POST /products', '{"id":7}'],
  ['POST /products', 'no json'],
  ['GET /products/the_odyssey'],
  ['GET /products/none'],
  ['POST /orders', order({})],
  ['POST /orders', order({ product_id: 'none' })],
  ['POST /orders', order({ price: 'abc' })],
  ['POST /orders', '{"order_details":[]}'],
  ['GET /orders/1'],
  ['GET /orders/99999'],
  ['GET /orders/x'],
  ['DELETE /orders/1'],
  ['GET /nowhere'],
]

/** What stands nowhere in the store's own answers. */
const INSIDE = [
  ...[SECRET_HOST, hostname(), 'clew', 'get_order', 'create_order', 'order_created', 'orders.db'],
  ...['select ', 'insert ', 'postgres', 'pglite', 'redis', 'gateway', 'rpc', 'node_modules'],
  ...['traceparent', 'server-timing'],
]

test('the store says the same with a profiler as without, and nothing of its inside', async () => {
  const [key] = await importGrantKeys((await generateGrantKey()).private)
  const access = { verify: grantVerifier({ keys: [key!] }) }
  await using plain = await store([])
  await using traces = await store([profile({ access, host: SECRET_HOST })])
  const strangers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, 'clew-grant': 'x' }
  const heard: string[] = []
  for (let round = 0; round < 25; round++) {
    for (const [line, body] of REQUESTS) {
      const headers = { 'content-type': 'application/json', ...(round % 2 === 0 ? {} : strangers) }
      const request = requestOf(line, headers, body)
      // Both write into one database, so the numbers of their orders differ.
      const [seen, expected] = [
        await raw(traces.port, request),
        await raw(plain.port, request),
      ].map((answer) => answer.replace(/^content-length: .*$/im, '').replace(/^\{"id":\d+\}/m, ''))
      assert.equal(seen, expected, line)
      heard.push(seen!)
    }
  }
  assert.ok(heard.length === 350)
  const all = heard.join('\n').toLowerCase()
  assert.deepEqual(
    INSIDE.filter((name) => all.includes(name.toLowerCase())),
    [],
  )
  const shown = async (scope: Scope) => {
    const claims = { subject: 'x', audience: 'gateway', scope } as const
    const grant = await grantIssuer({ key: key! }).issue(claims)
    const response = await fetch(`${traces.url}/orders/1`, { headers: { 'clew-grant': grant } })
    assert.equal(response.status, 200)
    const trace = readPiece(Buffer.from(response.headers.get('clew-trace')!, 'base64url'))!
    const { root } = callTree(trace)
    return JSON.stringify([root.service, root.calls.map(({ method }) => method), trace])
  }
  const [total, own, full] = [await shown('total'), await shown('own'), await shown('full')]
  assert.doesNotMatch(total, /get_order|SELECT|secret|host-/)
  assert.match(own, /^\["gateway",\["get_order","list"\]/)
  assert.doesNotMatch(own, /SELECT|orders\.db|products\.cache|secret/)
  assert.match(full, /SELECT .*WHERE order_id = \?/)
})
