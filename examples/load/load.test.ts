import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Broker, connect, memory, rabbitmq, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { callTree, Load } from 'clew/trace'
import { shop } from './services.ts'

const prefix = 'load_'

/**
 * Orders one after the other, then so many at once that payments wait for a connection. A payment takes so
 * long that what a busy machine adds between two of them leaves the connection busy.
 */
async function bottlenecks(broker: Broker) {
  const { orders, payments, connections } = shop({ connections: 1, paymentMs: 40, prefix })
  await using _payments = await run(payments, {
    ...{ broker, use: [profile()], maxWorkers: connections, signals: false },
  })
  await using _orders = await run(orders, {
    ...{ broker, use: [profile()], maxWorkers: 1_000, signals: false },
  })
  await using cluster = await connect(broker)
  const shopper = traced(
    cluster.proxy<{ create(cents: number): Promise<number> }>(`${prefix}orders`),
  )
  const load = new Load()
  const order = async () => load.add(callTree((await shopper.create(100)).trace))
  for (let number = 0; number < 40; number++) await order()
  for (let wave = 0; wave < 4; wave++) await Promise.all(Array.from({ length: 40 }, order))
  const { bands } = load.report({ by: 'inFlight' })
  return bands.map(({ bottleneck: { service, kind } }) => `${service} ${kind}`)
}

const address = process.env.CLEW_AMQP_URL

for (const [name, broker] of [
  ['in memory', memory],
  ['on RabbitMQ', address === undefined ? undefined : () => rabbitmq(address)],
] as const) {
  const skip = broker === undefined ? 'CLEW_AMQP_URL names no RabbitMQ' : false
  test(`few orders take their own time, many wait for payments, ${name}`, { skip }, async () => {
    const found = await bottlenecks(broker!())
    assert.equal(found[0], 'load_orders work')
    assert.equal(found.at(-1), 'load_payments workers')
  })
}
