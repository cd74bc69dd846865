// `npm run bench:peers`: Clew's RPC beside amqplib, NestJS, Moleculer and Nameko. See `--help`.
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { brokerVersion } from './harness/broker-version.ts'
import { runCommand } from './harness/command.ts'
import { deliver } from './harness/outcome.ts'
import { HELP, readOptions } from './peers/options.ts'
import { prepareStart } from './peers/start.ts'
import { outcomeOf, runPeers } from './peers/suite.ts'

await runCommand({
  name: 'peers',
  help: HELP,
  readOptions,
  run: (options, say) =>
    besideRabbitmq(async (url) => {
      const results = await runPeers(options.plan, {
        url,
        brokerVersion: await brokerVersion(url),
        start: await prepareStart(options.plan.cells, url, say),
        say,
      })
      return deliver(outcomeOf(results), options, say)
    }),
})
