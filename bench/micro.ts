// `npm run bench:micro`: what each step of profiling a call takes, by itself. See `--help`.
import { fileURLToPath } from 'node:url'
import { runCommand } from './harness/command.ts'
import { deliver } from './harness/outcome.ts'
import { HELP, readOptions } from './micro/options.ts'
import { describeSteps, runMicro } from './micro/suite.ts'
import { reportOf } from './micro/tables.ts'

const MEASURE = fileURLToPath(new URL('./micro/measure.js', import.meta.url))

await runCommand({
  name: 'micro',
  help: HELP,
  readOptions,
  async run(options, say) {
    if (options.list) {
      for (const { key, title } of await describeSteps(MEASURE, undefined)) {
        process.stdout.write(`${key.padEnd(16)} ${title}\n`)
      }
      return 0
    }
    const results = await runMicro(options.plan, MEASURE, say)
    return deliver({ suite: 'micro', results, report: () => reportOf(results) }, options, say)
  },
})
