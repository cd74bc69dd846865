// node examples/dist/pipeline/main.js [--broker URL] [--n 10]
import { connect, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { brokerAt, options } from '../options.ts'
import { printTree } from '../print-tree.ts'
import { pipeline, type Stage, stageName } from './services.ts'

const { broker: address, n } = options({ broker: 'memory', n: 10 })
const broker = brokerAt(address)

await using _services = await run(pipeline(n), { broker, use: [profile()] })
await using cluster = await connect(broker)
const first = traced(cluster.proxy<Stage>(stageName(1)))

const { result, trace } = await first.process_item(21)
console.log(`${n} stages made ${result} of 21`)
printTree(trace)
