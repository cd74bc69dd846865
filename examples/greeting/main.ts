// node examples/dist/greeting/main.js [--broker URL] [--name NAME]
import { connect, run } from 'clew'
import { profile, traced } from 'clew/profile'
import { brokerAt, options } from '../options.ts'
import { printTree } from '../print-tree.ts'
import { GreetingService, IdService } from './services.ts'

const { broker: address, name } = options({ broker: 'memory', name: 'Ada' })
const broker = brokerAt(address)

await using _services = await run([IdService, GreetingService], { broker, use: [profile()] })
await using cluster = await connect(broker)
const greeting = traced(cluster.proxy<GreetingService>('greeting_service'))

const { result, trace } = await greeting.hello(name)
console.log(result)
printTree(trace)
