// `npm run bench:stores`: the same traces sent to Clew's collector, Jaeger and Zipkin. See `--help`.
import { runCommand } from './harness/command.ts'
import { describeMachine, type Machine, otherWork } from './harness/machine.ts'
import { deliver } from './harness/outcome.ts'
import { readParameters } from './harness/parameters.ts'
import { anyText, wholeNumber } from './harness/readers.ts'
import { counted } from './harness/run-text.ts'
import { quantile, shuffled } from './harness/statistics.ts'
import { CLEW, jaeger, zipkin } from './stores/kinds.ts'
import { measureStore, type StoreResult, traffic } from './stores/measure.ts'
import type { StoreKind } from './stores/store.ts'

const HOUR_MS = 3_600_000
const MOST = 10_000_000
const HELP = `Sends the same traces to Clew's collector, Jaeger and Zipkin, one after the other in random order.

  npm run bench:stores -- --jaeger PROGRAM --zipkin JAR

  --jaeger PATH   the program jaeger, version 2
  --zipkin PATH   zipkin-server-…-exec.jar; wants java
  --calls N       calls sent, two spans each (default 200,000)
  --rounds N      (default 3)
  --json          print the results as one JSON value
  --write         write the section of docs/benchmarks.md
  --help          this text
`

await runCommand({
  name: 'stores',
  help: HELP,
  readOptions: (parameters) =>
    readParameters(parameters, {
      flags: ['json', 'write'],
      values: {
        jaeger: anyText,
        zipkin: anyText,
        calls: wholeNumber(1, MOST),
        rounds: wholeNumber(1, MOST),
      },
    }),
  async run({ flags, values }, say) {
    const kinds: StoreKind[] = [CLEW]
    if (values.jaeger !== undefined) kinds.push(jaeger(values.jaeger))
    if (values.zipkin !== undefined) kinds.push(zipkin(values.zipkin))
    const { calls = 200_000, rounds = 3 } = values
    const busy = await otherWork(2_000)
    const sent = traffic(calls, HOUR_MS)
    const measured: StoreResult[] = []
    for (let round = 0; round < rounds; round++) {
      for (const kind of shuffled(kinds)) {
        const result = await measureStore(kind, sent)
        say(`round ${round + 1}: ${JSON.stringify(result)}`)
        measured.push(result)
      }
    }
    const machine = await describeMachine()
    const results = { suite: 'stores', schema: 1, machine, otherWork: busy, rounds, measured }
    const report = () => reportOf(machine, busy, sent.calls, kinds, measured)
    return deliver({ suite: 'stores', results, report }, flags, say)
  },
})

function reportOf(
  machine: Machine,
  busy: number,
  calls: number,
  kinds: readonly StoreKind[],
  results: readonly StoreResult[],
): string {
  const many = (value: number) => Math.round(value).toLocaleString('en-US')
  const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0)
  const rows = kinds.map(({ name, store, form }) => {
    const own = results.filter((result) => result.name === name)
    const median = (of: (result: StoreResult) => number) => quantile(own.map(of), 0.5)
    const perS = own.map((result) => result.storedPerS)
    const kept = median((result) => result.kept)
    const disk = median((result) => result.diskBytes)
    const cells = [
      `**${name}**, ${form}: ${store}`,
      many(median((result) => result.takenPerS)),
      `${many(median((result) => result.storedPerS))} (${many(Math.min(...perS))}–${many(Math.max(...perS))})`,
      median((result) => result.cpuUs).toFixed(0),
      many(median((result) => result.peakBytes) / 1e6),
      disk < 1 ? 'none' : many(disk),
      `${(kept * 100).toFixed(1)} %`,
      ms(median((result) => result.traceMs)),
      ms(median((result) => result.searchMs)),
      ms(median((result) => result.mapMs)),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const rounds = results.length / kinds.length
  return [
    `${many(calls)} calls of an hour, ${counted(rounds, 'round')}, medians (lowest–highest). ${machine.cores} cores of ${machine.processor}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, Clew ${machine.clew}; other work kept ${(busy * 100).toFixed(0)} % of the cores busy just before.`,
    '',
    '| | answered, calls/s | stored, calls/s | its CPU, µs a call | peak MB | disk, bytes a call | kept | trace by id, p95 ms | search, p95 ms | map, p95 ms |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n')
}
