import { wholeNumber } from '../harness/readers.ts'
import { type Output, readSuiteOptions } from '../harness/suite-options.ts'

export const HELP = `Measures what a collector takes and how it answers: a \`clew collect\` of its own, embedded store.

  npm run bench:collector                 about ten minutes; writes its section of docs/benchmarks.md
  npm run bench:collector -- --quick      under two minutes, writes nothing
  npm run -s bench:collector -- --json    prints the results as one JSON value, writes nothing

  --ingest N    calls sent to measure taking (default 3,000,000)
  --calls N     calls over a day that are asked about (default 10,000,000)
  --times N     how often each question is asked (default 100)
  --write       write the section, whatever else is asked for
  --help        this text
`

export interface CollectorOptions extends Output {
  readonly ingest: number
  readonly calls: number
  readonly times: number
}

const FULL = { ingest: 3_000_000, calls: 10_000_000, times: 100 }
const QUICK = { ingest: 1_000_000, calls: 1_000_000, times: 30 }
const MOST = 1_000_000_000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): CollectorOptions {
  const { quick, json, write, values } = readSuiteOptions(parameters, {
    ingest: wholeNumber(1, MOST),
    calls: wholeNumber(1, MOST),
    times: wholeNumber(1, MOST),
  })
  return { ...(quick ? QUICK : FULL), ...values, json, write }
}
