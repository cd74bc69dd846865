import { parseArgs } from 'node:util'

export const HELP = `Measures what each step of profiling a call takes, by itself: nanoseconds, and bytes allocated.

  npm run bench:micro                    measures for about two minutes, prints a table
  npm run bench:micro -- --quick         the same with fewer rounds, under a minute
  npm run bench:micro -- --write         writes its section of docs/benchmarks.md as well
  npm run -s bench:micro -- --json       prints the results as one JSON value

  --steps caller,callee  these only; --steps list tells which there are
  --rounds N             measurements of which each figure is the median
  --help                 this text

It needs no broker.
`

export interface MicroPlan {
  /** Measurements of time. */
  readonly rounds: number
  /** Measurements of bytes, which differ little. */
  readonly counts: number
  /** Keys of steps; undefined for all. */
  readonly steps: readonly string[] | undefined
}

export interface MicroOptions {
  readonly plan: MicroPlan
  /** Only tell which steps there are. */
  readonly list: boolean
  readonly json: boolean
  readonly write: boolean
  readonly help: boolean
}

const FULL = { rounds: 61, counts: 9 }
const QUICK = { rounds: 15, counts: 5 }
const MOST_ROUNDS = 10_000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): MicroOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      steps: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  const scope = values.quick ? QUICK : FULL
  const list = values.steps === 'list'
  const steps = list ? undefined : values.steps?.split(',')
  if (values.write && steps !== undefined) throw new Error('--write writes all steps, not some')
  const rounds = values.rounds === undefined ? scope.rounds : readRounds(values.rounds)
  return {
    plan: { rounds, counts: scope.counts, steps },
    list,
    json: values.json,
    write: values.write,
    help: values.help,
  }
}

function readRounds(text: string): number {
  const rounds = Number(text)
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= MOST_ROUNDS) return rounds
  throw new Error(`--rounds takes a whole number from 1 to ${MOST_ROUNDS}; got "${text}"`)
}
