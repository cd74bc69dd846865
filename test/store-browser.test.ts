/** The online store as a page of a real browser sees it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memory } from 'clew'
import type { Trace } from 'clew/trace'
import { callTree } from 'clew/trace'
import { openStore } from 'clew-examples/store'
import { NO_BROWSER, newTab } from './browser.ts'

/** Runs in the page: orders what it shows, and reads the order back. */
async function order(product_id: string): Promise<unknown[]> {
  const order_details = [{ product_id, price: '12.50', quantity: 2 }]
  const post = { method: 'POST', body: JSON.stringify({ order_details }) }
  const made = (await (await fetch('/orders', post)).json()) as { readonly id: number }
  const read = await (await fetch(`/orders/${made.id}`)).json()
  const unknown = await fetch('/products/nope')
  return [read, unknown.status, await unknown.json()]
}

test('a browser shows a product, orders it, and is told of what there is not', {
  skip: NO_BROWSER,
}, async () => {
  await using store = await openStore({
    broker: memory(),
    database: 'pglite:browser',
    cache: 'memory:browser',
  })
  await store.measure(1)
  const traces: Trace[] = []
  const { promise: all, resolve } = Promise.withResolvers<void>()
  store.watch((trace) => {
    if (traces.push(trace) >= 4) resolve()
  })
  const tab = await newTab()
  const response = await tab.goto(store.page)
  assert.equal(response?.headers()['content-type'], 'application/json')
  const product = JSON.parse(await tab.innerText('body')) as { readonly id: string }
  assert.equal(product.id, 'the_odyssey')
  const [read, status, problem] = await tab.evaluate(order, product.id)
  const [detail] = (read as { order_details: [{ price: string; image: string }] }).order_details
  assert.equal(detail.price, '12.50')
  assert.match(detail.image, /the_odyssey\.jpg$/)
  assert.equal(status, 404)
  const message = 'Product ID nope does not exist'
  assert.deepEqual(problem, { error: 'PRODUCT_NOT_FOUND', message })
  await all
  const roots = traces.map((trace) => callTree(trace).root.method)
  assert.ok(roots.includes('POST /orders') && roots.includes('GET /orders/{order_id}'))
})
