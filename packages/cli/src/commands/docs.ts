import { extname, join } from 'node:path'
import { chosenOf } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'
import { harmless, harmlessLines } from '../harmless.ts'

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly out: string | undefined
  readonly json: boolean
}

export const docsCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Write documentation of a system from its traces, as Markdown',
    usage: 'FILE… [N|ID] [-o FILE.md|DIR/] [FLAGS]',
    examples: [
      { input: 'docs traces.jsonl -o system.md', brief: 'to commit, and to compare later' },
      { input: 'docs traces.jsonl -o system/', brief: 'one page a service, and an index' },
      { input: 'docs traces.jsonl --json', brief: 'the same facts for a script' },
    ],
    description: [
      'For each service: methods with calls, times and errors, who calls it, what it calls, events, stores with their statements, hosts and versions. The same traces give the same bytes. Parameters and results are never in traces.',
      'A directory gets README.md, with the map, and a page for each service. Pages of services that are gone are removed; files that this command did not write are never touched.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      out: {
        kind: 'parsed',
        parse: parseTarget,
        optional: true,
        placeholder: 'FILE.md|DIR/',
        brief: 'write it to a file, or one page a service to a directory, instead of stdout',
      },
      json: jsonFlag('what the documentation is made of, as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: tellDocs,
})

async function tellDocs(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, out, json } = flags
  const words = sourcesOf(context, flags, given, 'clew docs traces.jsonl')
  const { output } = context
  const { readMap, writeText } = await import('../read-map.ts')
  const { map, problems } = await readMap(chosenOf(words, trace))
  if (out === undefined) {
    if (!json) {
      const { renderSystemDocs } = await import('@clew/render')
      output.print(harmlessLines(renderSystemDocs(map)).trimEnd())
    }
  } else if (isMarkdown(out)) {
    const { renderSystemDocs } = await import('@clew/render')
    await writeText(out, renderSystemDocs(map))
    output.say(`${harmless(out)} has the documentation`)
  } else {
    const { PAGE_MARK, renderSystemPages } = await import('@clew/render')
    const { writePages } = await import('../write-pages.ts')
    const pages = renderSystemPages(map)
    const gone = await writePages(out, pages, PAGE_MARK)
    output.say(`${harmless(join(out, pages[0]!.file))} leads to ${pages.length - 1} more`)
    if (gone.length > 0)
      output.say(`removed, because their services are gone: ${gone.map(harmless).join(', ')}`)
  }
  if (json) output.printJson({ map })
  const { sayProblems } = await import('../print-tree.ts')
  sayProblems(context, problems)
  return EXIT.ok
}

const isMarkdown = (path: string) => /\.(?:md|markdown)$/iu.test(path)

/** A directory is told by a slash at its end, or by a name without an ending. */
function parseTarget(path: string): string {
  if (isMarkdown(path) || /[/\\]$/u.test(path) || (path !== '' && extname(path) === '')) return path
  throw usageFault(`${JSON.stringify(path)} neither ends in .md nor is a directory`, {
    next: ['-o system.md', '-o system/'],
  })
}
