// node examples/dist/events/main.js [--broker URL]
import { connect, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { brokerAt, options } from '../options.ts'
import { printTree } from '../print-tree.ts'
import { Orders, services } from './services.ts'

const { broker: address } = options({ broker: 'memory' })
const broker = brokerAt(address)

await using _services = await run(services, { broker, use: [profile()] })
await using cluster = await connect(broker)

const orders = traced(cluster.proxy<Orders>(Orders.name))
const { trace } = await orders.create({ id: 7, product: 'the odyssey', quantity: 1 })
printTree(trace)
