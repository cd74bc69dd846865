import { existsSync } from 'node:fs'
import { type Chosen, chosenOf } from '../chosen-trace.ts'
import {
  COLLECTOR_FLAGS,
  COLLECTOR_VARIABLE,
  type CollectorFlags,
  parseUrl,
  sourcesOf,
  tracePathOf,
} from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { ASCII_FLAG, FILES, jsonFlag, RAW_FLAG, TRACE_FLAG } from '../flags.ts'

const VIEWS = ['tree', 'flame', 'critical-path', 'map'] as const

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly view: (typeof VIEWS)[number]
  readonly full: boolean
  readonly width: number | undefined
  readonly raw: boolean
  readonly ascii: boolean
  readonly json: boolean
}

const NARROWEST = 40
const WIDEST = 1000

export const showCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Print the call tree of a trace, with times, the slowest path and failures',
    usage: 'FILE… [N|ID] | ID [FLAGS]',
    examples: [
      {
        input: 'show hello.trace.jsonl',
        brief: 'the tree of its trace; of several traces, the list',
      },
      { input: 'show traces.jsonl 3', brief: 'the third trace of the file' },
      { input: 'show traces.jsonl 9ce929d0', brief: 'the trace that has this in its id' },
      {
        input: 'show hello.jsonl --view critical-path',
        brief: 'what its answer waited for, and what to look at first',
      },
      { input: 'show - --json < traces.jsonl', brief: 'from stdin, for a script' },
      {
        input: 'show 9ce929d0 --collector http://127.0.0.1:7117',
        brief: 'a trace of a collector, by the beginning of its id',
      },
    ],
    description: [
      'Reads trace files as `clew call -o`, `clew run --profile=FILE` and fileSink() write them, plain lists of entries as in the paper, OTLP, Jaeger and Zipkin, also compressed; of a directory all files.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      view: {
        kind: 'enum',
        values: VIEWS,
        default: 'tree',
        brief: 'the call tree, blocks over time, what the answer waited for, or who calls whom',
      },
      full: {
        kind: 'boolean',
        default: false,
        brief: 'every call on a line of its own, nothing merged or folded',
        withNegated: false,
      },
      width: {
        kind: 'parsed',
        parse: parseWidth,
        optional: true,
        placeholder: 'COLUMNS',
        brief: 'how wide a line may be (default: the terminal, else 100)',
      },
      raw: RAW_FLAG,
      ascii: ASCII_FLAG,
      json: jsonFlag('the tree, or the list, as one JSON value'),
    },
  },
  run: show,
})

async function show(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const words = shownSources(context, flags, given)
  const chosen = chosenOf(words, flags.trace)
  const { paths, which } = chosen
  if (flags.view === 'map' && !flags.json) return await printMap(context, chosen, flags)
  const { output } = context
  const { parseSelector, readTraceFile } = await import('../trace-file.ts')
  const file = await readTraceFile(paths, which === undefined ? undefined : parseSelector(which))
  const { printTree, sayProblems } = await import('../print-tree.ts')
  if (file.trace === undefined) {
    if (flags.json) {
      output.printJson({ traces: file.summaries, problems: file.problems })
    } else {
      const { printList } = await import('../print-list.ts')
      printList(context, file.summaries, { paths, ...flags })
    }
  } else {
    const { callTree } = await import('clew/trace')
    const tree = callTree(file.trace, flags.raw ? { clocks: 'raw' } : {})
    if (flags.json) {
      const { treeJson } = await import('../tree-json.ts')
      output.printJson({ trace: treeJson(tree), problems: file.problems })
    } else {
      const view = flags.view === 'map' ? 'tree' : flags.view
      const { width, full, ascii } = flags
      printTree(context, tree, { view, width, full, ...(ascii && { ascii }) })
    }
  }
  sayProblems(context, file.problems)
  return EXIT.ok
}

const ID = /^[\da-f]{4,32}$/iu

/** Files; or a trace of a collector by its id, where that is named and no file is called so. */
function shownSources(
  context: ClewContext,
  flags: Flags,
  given: readonly string[],
): readonly string[] {
  const [id] = given
  const named = flags.collector ?? context.env[COLLECTOR_VARIABLE]
  if (named !== undefined && id !== undefined && given.length === 1 && ID.test(id)) {
    if (flags.collector !== undefined || !existsSync(id)) return [tracePathOf(parseUrl(named), id)]
  }
  return sourcesOf(context, flags, given, 'clew show traces.jsonl')
}

/** Of one trace, or of all together. */
async function printMap(
  context: ClewContext,
  chosen: Chosen,
  { width = context.output.width, full: methods, ascii, raw }: Flags,
): Promise<ExitCode> {
  const { output, env } = context
  const { readMap } = await import('../read-map.ts')
  const { map, problems } = await readMap(chosen, raw)
  const { renderMapText } = await import('@clew/render')
  const { isAsciiOnly, sayProblems } = await import('../print-tree.ts')
  const style = { width, color: output.color, unicode: !(ascii || isAsciiOnly(env)), methods }
  output.print(renderMapText(map, style).trimEnd())
  sayProblems(context, problems)
  return EXIT.ok
}

function parseWidth(text: string): number {
  const width = Number(text)
  if (!(Number.isInteger(width) && width >= NARROWEST && width <= WIDEST)) {
    throw usageFault(`${JSON.stringify(text)} is no whole number from ${NARROWEST} to ${WIDEST}`)
  }
  return width
}
