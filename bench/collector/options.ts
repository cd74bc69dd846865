import { parseArgs } from 'node:util'

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

export interface CollectorOptions {
  readonly ingest: number
  readonly calls: number
  readonly times: number
  readonly json: boolean
  readonly write: boolean
  readonly help: boolean
}

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): CollectorOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      ingest: { type: 'string' },
      calls: { type: 'string' },
      times: { type: 'string' },
    },
  })
  const { quick, json, help } = values
  const usual = quick
    ? { ingest: 1_000_000, calls: 1_000_000, times: 30 }
    : { ingest: 3_000_000, calls: 10_000_000, times: 100 }
  const count = (name: 'ingest' | 'calls' | 'times') => {
    const text = values[name]
    if (text === undefined) return usual[name]
    const value = Number(text.replaceAll(',', ''))
    if (Number.isInteger(value) && value >= 1) return value
    throw new Error(`--${name} takes a whole number from 1 on; got ${text}`)
  }
  const whole = !quick && !json && values.ingest === undefined && values.calls === undefined
  return {
    ...{ ingest: count('ingest'), calls: count('calls'), times: count('times') },
    ...{ json, help, write: values.write || whole },
  }
}
