// `npm run bench:analysis`: what reading and analysing traces takes. See `--help`.
import { fileURLToPath } from 'node:url'
import type { Measuring } from './analysis/measuring.ts'
import { HELP, readOptions } from './analysis/options.ts'
import { runAnalysis } from './analysis/suite.ts'
import { reportOf } from './analysis/tables.ts'
import { runCommand } from './harness/command.ts'
import { deliver } from './harness/outcome.ts'
import { startRemote } from './harness/remote.ts'

const MEASURE = fileURLToPath(new URL('./analysis/measure.js', import.meta.url))

await runCommand({
  name: 'analysis',
  help: HELP,
  readOptions,
  async run(options, say) {
    const results = await runAnalysis(options.plan, () => startRemote<Measuring>(MEASURE, []), say)
    return deliver({ suite: 'analysis', results, report: () => reportOf(results) }, options, say)
  },
})
