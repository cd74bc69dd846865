// node examples/dist/straggler/main.js [--broker URL] [--leaves 10] [--slow 7] [--by-ms 100]
import { connect, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { brokerAt, options } from '../options.ts'
import { printTree } from '../print-tree.ts'
import { type Leaf, straggler } from './services.ts'

const chosen = options({ broker: 'memory', leaves: 10, slow: 7, 'by-ms': 100 })
const { leaves, 'by-ms': byMs } = chosen
const slow = Math.min(chosen.slow, leaves)
const broker = brokerAt(chosen.broker)

await using _services = await run(straggler({ leaves, slow, byMs }), { broker, use: [profile()] })
await using cluster = await connect(broker)
const root = traced(cluster.proxy<Leaf>('straggler_root'))

const { result, trace } = await root.search('tree')
console.log(`${leaves} leaves found ${result} letters`)
printTree(trace)
