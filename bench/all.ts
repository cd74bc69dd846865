// `npm run bench`: the suites that hold Clew against itself and against others, one after the other. See `--help`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { runCommand, type Say } from './harness/command.ts'
import { readParameters } from './harness/parameters.ts'
import { SUITES } from './suites.ts'

const HELP = `Measures what profiling costs, and Clew beside what its users would pick instead.

  npm run bench                 all suites, about an hour and a half; writes docs/benchmarks.md and docs/figures
  npm run bench -- --quick      as short as they can be, under two minutes, writes nothing
  npm run -s bench -- --json    prints the results of all suites as one JSON value, writes nothing

  --help                        this text

The suites: ${Object.keys(SUITES)
  .map((suite) => `bench:${suite}`)
  .join(', ')}. Each is a command by itself, with options of its own. What
collectors take and answer is measured by bench:collector and bench:stores.

Uses the RabbitMQ that CLEW_AMQP_URL names, else starts a private one.
`

interface AllOptions {
  readonly quick: boolean
  readonly json: boolean
}

async function runAll({ quick, json }: AllOptions, say: Say): Promise<number> {
  const results: Record<string, unknown> = {}
  const suites = Object.entries(SUITES)
  for (const [index, [suite, quickly]] of suites.entries()) {
    say(`${suite}, ${index + 1} of ${suites.length}`)
    const options = [...(quick ? quickly : json ? [] : ['--write'])]
    const { code, printed } = await runSuite(suite, json ? [...options, '--json'] : options)
    if (code !== 0) throw new Error(`${suite} ended with ${code}`)
    if (json) results[suite] = JSON.parse(printed)
    else process.stdout.write(`\n## ${suite}\n\n${printed}`)
  }
  if (json) process.stdout.write(`${JSON.stringify(results)}\n`)
  return 0
}

/** Runs one suite as its own command does; what it says meanwhile is passed on. */
async function runSuite(
  suite: string,
  options: readonly string[],
): Promise<{ readonly code: number; readonly printed: string }> {
  const program = fileURLToPath(new URL(`./${suite}.js`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, program, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, printed: Buffer.concat(pieces).toString('utf8') }
}

await runCommand({
  name: 'bench',
  help: HELP,
  readOptions: (parameters) =>
    readParameters(parameters, { flags: ['quick', 'json'], values: {} }).flags,
  run: (options, say) => besideRabbitmq(() => runAll(options, say)),
})
