import {
  COLLECTOR_FLAGS,
  type CollectorFlags,
  clientOf,
  collectorFault,
  collectorUrl,
} from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { ASCII_FLAG, jsonFlag } from '../flags.ts'
import { SORTS, type Sort } from '../top-page.ts'

interface Flags extends Pick<CollectorFlags, 'collector'> {
  readonly over: number
  readonly every: number
  readonly sort: Sort
  readonly once: boolean
  readonly ascii: boolean
  readonly json: boolean
}

export const topCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Watch services: rate, failures, times, calls in flight, and where the time goes',
    usage: '[FILTER…] [FLAGS]',
    examples: [
      { input: 'top', brief: 'live, over the last minute' },
      { input: 'top type:gateway.checkout --over 5m', brief: 'of one kind of request' },
      { input: 'top --once --json', brief: 'once, for a script' },
    ],
    description: [
      'Keys: t time, f failures, r rate, p p99, n name sort; q or Ctrl-C ends. Where nobody watches a terminal it is printed once.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'FILTER', brief: 'conditions, as of clew find' },
    },
    flags: {
      collector: COLLECTOR_FLAGS.collector,
      over: {
        kind: 'parsed',
        parse: parseDuration,
        default: '1m',
        placeholder: 'TIME',
        brief: 'how far back is looked',
      },
      every: {
        kind: 'parsed',
        parse: parseDuration,
        default: '2s',
        placeholder: 'TIME',
        brief: 'how often',
      },
      sort: { kind: 'enum', values: SORTS, default: 'time', brief: 'what comes first' },
      once: {
        kind: 'boolean',
        default: false,
        brief: 'print it once',
        withNegated: false,
      },
      ascii: ASCII_FLAG,
      json: jsonFlag('once, as one JSON value'),
    },
  },
  run: top,
})

async function top(
  context: ClewContext,
  flags: Flags,
  ...words: readonly string[]
): Promise<ExitCode> {
  const { output } = context
  const url = collectorUrl(context, flags)
  const client = await clientOf(url, context.env)
  const filter = words.join(' ')
  const ask = async (signal?: AbortSignal) => {
    try {
      return await client.map({ filter, from: `${flags.over}ms`, signal })
    } catch (error) {
      throw await collectorFault(error, url, filter)
    }
  }
  const first = await ask()
  if (flags.json) {
    output.printJson({ asked: first.asked, services: first.services, links: first.links })
    return EXIT.ok
  }
  const { topLines } = await import('../top-page.ts')
  const style = { ascii: flags.ascii, overMs: flags.over, filter }
  if (flags.once || process.stdout.isTTY !== true || process.stdin.isTTY !== true) {
    for (const line of topLines(context, first, { ...style, sort: flags.sort })) output.print(line)
    return EXIT.ok
  }
  const { watchTop } = await import('../top-screen.ts')
  await watchTop(context, { ...style, sort: flags.sort, everyMs: flags.every, first, ask })
  return EXIT.ok
}
