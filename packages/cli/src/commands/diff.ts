import type { CallTree, TraceProblem } from 'clew/trace'
import {
  COLLECTOR_FLAGS,
  COLLECTOR_VARIABLE,
  type CollectorFlags,
  checkUnused,
  filterPathsOf,
  parseUrl,
} from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { ASCII_FLAG, FILES, jsonFlag } from '../flags.ts'

interface Flags extends CollectorFlags {
  readonly slow: number | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const diffCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Tell what explains the difference between two sets of traces, or two traces',
    usage: 'BEFORE AFTER | FILE --slow p95 [FLAGS]',
    examples: [
      { input: 'diff before.jsonl after.jsonl', brief: 'what became slower, and where' },
      { input: 'diff normal/ faulty/ --json', brief: 'directories of traces, for a script' },
      { input: 'diff traces.jsonl --slow p95', brief: 'the slowest twentieth against the others' },
      {
        input: 'diff --collector http://127.0.0.1:7117 version:v1 version:v2',
        brief: 'two filters of what a collector has',
      },
    ],
    description: [
      'Of sets of traces: the call paths that differ more than chance explains, which methods explain how much of the difference in time (with an interval of 95 %), where failures begin, what is called more or less, and what slow requests have in common. Where all of it may be chance, it says so. Of two single traces: what was added, removed and took another time.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      slow: {
        kind: 'parsed',
        parse: parsePercentile,
        optional: true,
        placeholder: 'P',
        brief: 'compare requests slower than this percentile of their kind with the others: p95',
      },
      ascii: ASCII_FLAG,
      json: jsonFlag('the difference as one JSON value'),
    },
  },
  run: tellDifference,
})

/** `p95`, `99`, `p99.9`; from 0 to 1. */
function parsePercentile(text: string): number {
  const percent = Number(/^p?(\d{1,2}(?:\.\d+)?)$/i.exec(text)?.[1])
  if (!(percent >= 1)) throw usageFault(`${JSON.stringify(text)} is no percentile; write p95`)
  return percent / 100
}

async function tellDifference(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { slow, ascii, json } = flags
  const paths = sidesOf(context, flags, given)
  const [first, second] = paths
  if (first === undefined || paths.length !== (slow === undefined ? 2 : 1)) {
    const what = slow === undefined ? 'two files or directories are compared' : 'one FILE is split'
    const next = ['clew diff before.jsonl after.jsonl', 'clew diff traces.jsonl --slow p95']
    throw usageFault(`${what}; got ${paths.length}`, { next })
  }
  const { compare, compareTraces, splitBySpeed } = await import('clew/trace')
  const { differenceJson, traceDifferenceJson } = await import('../difference-json.ts')
  const { Page } = await import('../page.ts')
  const { tellPopulations, tellTraces } = await import('../difference-page.ts')
  const before = await read(first)
  const after = second === undefined ? undefined : await read(second)
  if (before.only !== undefined && after?.only !== undefined) {
    const found = compareTraces(before.only, after.only)
    if (json) context.output.printJson({ ...traceDifferenceJson(found) })
    else tellTraces(new Page(context, ascii), found)
  } else {
    const [a, b] =
      after === undefined
        ? splitBySpeed(before.paths, slow!)
        : [before.paths.sample, after.paths.sample]
    const names = after === undefined ? (['fast', 'slow'] as const) : (['before', 'after'] as const)
    const found = compare(a, b, { names })
    if (json) context.output.printJson({ ...differenceJson(found, names) })
    else tellPopulations(new Page(context, ascii), found, names)
  }
  const { sayProblems } = await import('../print-tree.ts')
  sayProblems(context, [...before.problems, ...(after?.problems ?? [])])
  return EXIT.ok
}

/** Files, or with a collector two filters, or one whose traces are split. */
function sidesOf({ env }: ClewContext, flags: Flags, given: readonly string[]): readonly string[] {
  const named = given.length === 0 ? env[COLLECTOR_VARIABLE] : undefined
  const url = flags.collector ?? (named && parseUrl(named))
  if (url !== undefined) return filterPathsOf(flags, url, given.length === 0 ? [''] : given)
  checkUnused(flags)
  return given
}

interface Side {
  readonly paths: InstanceType<typeof import('clew/trace').CallPaths>
  /** Where there is one trace alone. */
  readonly only: CallTree | undefined
  readonly problems: readonly TraceProblem[]
}

async function read(path: string): Promise<Side> {
  const { CallPaths, callTree } = await import('clew/trace')
  const { readAllTraces } = await import('../all-traces.ts')
  const paths = new CallPaths()
  let only: CallTree | undefined
  let count = 0
  const problems = await readAllTraces([path], (trace) => {
    const tree = callTree(trace)
    only = count++ === 0 ? tree : undefined
    paths.add(tree)
  })
  return { paths, only, problems }
}
