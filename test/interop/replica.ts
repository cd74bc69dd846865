// The TypeScript replica of `shared` as a process of its own, for a test that kills it:
//   node replica.js PREFIX      with CLEW_AMQP_URL; prints `ready`, ends with its parent
import { rabbitmq, run } from 'clew'
import { profile } from 'clew/profile'
import { sharedService } from './typescript-services.ts'

const [prefix = ''] = process.argv.slice(2)
await run(sharedService(prefix), {
  broker: rabbitmq(process.env.CLEW_AMQP_URL ?? ''),
  use: [profile()],
})
process.on('disconnect', () => process.exit(1))
process.stdout.write('ready\n')
