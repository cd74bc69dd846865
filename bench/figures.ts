// `npm run bench:figures`: the paper's Figures 3 and 4 over RabbitMQ. See `--help`.
import { fileURLToPath } from 'node:url'
import { HELP, readOptions } from './figures/options.ts'
import type { Participant } from './figures/participants.ts'
import { runFigures, writeFigures } from './figures/suite.ts'
import { reportOf } from './figures/tables.ts'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { brokerVersion } from './harness/broker-version.ts'
import { startRemote } from './harness/remote.ts'

const PARTICIPANT = fileURLToPath(new URL('./figures/participant.js', import.meta.url))
const DOCUMENTS = fileURLToPath(new URL('../../docs/', import.meta.url))

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  return besideRabbitmq(async (url) => {
    const broker = { name: 'rabbitmq', version: await brokerVersion(url) } as const
    const results = await runFigures(
      options.plan,
      broker,
      (role) => startRemote<Participant>(PARTICIPANT, [url, JSON.stringify(role)]),
      say,
    )
    if (options.write) {
      for (const file of await writeFigures(results, DOCUMENTS)) say(`wrote ${file}`)
    }
    const report = () => `${reportOf(results, 'docs/figures')}\n`
    process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : report())
    return 0
  })
}

function say(line: string): void {
  process.stderr.write(`figures: ${line}\n`)
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  return 1
})
