// `npm run bench:analysis`: what reading and analysing traces takes. See `--help`.
import { fileURLToPath } from 'node:url'
import type { Measuring } from './analysis/measuring.ts'
import { HELP, readOptions } from './analysis/options.ts'
import { runAnalysis } from './analysis/suite.ts'
import { reportOf } from './analysis/tables.ts'
import { writeSection } from './harness/document.ts'
import { startRemote } from './harness/remote.ts'

const MEASURE = fileURLToPath(new URL('./analysis/measure.js', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  const results = await runAnalysis(options.plan, () => startRemote<Measuring>(MEASURE, []), say)
  const report = reportOf(results)
  if (options.write) {
    await writeSection(DOCUMENT, 'analysis', report)
    say('wrote docs/benchmarks.md')
  }
  process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : `${report}\n`)
  return 0
}

function say(line: string): void {
  process.stderr.write(`analysis: ${line}\n`)
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error))
  return 1
})
