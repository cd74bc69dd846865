import { someOf, wholeNumber, wholeNumbers } from '../harness/readers.ts'
import { type Output, readSuiteOptions } from '../harness/suite-options.ts'
import { FORMATS, type Format } from './documents.ts'
import { SHAPES, type Shape } from './made-calls.ts'

export const HELP = `Measures what reading and analysing traces takes, against JSON.parse of the same lines.

  npm run bench:analysis                 measures for about ten minutes, writes its section of
                                         docs/benchmarks.md
  npm run bench:analysis -- --quick      up to 100,000 calls, under a minute, writes nothing
  npm run -s bench:analysis -- --json    prints the results as one JSON value, writes nothing

  --calls 1000,10000     sizes of a trace
  --shapes deep,wide     of ${SHAPES.join(', ')}; of other formats than clew, only mixed by default
  --formats clew,otlp    of ${FORMATS.join(', ')}
  --traces 10000         sizes of the population; 0 for none
  --rounds N             measurements of which each figure is the median
  --write                write the section, whatever else is asked for
  --help                 this text

Each figure comes from a process of its own, with Node's default heap; NODE_OPTIONS changes it. Files
are made in the system's temporary directory, up to one gigabyte at a time.
`

export interface DocumentKind {
  readonly format: Format
  readonly shape: Shape
}

export interface AnalysisPlan {
  readonly calls: readonly number[]
  readonly documents: readonly DocumentKind[]
  readonly traces: readonly number[]
  readonly rounds: number
}

export interface AnalysisOptions extends Output {
  readonly plan: AnalysisPlan
}

const FULL = { calls: [1_000, 10_000, 100_000, 1_000_000], traces: [10_000, 100_000], rounds: 3 }
const QUICK = { calls: [1_000, 10_000, 100_000], traces: [1_000, 10_000], rounds: 1 }
const MOST = 1_000_000
const MOST_ROUNDS = 1000

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): AnalysisOptions {
  const { quick, json, write, values } = readSuiteOptions(parameters, {
    calls: wholeNumbers(1, MOST),
    shapes: someOf(SHAPES),
    formats: someOf(FORMATS),
    traces: wholeNumbers(0, MOST),
    rounds: wholeNumber(1, MOST_ROUNDS),
  })
  const scope = quick ? QUICK : FULL
  const { calls = scope.calls, traces = scope.traces, rounds = scope.rounds } = values
  const documents = documentsOf(values.formats ?? FORMATS, values.shapes)
  return { plan: { calls, documents, traces: traces.filter(Boolean), rounds }, json, write }
}

/** Other formats than ours in one shape, where nothing else is asked for: below reading all is the same. */
function documentsOf(
  formats: readonly Format[],
  shapes: readonly Shape[] | undefined,
): readonly DocumentKind[] {
  return formats.flatMap((format) =>
    (shapes ?? SHAPES)
      .filter((shape) => shapes !== undefined || format === 'clew' || shape === 'mixed')
      .map((shape) => ({ format, shape })),
  )
}
