import { extname } from 'node:path'
import type { SystemMap } from 'clew/trace'
import { chosenOf } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { Fault, usageFault } from '../fault.ts'
import { ASCII_FLAG, FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'
import { harmless, harmlessJson } from '../harmless.ts'
import { versioned } from '../output.ts'
import { suggestions } from '../suggest.ts'

const ENDINGS = ['.svg', '.png', '.dot', '.mmd', '.md', '.json'] as const
const MOST_HOPS = 100

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly out: string | undefined
  readonly methods: boolean
  readonly matrix: boolean | undefined
  readonly service: string | undefined
  readonly hops: number | undefined
  readonly ascii: boolean
  readonly json: boolean
}

type Choice = Pick<Flags, 'methods' | 'matrix' | 'service' | 'hops'>

export const mapCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Show the layout of a system: who calls whom, how often, and what fails',
    usage: 'FILE… [N|ID] [-o FILE] [FLAGS]',
    examples: [
      { input: 'map traces.jsonl', brief: 'in the terminal' },
      { input: 'map traces.jsonl -o map.png --methods', brief: 'as a picture, with methods' },
      { input: 'map traces.jsonl -o map.png --matrix', brief: 'who calls whom, as a table' },
      {
        input: 'map traces.jsonl --service orders --hops 2 -o orders.svg',
        brief: 'what is near one service',
      },
    ],
    description: [
      'What -o writes is told by its ending: .svg and .png (pictures), .dot (Graphviz), .mmd (Mermaid), .md (documentation), .json.',
      'Of more than 40 places, a picture is a matrix: rows call columns, with numbers of calls. It has the 120 places with most calls, and the rest in a last row and column.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      out: {
        kind: 'parsed',
        parse: parseOut,
        optional: true,
        placeholder: 'FILE',
        brief: `write it as well, to a file ending in ${ENDINGS.join(', ')}`,
      },
      methods: {
        kind: 'boolean',
        default: false,
        brief: 'services with their methods',
        withNegated: false,
      },
      matrix: {
        kind: 'boolean',
        optional: true,
        brief: 'a picture as a matrix, rows call columns (default above 40 places), or not',
      },
      service: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'NAME',
        brief: 'only this service and what is near it',
      },
      hops: {
        kind: 'parsed',
        parse: parseHops,
        optional: true,
        placeholder: 'N',
        brief: 'with --service: how near (default 1)',
      },
      ascii: ASCII_FLAG,
      json: jsonFlag('the whole map as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: tellMap,
})

async function tellMap(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, out, ascii, json, methods, matrix, service, hops } = flags
  const choice: Choice = { methods, matrix, service, hops }
  const words = sourcesOf(context, flags, given, 'clew map traces.jsonl')
  const { output, env } = context
  const { readMap } = await import('../read-map.ts')
  const { map, problems } = await readMap(chosenOf(words, trace))
  checkService(map, choice.service)
  if (out !== undefined) {
    await write(out, map, choice)
    output.say(`${harmless(out)} has the map`)
  }
  const { isAsciiOnly, sayProblems } = await import('../print-tree.ts')
  if (json) output.printJson({ map })
  else {
    const { renderMapText } = await import('@clew/render')
    const unicode = !(ascii || isAsciiOnly(env))
    const style = { width: output.width, color: output.color, unicode }
    output.print(renderMapText(map, { ...choice, ...style }).trimEnd())
  }
  sayProblems(context, problems)
  return EXIT.ok
}

async function write(out: string, map: SystemMap, choice: Choice): Promise<void> {
  const render = await import('@clew/render')
  const ending = extname(out).toLowerCase()
  if (ending === '.svg' || ending === '.png') {
    const { writePicture } = await import('../write-picture.ts')
    await writePicture(out, render.renderMapSvg(map, choice))
    return
  }
  const texts: Readonly<Record<string, () => string>> = {
    '.dot': () => render.renderMapDot(map, choice),
    '.mmd': () => render.renderMapMermaid(map, choice),
    '.md': () => render.renderSystemDocs(map),
    '.json': () => `${harmlessJson(versioned({ map }), 2)}\n`,
  }
  const { writeText } = await import('../read-map.ts')
  await writeText(out, texts[ending]!())
}

function checkService(map: SystemMap, service: string | undefined): void {
  if (service === undefined || map.places.some(({ name }) => name === service)) return
  const names = map.places.filter(({ kind }) => kind === 'service').map(({ name }) => name)
  throw new Fault(`no trace has a service named ${JSON.stringify(service)}`, {
    exit: EXIT.notFound,
    code: 'no_such_service',
    meant: suggestions(service, names),
    next: ['the same without --service lists all'],
  })
}

function parseOut(path: string): string {
  const ending = extname(path).toLowerCase()
  if (ENDINGS.some((each) => each === ending)) return path
  const meant = suggestions(ending, ENDINGS)[0] ?? '.svg'
  throw usageFault(`${JSON.stringify(path)} ends in none of ${ENDINGS.join(', ')}`, {
    next: [`-o map${meant}`],
  })
}

function parseHops(text: string): number {
  const hops = Number(text)
  if (Number.isInteger(hops) && hops >= 0 && hops <= MOST_HOPS) return hops
  throw usageFault(`${JSON.stringify(text)} is no whole number from 0 to ${MOST_HOPS}`)
}
