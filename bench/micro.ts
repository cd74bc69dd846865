// `npm run bench:micro`: what each step of profiling a call takes, by itself. See `--help`.
import { fileURLToPath } from 'node:url'
import { writeSection } from './harness/document.ts'
import { HELP, readOptions } from './micro/options.ts'
import { describeSteps, runMicro } from './micro/suite.ts'
import { reportOf } from './micro/tables.ts'

const MEASURE = fileURLToPath(new URL('./micro/measure.js', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (options.list) {
    for (const { key, title } of await describeSteps(MEASURE, undefined)) {
      process.stdout.write(`${key.padEnd(16)} ${title}\n`)
    }
    return 0
  }
  const results = await runMicro(options.plan, MEASURE, say)
  const report = reportOf(results)
  if (options.write) {
    await writeSection(DOCUMENT, 'micro', report)
    say('wrote docs/benchmarks.md')
  }
  process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : `${report}\n`)
  return 0
}

function say(line: string): void {
  process.stderr.write(`micro: ${line}\n`)
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  return 1
})
