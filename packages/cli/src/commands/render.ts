import { writeFile } from 'node:fs/promises'
import { type Chosen, chosenOf } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { Fault, fileFault, toFault, usageFault } from '../fault.ts'
import { FILES, jsonFlag, RAW_FLAG, TRACE_FLAG } from '../flags.ts'
import { harmless } from '../harmless.ts'
import { isPage, parsePictureOrPage } from '../picture-path.ts'

const VIEWS = ['tree', 'waterfall', 'flame', 'critical-path', 'map'] as const

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly out: string
  readonly view: (typeof VIEWS)[number]
  readonly full: boolean
  readonly raw: boolean
  readonly json: boolean
}

export const renderCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Draw a trace as a PNG or SVG picture, or traces as a page to look through',
    usage: 'FILE… [N|ID] -o PICTURE [FLAGS]',
    examples: [
      { input: 'render hello.trace.jsonl -o hello.png', brief: 'the call tree, left to right' },
      {
        input: 'render traces.jsonl 3 -o third.svg --view waterfall',
        brief: 'the third trace over a time axis, as SVG',
      },
      {
        input: 'render traces.jsonl -o traces.html',
        brief: 'all of them in a page that opens offline',
      },
    ],
    description: [
      'A page (.html) has all traces of the file, or the one that is chosen, in one file that needs nothing else: waterfall, flame, call tree and methods, to zoom, search and walk through.',
      'Large traces are folded to what matters, and the picture says what was folded; --full draws every call.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      out: {
        kind: 'parsed',
        parse: parsePictureOrPage,
        placeholder: 'PICTURE',
        brief: 'the file to write, ending in .png, .svg or .html',
      },
      view: { kind: 'enum', values: VIEWS, default: 'tree', brief: 'what to draw' },
      full: {
        kind: 'boolean',
        default: false,
        brief: 'every call by itself, nothing merged or folded',
        withNegated: false,
      },
      raw: RAW_FLAG,
      json: jsonFlag('tell what was drawn as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: render,
})

async function render(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, out, view, full, raw, json } = flags
  const words = sourcesOf(context, flags, given, 'clew render traces.jsonl -o picture.png')
  const { output } = context
  const chosen = chosenOf(words, trace)
  const { paths, which } = chosen
  if (isPage(out)) return renderPage(context, { out, raw, json }, chosen)
  if (view === 'map') return await renderMap(context, { out, full, raw, json }, chosen)
  const { nameOf, parseSelector, readTraceFile } = await import('../trace-file.ts')
  const file = await readTraceFile(paths, which === undefined ? undefined : parseSelector(which))
  if (file.trace === undefined) {
    const files = paths.join(' ')
    const has = paths.length === 1 ? 'has' : 'have'
    throw usageFault(`${nameOf(paths)} ${has} ${file.summaries.length} traces; say which one`, {
      next: [`clew render ${files} 1 -o ${out}`, `clew show ${files}   to list them`],
    })
  }
  const { callTree } = await import('clew/trace')
  const { sayProblems } = await import('../print-tree.ts')
  const tree = callTree(file.trace, raw ? { clocks: 'raw' } : {})
  const { drawPicture } = await import('../picture.ts')
  const onNotice = (notice: string) => output.say(notice)
  const picture = await drawPicture(out, tree, { view, full, onNotice }).catch((error: unknown) => {
    throw undrawable(error)
  })
  try {
    await writeFile(out, picture)
  } catch (error) {
    throw fileFault('write', out, error)
  }
  sayProblems(context, file.problems)
  const bytes = Buffer.byteLength(picture)
  if (json)
    output.printJson({
      file: out,
      view,
      bytes,
      trace: file.trace.id,
      calls: tree.calls,
    })
  else
    output.say(
      `${harmless(out)} has the ${view} of ${tree.calls === 1 ? '1 call' : `${tree.calls} calls`}`,
    )
  return EXIT.ok
}

/** Of one trace, or of all together. */
async function renderMap(
  context: ClewContext,
  { out, full: methods, raw, json }: Pick<Flags, 'out' | 'full' | 'raw' | 'json'>,
  chosen: Chosen,
): Promise<ExitCode> {
  const { output } = context
  const { readMap } = await import('../read-map.ts')
  const { map, problems } = await readMap(chosen, raw)
  const { renderMapSvg } = await import('@clew/render')
  const { writePicture } = await import('../write-picture.ts')
  const bytes = await writePicture(out, renderMapSvg(map, { methods }))
  const { traces, calls } = map
  if (json) output.printJson({ file: out, view: 'map', bytes, traces, calls })
  else output.say(`${harmless(out)} has the map of ${calls === 1 ? '1 call' : `${calls} calls`}`)
  const { sayProblems } = await import('../print-tree.ts')
  sayProblems(context, problems)
  return EXIT.ok
}

async function renderPage(
  context: ClewContext,
  { out, raw, json }: Pick<Flags, 'out' | 'raw' | 'json'>,
  chosen: Chosen,
): Promise<ExitCode> {
  const { output } = context
  const { writePage } = await import('../write-page.ts')
  const { traces, calls, bytes, problems } = await writePage(
    chosen,
    out,
    raw ? { clocks: 'raw' } : {},
  )
  const { sayProblems } = await import('../print-tree.ts')
  sayProblems(context, problems)
  if (json) {
    output.printJson({ file: out, view: 'page', bytes, traces, calls })
  } else {
    const several = traces === 1 ? '1 trace' : `${traces} traces`
    output.say(`${harmless(out)} has ${several}; open it in a browser`)
  }
  return EXIT.ok
}

/** The renderer refuses pictures that nobody could look at, and says so. */
function undrawable(error: unknown): Fault {
  if (!(error instanceof RangeError)) return toFault(error)
  return new Fault(error.message, {
    exit: EXIT.failed,
    code: 'picture_too_large',
    next: ['the same without --full, or with -o FILE.svg'],
    cause: error,
  })
}
