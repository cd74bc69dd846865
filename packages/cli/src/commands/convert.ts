import type { Losses } from 'clew/formats'
import { type Chosen, chosenOf } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { CONVERT_FORMATS, type ConvertFormat, convertFormat } from '../convert-format.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { usageFault } from '../fault.ts'
import { FILES, jsonFlag, TRACE_FLAG } from '../flags.ts'
import { harmless } from '../harmless.ts'

interface Flags extends CollectorFlags {
  readonly to: ConvertFormat | undefined
  readonly out: string | undefined
  readonly trace: string | undefined
  readonly json: boolean
}

export const convertCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Write traces in another format: OTLP, Jaeger, Zipkin, Perfetto, speedscope, CSV, HTML',
    usage: 'FILE… [N|ID] --to FORMAT [-o OUT] [FLAGS]',
    examples: [
      { input: 'convert traces.jsonl -o traces.chrome.json', brief: 'for ui.perfetto.dev' },
      { input: 'convert jaeger.json --to clew > traces.jsonl', brief: 'from Jaeger to Clew' },
      { input: 'convert traces.jsonl 3 -o third.html', brief: 'one trace as a page' },
      { input: 'convert traces/ --to csv | gzip > calls.csv.gz', brief: 'a directory as a table' },
    ],
    description: [
      'Reads Clew’s own files, OTLP (JSON and protobuf), Jaeger’s and Zipkin’s JSON, also compressed by gzip or zstd. What the format has no words for is told.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      to: {
        kind: 'enum',
        values: CONVERT_FORMATS,
        optional: true,
        brief: 'the format; left out, the ending of OUT says it',
      },
      out: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'OUT',
        brief: 'the file to write (default: stdout)',
      },
      trace: TRACE_FLAG,
      json: jsonFlag('what was written, as one JSON value; needs -o'),
    },
    aliases: { o: 'out' },
  },
  run: convert,
})

async function convert(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { to, out, trace, json } = flags
  const words = sourcesOf(context, flags, given, 'clew convert traces.jsonl --to jaeger')
  const { output } = context
  const chosen = chosenOf(words, trace)
  const format = convertFormat(to, out)
  if (out === undefined) refuseStdout(format, json)
  const written =
    format === 'html'
      ? await page(chosen, out)
      : await (await import('../convert-traces.ts')).convertTraces({ chosen, format, out })
  const { sayProblems } = await import('../print-tree.ts')
  const { traces, calls, bytes, problems, losses } = written
  if (json) {
    output.printJson({ format, out, traces, calls, bytes, losses, problems })
  } else if (out !== undefined) {
    const told = traces === 1 ? '1 trace' : `${traces.toLocaleString('en-US')} traces`
    output.say(
      `${harmless(out)} has ${told} of ${calls.toLocaleString('en-US')} calls as ${format}`,
    )
  }
  sayLosses(context, format, losses)
  sayProblems(context, problems)
  return EXIT.ok
}

function refuseStdout(format: ConvertFormat, json: boolean): void {
  if (json) {
    throw usageFault('--json needs -o OUT', {
      why: 'stdout can hold the document or what is told of it',
    })
  }
  if (format === 'otlp-protobuf' && process.stdout.isTTY === true) {
    throw usageFault('binary output is not written to a terminal', { next: ['-o traces.pb'] })
  }
}

async function page(chosen: Chosen, out: string | undefined) {
  if (out === undefined) {
    throw usageFault('--to html needs -o OUT', { next: ['-o traces.html'] })
  }
  const { writePage } = await import('../write-page.ts')
  return { ...(await writePage(chosen, out)), losses: undefined }
}

const WORDS: Readonly<Record<keyof Losses, readonly [one: string, several: string]>> = {
  folded: ['call that was merged away', 'calls that were merged away'],
  missing: ['call known to be missing', 'calls known to be missing'],
  pauses: ['pause of a process', 'pauses of processes'],
  relays: ['call of a peer that keeps no entries', 'calls of peers that keep no entries'],
  open: [
    'call that is not known to have ended (written as if it had, marked pending)',
    'calls that are not known to have ended (written as if they had, marked pending)',
  ],
  lost: ['call known by its id alone', 'calls known by their ids alone'],
}

function sayLosses({ output }: ClewContext, format: string, losses: Losses | undefined): void {
  if (losses === undefined) return
  const keys = (Object.keys(WORDS) as (keyof Losses)[]).filter((key) => losses[key] > 0)
  if (keys.length === 0) return
  const list = keys
    .map((key) => `${losses[key]} ${WORDS[key][losses[key] === 1 ? 0 : 1]}`)
    .join(', ')
  output.say(`${output.paintTalk.yellow('note:')} ${format} has no words for ${list}`)
}
