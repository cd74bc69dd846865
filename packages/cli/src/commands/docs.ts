import { chosenOf } from '../chosen-trace.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'
import { harmless, harmlessLines } from '../harmless.ts'

interface Flags {
  readonly trace: string | undefined
  readonly out: string | undefined
  readonly json: boolean
}

export const docsCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Write documentation of a system from its traces, as Markdown',
    usage: 'FILE… [N|ID] [-o FILE.md] [FLAGS]',
    examples: [
      { input: 'docs traces.jsonl -o system.md', brief: 'to commit, and to compare later' },
      { input: 'docs traces.jsonl --json', brief: 'the same facts for a script' },
    ],
    description: [
      'For each service: methods with calls, times and errors, who calls it, what it calls, events, stores with their statements, hosts and versions. The same traces give the same bytes. Parameters and results are never in traces.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      trace: TRACE_FLAG,
      out: {
        kind: 'parsed',
        parse: parseMarkdown,
        optional: true,
        placeholder: 'FILE.md',
        brief: 'write it to a file instead of stdout',
      },
      json: jsonFlag('what the documentation is made of, as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: tellDocs,
})

async function tellDocs(
  context: ClewContext,
  { trace, out, json }: Flags,
  ...words: readonly string[]
): Promise<ExitCode> {
  const { output } = context
  if (words.length === 0) throw usageFault('FILE is missing', { next: ['clew docs traces.jsonl'] })
  const { readMap, writeText } = await import('../read-map.ts')
  const { map, problems } = await readMap(chosenOf(words, trace))
  const { renderSystemDocs } = await import('@clew/render')
  const text = renderSystemDocs(map)
  if (out !== undefined) {
    await writeText(out, text)
    output.say(`${harmless(out)} has the documentation`)
  }
  if (json) output.printJson({ map })
  else if (out === undefined) output.print(harmlessLines(text).trimEnd())
  const { sayProblems } = await import('../print-tree.ts')
  sayProblems(context, problems)
  return EXIT.ok
}

function parseMarkdown(path: string): string {
  if (/\.(?:md|markdown)$/iu.test(path)) return path
  throw usageFault(`${JSON.stringify(path)} does not end in .md`, { next: ['-o system.md'] })
}
