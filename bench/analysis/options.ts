import { parseArgs } from 'node:util'
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

export interface AnalysisOptions {
  readonly plan: AnalysisPlan
  readonly json: boolean
  readonly write: boolean
  readonly help: boolean
}

const FULL = { calls: [1_000, 10_000, 100_000, 1_000_000], traces: [10_000, 100_000], rounds: 3 }
const QUICK = { calls: [1_000, 10_000, 100_000], traces: [1_000, 10_000], rounds: 1 }

/** @throws Error that says which option is wrong */
export function readOptions(parameters: readonly string[]): AnalysisOptions {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      calls: { type: 'string' },
      shapes: { type: 'string' },
      formats: { type: 'string' },
      traces: { type: 'string' },
      rounds: { type: 'string' },
    },
  })
  const scope = values.quick ? QUICK : FULL
  const { calls, shapes, formats, traces, rounds } = values
  const whole =
    !values.quick && [calls, shapes, formats, traces, rounds].every((one) => one === undefined)
  return {
    plan: {
      calls: calls === undefined ? scope.calls : readCounts('calls', calls),
      documents: readDocuments(formats, shapes),
      traces: traces === undefined ? scope.traces : readCounts('traces', traces).filter(Boolean),
      rounds: rounds === undefined ? scope.rounds : (readCounts('rounds', rounds)[0] ?? 1),
    },
    json: values.json,
    write: values.write || (whole && !values.json),
    help: values.help,
  }
}

/** Other formats than ours in one shape, where nothing else is asked for: below reading all is the same. */
function readDocuments(formats: string | undefined, shapes: string | undefined): DocumentKind[] {
  const wanted = readChoice('shapes', SHAPES, shapes)
  return readChoice('formats', FORMATS, formats).flatMap((format) =>
    wanted
      .filter((shape) => shapes !== undefined || format === 'clew' || shape === 'mixed')
      .map((shape) => ({ format, shape })),
  )
}

function readChoice<T extends string>(
  option: string,
  all: readonly T[],
  list: string | undefined,
): readonly T[] {
  if (list === undefined) return all
  const wanted = list.split(',')
  const unknown = wanted.find((name) => !all.some((one) => one === name))
  if (unknown !== undefined) throw new Error(`--${option} knows no "${unknown}"; see --help`)
  return all.filter((one) => wanted.includes(one))
}

function readCounts(option: string, list: string): number[] {
  return list.split(',').map((text) => {
    const value = Number(text)
    if (text !== '' && Number.isInteger(value) && value >= 0 && value <= 1_000_000) return value
    throw new Error(`--${option} takes whole numbers up to 1000000; got "${text}"`)
  })
}
