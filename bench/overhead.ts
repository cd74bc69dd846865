// `npm run bench:overhead`: Clew traced against Clew untraced, over RabbitMQ. See `--help`.
import { fileURLToPath } from 'node:url'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { brokerClock } from './harness/broker-process.ts'
import { brokerVersion } from './harness/broker-version.ts'
import { runCommand } from './harness/command.ts'
import { deliver } from './harness/outcome.ts'
import { startRemote } from './harness/remote.ts'
import { HELP, readOptions } from './overhead/options.ts'
import type { Participant } from './overhead/participants.ts'
import { outcomeOf, runOverhead } from './overhead/suite.ts'

const PARTICIPANT = fileURLToPath(new URL('./overhead/participant.js', import.meta.url))

await runCommand({
  name: 'overhead',
  help: HELP,
  readOptions,
  run: (options, say) =>
    besideRabbitmq(async (url) => {
      const broker = { name: 'rabbitmq', version: await brokerVersion(url) } as const
      const results = await runOverhead(options.plan, broker, {
        launch: (role) => startRemote<Participant>(PARTICIPANT, [url, JSON.stringify(role)]),
        clock: await brokerClock(url),
        say,
      })
      return deliver(outcomeOf(results), options, say)
    }),
})
