import { anyText, wholeNumber } from '../harness/readers.ts'
import { type Output, readSuiteOptions } from '../harness/suite-options.ts'

export const HELP = `Measures what each step of profiling a call takes, by itself: nanoseconds, and bytes allocated.

  npm run bench:micro                    measures for about two minutes, writes its section of
                                         docs/benchmarks.md
  npm run bench:micro -- --quick         fewer rounds and no traces of 100,000 calls, half a minute,
                                         writes nothing
  npm run -s bench:micro -- --json       prints the results as one JSON value, writes nothing

  --steps caller,callee  these only; --steps list tells which there are
  --rounds N             measurements of which each figure is the median
  --write                write the section, whatever else is asked for
  --help                 this text

It needs no broker.
`

export interface MicroPlan {
  /** Measurements of time. */
  readonly rounds: number
  /** Measurements of bytes, which differ little. */
  readonly counts: number
  /** Whether to measure what takes seconds each time as well. */
  readonly large: boolean
  /** Keys of steps; undefined for all. */
  readonly steps: readonly string[] | undefined
}

export interface MicroOptions extends Output {
  readonly plan: MicroPlan
  /** Only tell which steps there are. */
  readonly list: boolean
}

const FULL = { rounds: 61, counts: 9 }
const QUICK = { rounds: 15, counts: 3 }
const MOST_ROUNDS = 10_000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): MicroOptions {
  const { quick, json, write, values } = readSuiteOptions(parameters, {
    steps: anyText,
    rounds: wholeNumber(1, MOST_ROUNDS),
  })
  if (write && values.steps !== undefined) throw new Error('--write writes all steps, not some')
  const scope = quick ? QUICK : FULL
  const list = values.steps === 'list'
  const steps = list ? undefined : values.steps?.split(',')
  const rounds = values.rounds ?? scope.rounds
  const large = !quick || steps !== undefined
  return { plan: { rounds, counts: scope.counts, large, steps }, list, json, write }
}
