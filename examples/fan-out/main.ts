// node examples/dist/fan-out/main.js [--broker URL] [--k 10]
import { connect, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { brokerAt, options } from '../options.ts'
import { printTree } from '../print-tree.ts'
import { LeafService, RootService } from './services.ts'

const { broker: address, k } = options({ broker: 'memory', k: 10 })
const broker = brokerAt(address)

await using _services = await run([LeafService, RootService], { broker, use: [profile()] })
await using cluster = await connect(broker)
const root = traced(cluster.proxy<RootService>('fan_out_root'))

for (const method of ['one_by_one', 'all_at_once'] as const) {
  const { result, trace } = await root[method](k)
  console.log(`${method}: ${k} leaves answered, the sum is ${result}`)
  printTree(trace)
}
