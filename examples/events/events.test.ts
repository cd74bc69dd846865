import assert from 'node:assert/strict'
import { eventually } from 'clew/testing'
import { onEachBroker, wholeTree } from '../on-each-broker.ts'
import { outline, went } from '../outline.ts'
import { Mailer, Orders, Products, services } from './services.ts'

onEachBroker(
  'an event and what it leads to are one tree',
  () => services,
  async (cluster) => {
    const products = cluster.traced<Products>(Products.name)
    const { result: before } = await products.inStock('the odyssey')
    const order = { id: 7, product: 'the odyssey', quantity: 1 }
    // Handlers that take longer than 250 ms come home by themselves: then the next order is looked at.
    let orders = 0
    await eventually(async () => {
      orders++
      const { result, trace } = await cluster.traced<Orders>(Orders.name).create(order)
      assert.equal(result, 7)
      const { root } = wholeTree(trace)
      assert.equal(root.calls[0]?.edge, 'event')
      assert.deepEqual(byName(outline(root)), {
        call: 'orders.create ok 1111',
        calls: [
          {
            call: 'orders.events.order_created ok 1001',
            calls: [
              {
                call: 'mailer.on order_created ok 0110',
                calls: [went('products.inStock')],
              },
              { call: 'products.on order_created ok 0110', calls: [] },
            ],
          },
        ],
      })
    })
    await eventually(async () => {
      assert.equal((await products.inStock('the odyssey')).result, before - orders)
    })
    const { result: letters } = await cluster.traced<Mailer>(Mailer.name).sent()
    assert.match(letters[0]!, /^order 7: the odyssey, of which \d+ are left$/)
  },
)

/** Handlers of one event come home in any order. */
function byName(told: ReturnType<typeof outline>): ReturnType<typeof outline> {
  const calls = told.calls.map(byName).toSorted((one, other) => one.call.localeCompare(other.call))
  return { ...told, calls }
}
