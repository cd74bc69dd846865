import type { CallTree, TraceProblem } from 'clew/trace'
import { chosenOf, readChosen } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourceIn, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { ASCII_FLAG, FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'
import type { NextStep } from '../page.ts'

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const analyzeCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Tell who failed, where the time goes, who straggles and what is missing',
    usage: 'FILE… [N|ID] [FLAGS]',
    examples: [
      { input: 'analyze hello.trace.jsonl', brief: 'the whole answer of one trace' },
      { input: 'analyze traces.jsonl', brief: 'of many: which service, how often, how much' },
      { input: 'analyze traces.jsonl 9ce929d0', brief: 'one of them' },
      { input: 'analyze - --json < traces.jsonl', brief: 'from stdin, for a script' },
    ],
    description: [
      'One trace: what failed first and who only passed it on, where the time went by the critical path, stragglers among sibling calls and what they cost, tries, what is missing. Many: the same added up, with examples. Where the traces do not tell, it says so.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      ascii: ASCII_FLAG,
      json: jsonFlag('the answer as one JSON value'),
    },
  },
  run: analyze,
})

async function analyze(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, ascii, json } = flags
  const words = sourcesOf(context, flags, given, 'clew analyze traces.jsonl')
  const chosen = chosenOf(words, trace)
  const { paths } = chosen
  const { Baselines, callTree, Findings, Statistics } = await import('clew/trace')
  // Each trace is held against those before it: once read, none is kept.
  const baselines = new Baselines()
  const found = new Findings({ baseline: baselines.of })
  const statistics = new Statistics()
  let only: CallTree | undefined
  let read = 0
  const problems = await readChosen(chosen, (each) => {
    const tree = callTree(each)
    only = read++ === 0 ? tree : undefined
    found.add(tree)
    baselines.add(tree)
    statistics.add(tree)
  })
  if (only !== undefined) return answerOne(context, { tree: only, problems, paths, ascii, json })
  const { populationAnswer, tellPopulation } = await import('../analyze-many.ts')
  if (json) {
    const { toMicroseconds } = await import('../analysis-json.ts')
    const { slowInstances } = statistics
    const answer = toMicroseconds({ ...populationAnswer(found), slowInstances })
    context.output.printJson({ ...answer, problems })
  } else {
    const { Page } = await import('../page.ts')
    const { slowInstances } = statistics
    tellPopulation(new Page(context, ascii), { found, slowInstances }, nextOfMany(found, paths))
  }
  await sayProblemsOf(context, problems)
  return EXIT.ok
}

interface One {
  readonly tree: CallTree
  readonly problems: readonly TraceProblem[]
  readonly paths: readonly string[]
  readonly ascii: boolean
  readonly json: boolean
}

async function answerOne(context: ClewContext, one: One): Promise<ExitCode> {
  const { tree, problems, paths, ascii, json } = one
  if (json) {
    const { toMicroseconds, traceAnswer } = await import('../analysis-json.ts')
    context.output.printJson({ ...toMicroseconds(traceAnswer(tree, problems)) })
  } else {
    const { Page } = await import('../page.ts')
    const { tellTrace } = await import('../analyze-one.ts')
    tellTrace(new Page(context, ascii), tree, nextOfOne(tree, paths))
  }
  await sayProblemsOf(context, problems)
  return EXIT.ok
}

async function sayProblemsOf(
  context: ClewContext,
  problems: readonly TraceProblem[],
): Promise<void> {
  const { sayProblems } = await import('../print-tree.ts')
  sayProblems(context, problems)
}

function nextOfOne(tree: CallTree, paths: readonly string[]): readonly NextStep[] {
  const [path] = paths
  if (path === undefined || path === '-' || paths.length > 1 || sourceIn(path)) return []
  const id = tree.traceId === '' ? '' : ` ${tree.traceId.slice(-8)}`
  return [{ command: `clew show ${path}${id}`, brief: 'the call tree' }]
}

function nextOfMany(
  { origins, bottlenecks }: InstanceType<typeof import('clew/trace').Findings>,
  paths: readonly string[],
): readonly NextStep[] {
  if (paths.includes('-') || paths.length > 3 || paths.some(sourceIn)) return []
  const shown = paths.join(' ')
  const failed = origins[0]?.examples[0]
  const slow = bottlenecks[0]?.examples[0]
  const steps: NextStep[] = []
  const one = (id: string) => `clew analyze ${shown} ${id.slice(-8)}`
  if (failed !== undefined) steps.push({ command: one(failed), brief: 'a request that failed' })
  if (slow !== undefined && slow !== failed) {
    steps.push({ command: one(slow), brief: 'one that took long there' })
  }
  // What is waited for on the way depends on how much is asked.
  steps.push(
    slow === undefined || bottlenecks[0]?.where === 'work'
      ? { command: `clew breakdown ${shown}`, brief: 'the time by service and layer' }
      : { command: `clew load --from ${shown}`, brief: 'how that moves with the load' },
  )
  return steps
}
