// `npm run bench:peers`: Clew's RPC beside amqplib, NestJS, Moleculer and Nameko. See `--help`.
import { fileURLToPath } from 'node:url'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { brokerVersion } from './harness/broker-version.ts'
import { HELP, readOptions } from './peers/options.ts'
import { prepareStart } from './peers/start.ts'
import { runPeers, writePeers } from './peers/suite.ts'
import { reportOf } from './peers/tables.ts'

const DOCUMENTS = fileURLToPath(new URL('../../docs/', import.meta.url))

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  return besideRabbitmq(async (url) => {
    const results = await runPeers(options.plan, {
      url,
      brokerVersion: await brokerVersion(url),
      start: await prepareStart(options.plan.cells, url, say),
      say,
    })
    if (options.write) {
      for (const file of await writePeers(results, DOCUMENTS)) say(`wrote ${file}`)
    }
    const report = () => `${reportOf(results, 'docs/figures')}\n`
    process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : report())
    return 0
  })
}

function say(line: string): void {
  process.stderr.write(`peers: ${line}\n`)
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  return 1
})
