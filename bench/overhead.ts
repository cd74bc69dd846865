// `npm run bench:overhead`: Clew traced against Clew untraced, over RabbitMQ. See `--help`.
import { fileURLToPath } from 'node:url'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { brokerClock } from './harness/broker-process.ts'
import { brokerVersion } from './harness/broker-version.ts'
import { startRemote } from './harness/remote.ts'
import { HELP, readOptions } from './overhead/options.ts'
import type { Participant } from './overhead/participants.ts'
import { runOverhead, writeOverhead } from './overhead/suite.ts'
import { reportOf } from './overhead/tables.ts'

const PARTICIPANT = fileURLToPath(new URL('./overhead/participant.js', import.meta.url))
const DOCUMENTS = fileURLToPath(new URL('../../docs/', import.meta.url))

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  return besideRabbitmq(async (url) => {
    const broker = { name: 'rabbitmq', version: await brokerVersion(url) } as const
    const results = await runOverhead(options.plan, broker, {
      launch: (role) => startRemote<Participant>(PARTICIPANT, [url, JSON.stringify(role)]),
      clock: await brokerClock(url),
      say,
    })
    if (options.write) {
      for (const file of await writeOverhead(results, DOCUMENTS)) say(`wrote ${file}`)
    }
    const report = () => `${reportOf(results, 'docs/figures')}\n`
    process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : report())
    return 0
  })
}

function say(line: string): void {
  process.stderr.write(`overhead: ${line}\n`)
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  return 1
})
