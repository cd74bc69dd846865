// `npm run bench:figures`: the paper's Figures 3 and 4 over RabbitMQ. See `--help`.
import { fileURLToPath } from 'node:url'
import { HELP, readOptions } from './figures/options.ts'
import type { Participant } from './figures/participants.ts'
import { outcomeOf, runFigures } from './figures/suite.ts'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { brokerVersion } from './harness/broker-version.ts'
import { runCommand } from './harness/command.ts'
import { deliver } from './harness/outcome.ts'
import { startRemote } from './harness/remote.ts'

const PARTICIPANT = fileURLToPath(new URL('./figures/participant.js', import.meta.url))

await runCommand({
  name: 'figures',
  help: HELP,
  readOptions,
  run: (options, say) =>
    besideRabbitmq(async (url) => {
      const broker = { name: 'rabbitmq', version: await brokerVersion(url) } as const
      const results = await runFigures(
        options.plan,
        broker,
        (role) => startRemote<Participant>(PARTICIPANT, [url, JSON.stringify(role)]),
        say,
      )
      return deliver(outcomeOf(results), options, say)
    }),
})
