// node examples/dist/load/main.js [--broker URL] [--seconds 3]
import { setTimeout as sleep } from 'node:timers/promises'
import { renderLoadText } from '@clew/render'
import { connect, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { callTree, Load } from 'clew/trace'
import { brokerAt, options } from '../options.ts'
import { shop } from './services.ts'

const { broker: address, seconds } = options({ broker: 'memory', seconds: 3 })
const broker = brokerAt(address)
const { orders, payments, connections } = shop()

await using _payments = await run(payments, { broker, use: [profile()], maxWorkers: connections })
await using _orders = await run(orders, { broker, use: [profile()], maxWorkers: 1_000 })
await using cluster = await connect(broker)
const shopper = traced(cluster.proxy<{ create(cents: number): Promise<number> }>('orders'))

const load = new Load()
const open: Promise<void>[] = []
for (const rate of [40, 80, 120, 160, 200, 240]) {
  const end = performance.now() + seconds * 1000
  let next = performance.now()
  // On schedule, whatever became of the calls before: a slow system is not asked less.
  while (next < end) {
    await sleep(Math.max(0, next - performance.now()))
    open.push(shopper.create(100).then(({ trace }) => load.add(callTree(trace))))
    next += (-Math.log(1 - Math.random()) * 1000) / rate
  }
}
await Promise.all(open)
process.stdout.write(renderLoadText(load.report()))
