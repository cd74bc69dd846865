import type { CallTree } from 'clew/trace'
import { chosenOf, readChosen } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { ASCII_FLAG, FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'

/** Stragglers of one trace that are listed; of many traces, instances. */
const MOST = 30

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const stragglersCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Tell which calls took much longer than their siblings, where and why',
    usage: 'FILE… [N|ID] [FLAGS]',
    examples: [
      { input: 'stragglers search.trace.jsonl', brief: 'of one trace, each by itself' },
      { input: 'stragglers traces.jsonl', brief: 'of many, by instance' },
      { input: 'stragglers traces.jsonl --json', brief: 'for a script' },
    ],
    description: [
      'A straggler took much longer than at least three calls of the same method by the same caller (modified z-score of the logarithm above 3.5), by more than 1 ms and a tenth of its caller’s time, and the answer waited for it. GAIN is how much earlier its caller could have gone on. Calls with fewer siblings are held against at least 20 calls of their kind in the traces before, else against nothing: one trace does not tell what is usual. Of many traces, instances are held against their replicas too.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      ascii: ASCII_FLAG,
      json: jsonFlag('the stragglers as one JSON value'),
    },
  },
  run: tellStragglers,
})

async function tellStragglers(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, ascii, json } = flags
  const words = sourcesOf(context, flags, given, 'clew stragglers traces.jsonl')
  const { output } = context
  const { Baselines, callTree, Findings, Statistics, stragglers } = await import('clew/trace')
  const { Page } = await import('../page.ts')
  const { sayProblems } = await import('../print-tree.ts')
  const baselines = new Baselines()
  const found = new Findings({ baseline: baselines.of })
  const statistics = new Statistics()
  let only: CallTree | undefined
  let read = 0
  const take = (tree: CallTree) => {
    only = read++ === 0 ? tree : undefined
    found.add(tree)
    baselines.add(tree)
    statistics.add(tree)
  }
  const chosen = chosenOf(words, trace)
  const problems = await readChosen(chosen, (each) => take(callTree(each)))
  const { traces, calls } = found
  const single = only === undefined ? undefined : stragglers(only)
  if (json) {
    const { stragglerJson, toMicroseconds } = await import('../analysis-json.ts')
    const listed = single?.slice(0, 1_000).map(stragglerJson)
    const { slowInstances } = statistics
    const many = { instances: found.stragglers, slowInstances }
    const told = listed === undefined ? many : { stragglers: listed }
    output.printJson({ traces, calls, ...toMicroseconds(told), problems })
  } else {
    const page = new Page(context, ascii)
    const { counted } = await import('../analysis-words.ts')
    page.title(sentenceOf(single?.length, found.stragglers, counted), counted(traces, 'trace'))
    if (single === undefined) {
      const many = await import('../analyze-many.ts')
      many.tellSlowInstances(page, statistics.slowInstances, MOST)
      many.tellStragglers(page, found, MOST)
    } else if (single.length > 0) {
      const { stragglerRows } = await import('../straggler-rows.ts')
      page.table(...stragglerRows(single.slice(0, MOST)))
    }
  }
  sayProblems(context, problems)
  return EXIT.ok
}

function sentenceOf(
  single: number | undefined,
  instances: readonly { readonly stragglers: number }[],
  counted: typeof import('../analysis-words.ts').counted,
): string {
  const count = single ?? instances.reduce((sum, { stragglers }) => sum + stragglers, 0)
  if (count === 0) return 'No straggler'
  const where = single === undefined ? ` on ${counted(instances.length, 'instance')}` : ''
  return count === 1 ? 'One straggler' : `${count} stragglers${where}`
}
