import type { CallTree, CriticalCredit, CriticalCredits } from 'clew/trace'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { Fault, usageFault } from '../fault.ts'
import { ASCII_FLAG, FILES, jsonFlag } from '../flags.ts'
import { harmless } from '../harmless.ts'
import { parseSelector, type Selector } from '../trace-file.ts'
import { parseChange, type WrittenChange } from '../what-if.ts'

/** Version of what `--json` prints. */
const VERSION = 1
/** Lines of the table; what programs read is whole. */
const MOST_LINES = 20
const BAR = 20
const NAME_MOST = 44

interface Flags {
  readonly trace: Selector | undefined
  readonly tree: boolean
  readonly whatIf: WrittenChange | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const criticalPathCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Tell what the answer waited for, method by method',
    usage: 'FILE… [--trace N|ID] [FLAGS]',
    examples: [
      { input: 'critical-path traces.jsonl', brief: 'of all traces in the file, as a table' },
      { input: 'critical-path jaeger.json --trace 2', brief: 'of one of them' },
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
      trace: {
        kind: 'parsed',
        parse: parseSelector,
        optional: true,
        placeholder: 'N|ID',
        brief: 'one trace: its number in the file, from 1, or a part of its id',
      },
      tree: {
        kind: 'boolean',
        default: false,
        brief: 'of all traces, as one tree of calls by call path',
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
  { trace: selector, tree, whatIf, ascii, json }: Flags,
  ...paths: readonly string[]
): Promise<ExitCode> {
  const { output, env } = context
  if (paths.length === 0) {
    throw usageFault('FILE is missing', { next: ['clew critical-path traces.jsonl'] })
  }
  if (tree || whatIf !== undefined) {
    if (selector !== undefined) {
      throw usageFault('--tree and --what-if are of all traces; --trace is of one')
    }
    const { tellManyPaths } = await import('../critical-paths-of-many.ts')
    return tellManyPaths(context, { tree, whatIf, ascii, json }, paths)
  }
  const { CriticalCredits, callTree } = await import('clew/trace')
  const { readAllTraces } = await import('../all-traces.ts')
  const sums = new CriticalCredits()
  let number = 0
  let only: CallTree | undefined
  const problems = await readAllTraces(paths, (trace) => {
    number++
    if (selector !== undefined && !isMeant(selector, number, trace.id)) return
    const each = callTree(trace)
    sums.add(each)
    only = sums.traces === 1 ? each : undefined
  })
  if (sums.traces === 0) throw noSuchTrace(number)
  const { isAsciiOnly, sayProblems } = await import('../print-tree.ts')
  if (json) {
    const { rootMs, traces, credits } = sums
    const segments = only === undefined ? {} : { segments: await segmentsOf(only) }
    output.printJson({ version: VERSION, traces, rootMs, credits, ...segments })
  } else {
    const { formatMs, formatShare } = await import('clew/trace')
    const words = { formatMs, formatShare, ascii: ascii || isAsciiOnly(env) }
    output.print(tableOf(sums, words).join('\n'))
  }
  sayProblems(context, problems)
  return EXIT.ok
}

const isMeant = (selector: Selector, number: number, id: string) =>
  'number' in selector
    ? selector.number === number
    : id.toLowerCase().includes(selector.idPart.toLowerCase())

async function segmentsOf(tree: CallTree): Promise<readonly object[]> {
  const { criticalPath } = await import('clew/trace')
  return criticalPath(tree).map(({ call: { id, service, method }, startMs, endMs }) => {
    return { id, service, operation: method, startMs, endMs }
  })
}

interface Words {
  readonly formatMs: (ms: number) => string
  readonly formatShare: (share: number) => string
  readonly ascii: boolean
}

function tableOf(sums: CriticalCredits, { formatMs, formatShare, ascii }: Words): string[] {
  const { rootMs, traces, credits } = sums
  const what = traces === 1 ? 'The answer took' : `${traces} answers took, in all,`
  const first = credits[0]
  if (first === undefined) return [`${what} no time that is known.`]
  const share = (ms: number) => ms / rootMs
  const lines = [
    `${what} ${formatMs(rootMs)}: ${formatShare(share(first.ms))} of it ${nameOf(first)} itself.`,
    '',
  ]
  const shown = credits.slice(0, MOST_LINES)
  const width = Math.max(...shown.map((credit) => [...nameOf(credit)].length))
  const mark = ascii ? '#' : '█'
  for (const credit of shown) {
    const name = nameOf(credit) + ' '.repeat(width - [...nameOf(credit)].length)
    const [ms, part] = [formatMs(credit.ms).padStart(8), formatShare(share(credit.ms)).padStart(7)]
    lines.push(
      `  ${name}  ${ms}  ${part}  ${mark.repeat(Math.round(share(credit.ms) * BAR))}`.trimEnd(),
    )
  }
  const rest = credits.slice(MOST_LINES)
  if (rest.length > 0) {
    const ms = rest.reduce((sum, credit) => sum + credit.ms, 0)
    lines.push(`  and ${rest.length} more with ${formatMs(ms)} together; --json tells them`)
  }
  return lines
}

function nameOf({ service, operation }: CriticalCredit): string {
  const name = harmless(operation === '' ? service : `${service} ${operation}`)
  const letters = [...name]
  return letters.length > NAME_MOST ? `${letters.slice(0, NAME_MOST - 3).join('')}...` : name
}

function noSuchTrace(count: number): Fault {
  return new Fault('there is no such trace', {
    exit: EXIT.notFound,
    code: 'no_such_trace',
    why: count === 1 ? 'one trace was read' : `${count} traces were read`,
    next: ['clew show FILE   to list them'],
  })
}
