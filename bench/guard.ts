// `npm run bench:guard`: what a call costs on every machine alike, against what was accepted. See `--help`.
import { fileURLToPath } from 'node:url'
import { readBaseline, writeBaseline } from './guard/baseline.ts'
import { advice, compare, isFailure, told } from './guard/compare.ts'
import { measureFigures } from './guard/figures.ts'
import { HELP, readOptions } from './guard/options.ts'
import { besideRabbitmq } from './harness/beside-rabbitmq.ts'
import { runCommand } from './harness/command.ts'

const MEASURE = fileURLToPath(new URL('./micro/measure.js', import.meta.url))
const BASELINE = fileURLToPath(new URL('../guard/baseline.json', import.meta.url))

await runCommand({
  name: 'guard',
  help: HELP,
  readOptions,
  run: ({ accept, json }, say) =>
    besideRabbitmq(async (url) => {
      const figures = await measureFigures(url, MEASURE, say)
      const { figures: accepted, node } = await readBaseline(BASELINE)
      const differences = compare(accepted, figures)
      const report = json
        ? `${JSON.stringify({ suite: 'guard', schema: 1, figures, differences })}\n`
        : told(differences)
      process.stdout.write(report)
      if (accept) {
        await writeBaseline(BASELINE, figures)
        say('wrote bench/guard/baseline.json: all of this is accepted now')
        return 0
      }
      if (node !== process.version) {
        say(
          `accepted with Node ${node}, measured with ${process.version}, which may allocate otherwise`,
        )
      }
      if (!json) process.stdout.write(advice(differences))
      return differences.some(isFailure) ? 1 : 0
    }),
})
