import type { CallTree, CriticalCredits } from 'clew/trace'
import { chosenOf, readChosen } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { ASCII_FLAG, FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'
import type { Page } from '../page.ts'
import { parseChange, type WrittenChange } from '../what-if.ts'

/** Lines of the table; what programs read is whole. */
const MOST_LINES = 20

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly tree: boolean
  readonly whatIf: WrittenChange | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const criticalPathCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Tell what the answer waited for, method by method',
    usage: 'FILE… [N|ID] [FLAGS]',
    examples: [
      { input: 'critical-path traces.jsonl', brief: 'of all traces in the file, as a table' },
      { input: 'critical-path jaeger.json 2', brief: 'of one of them' },
      { input: 'critical-path traces.jsonl --tree', brief: 'what each call path costs' },
      {
        input: "critical-path traces.jsonl --what-if 'orders.get_order=0.5'",
        brief: 'if the method took half as long',
      },
      { input: 'critical-path - --json < traces.jsonl', brief: 'from stdin, for a script' },
    ],
    description: [
      'Each moment of a request counts once, for the call that the answer waited for then, so the times add up to the whole. Work beside it, however long, did not make the answer later.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      tree: {
        kind: 'boolean',
        default: false,
        brief: 'what each call path costs, as one tree of all traces',
        withNegated: false,
      },
      whatIf: {
        kind: 'parsed',
        parse: parseChange,
        optional: true,
        placeholder: 'NAME=FACTOR',
        brief: "tell what would be if a part took another time: 'orders.get_order=0.5'",
      },
      ascii: ASCII_FLAG,
      json: jsonFlag('the credits as one JSON value'),
    },
  },
  run: tellCriticalPath,
})

async function tellCriticalPath(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, tree, whatIf, ascii, json } = flags
  const words = sourcesOf(context, flags, given, 'clew critical-path traces.jsonl')
  const { output } = context
  const chosen = chosenOf(words, trace)
  if (tree || whatIf !== undefined) {
    const { tellManyPaths } = await import('../critical-paths-of-many.ts')
    return tellManyPaths(context, { tree, whatIf, ascii, json }, chosen)
  }
  const { CriticalCredits, callTree } = await import('clew/trace')
  const sums = new CriticalCredits()
  let only: CallTree | undefined
  const problems = await readChosen(chosen, (read) => {
    const each = callTree(read)
    sums.add(each)
    only = sums.traces === 1 ? each : undefined
  })
  const { sayProblems } = await import('../print-tree.ts')
  if (json) {
    const { rootMs, traces, credits } = sums
    const segments = only === undefined ? {} : { segments: await segmentsOf(only) }
    output.printJson({ traces, rootMs, credits, ...segments })
  } else {
    const { Page } = await import('../page.ts')
    const words = await import('../analysis-words.ts')
    const { formatMs, formatShare } = await import('clew/trace')
    tellCredits(new Page(context, ascii), sums, { ...words, formatMs, formatShare })
  }
  sayProblems(context, problems)
  return EXIT.ok
}

async function segmentsOf(tree: CallTree): Promise<readonly object[]> {
  const { criticalPath } = await import('clew/trace')
  return criticalPath(tree).map(({ call: { id, service, method }, startMs, endMs }) => {
    return { id, service, operation: method, startMs, endMs }
  })
}

interface Words
  extends Pick<typeof import('clew/trace'), 'formatMs' | 'formatShare'>,
    Pick<typeof import('../analysis-words.ts'), 'placeName' | 'spokenPlace' | 'counted'> {}

function tellCredits(page: Page, { rootMs, traces, credits }: CriticalCredits, words: Words): void {
  const { formatMs, formatShare, placeName, spokenPlace, counted } = words
  const what =
    traces === 1
      ? `The answer took ${formatMs(rootMs)}`
      : `${counted(traces, 'answer')} took ${formatMs(rootMs)} in all`
  const place = ({ service, operation: method }: (typeof credits)[number]) => ({ service, method })
  const [first] = credits
  if (first === undefined) {
    page.sentence(`${what}.`, 'bold', '')
    return
  }
  const most = `${formatShare(first.ms / rootMs)} of it went to ${spokenPlace(place(first))}`
  page.sentence(`${what}: ${most}.`, 'bold', '')
  page.table(
    [
      { title: 'WAITED FOR', least: 16 },
      { title: 'TIME', side: 'right' },
      { title: 'SHARE', side: 'right' },
      { title: '', spare: true },
    ],
    credits.slice(0, MOST_LINES).map((credit) => {
      const share = credit.ms / rootMs
      const cells = [formatMs(credit.ms), formatShare(share), page.bar(share)]
      return { cells: [placeName(place(credit)), ...cells] }
    }),
  )
  const rest = credits.slice(MOST_LINES)
  const ms = rest.reduce((sum, credit) => sum + credit.ms, 0)
  if (rest.length > 0) {
    page.sentence(`and ${rest.length} more, ${formatMs(ms)} together; --json has them`, 'dim')
  }
  page.sentence('Times are without those of a call’s own calls.', 'dim')
}
