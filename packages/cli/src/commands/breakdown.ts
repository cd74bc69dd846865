import { chosenOf, readChosen } from '../chosen-trace.ts'
import { COLLECTOR_FLAGS, type CollectorFlags, sourcesOf } from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { Fault } from '../fault.ts'
import { ASCII_FLAG, FILES, jsonFlag, PICTURE_FLAG, TRACE_FLAG } from '../flags.ts'
import { harmless } from '../harmless.ts'

interface Flags extends CollectorFlags {
  readonly trace: string | undefined
  readonly out: string | undefined
  readonly ascii: boolean
  readonly json: boolean
}

export const breakdownCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Tell where the time of each request type goes, by service and layer',
    usage: 'FILE… [N|ID] [-o PICTURE] [FLAGS]',
    examples: [
      { input: 'breakdown traces.jsonl', brief: 'as a table' },
      {
        input: 'breakdown gateway.jsonl orders.jsonl -o breakdown.png',
        brief: 'of what several processes wrote, as a picture too',
      },
      { input: 'breakdown - --json < traces.jsonl', brief: 'from stdin, for a script' },
    ],
    description: [
      'Layers: self (the service’s own code), db and cache (operations one layer down), queue (network, broker, waiting for a worker), rpc (a service that keeps no profile). What is counted is the critical path, so the shares of a request type add up to 1.',
    ],
  },
  parameters: {
    positional: FILES,
    flags: {
      ...COLLECTOR_FLAGS,
      trace: TRACE_FLAG,
      out: PICTURE_FLAG,
      ascii: ASCII_FLAG,
      json: jsonFlag('the breakdown as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: tellBreakdown,
})

async function tellBreakdown(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { trace, out, ascii, json } = flags
  const words = sourcesOf(context, flags, given, 'clew breakdown traces.jsonl')
  const { output, env } = context
  const { Breakdown, breakdownRows, callTree } = await import('clew/trace')
  const sums = new Breakdown()
  const problems = await readChosen(chosenOf(words, trace), (each) => sums.add(callTree(each)))
  const { requests, passedOver } = sums
  if (requests.length === 0) throw noRequests(passedOver)
  if (out !== undefined) await draw(context, out, requests)
  const { isAsciiOnly, sayProblems } = await import('../print-tree.ts')
  if (json) {
    output.printJson({ breakdown: breakdownRows(requests) })
  } else {
    const { renderBreakdownText } = await import('@clew/render')
    const unicode = !(ascii || isAsciiOnly(env))
    const style = { width: output.width, color: output.color, unicode }
    output.print(renderBreakdownText(requests, style).trimEnd())
  }
  if (passedOver > 0) {
    const traces = passedOver === 1 ? '1 trace has' : `${passedOver} traces have`
    output.say(`${output.paintTalk.yellow('note:')} ${traces} no root call that ended; left out`)
  }
  sayProblems(context, problems)
  return EXIT.ok
}

async function draw(
  { output }: ClewContext,
  out: string,
  requests: Parameters<typeof import('@clew/render').renderBreakdownSvg>[0],
): Promise<void> {
  const { renderBreakdownSvg } = await import('@clew/render')
  const { writePicture } = await import('../write-picture.ts')
  await writePicture(out, renderBreakdownSvg(requests))
  const types = requests.length === 1 ? '1 request type' : `${requests.length} request types`
  output.say(`${harmless(out)} has the breakdown of ${types}`)
}

function noRequests(passedOver: number): Fault {
  return new Fault('there is no request whose time could be broken down', {
    exit: EXIT.partial,
    code: 'no_request',
    why: `${passedOver === 1 ? 'the trace has' : `all ${passedOver} traces have`} no root call that ended`,
    next: ['give the files of the processes where the requests begin as well'],
  })
}
