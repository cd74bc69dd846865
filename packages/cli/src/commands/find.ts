import {
  COLLECTOR_FLAGS,
  type CollectorFlags,
  clientOf,
  collectorFault,
  collectorUrl,
} from '../collector-source.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { ASCII_FLAG, jsonFlag } from '../flags.ts'
import { harmless } from '../harmless.ts'

interface Flags extends CollectorFlags {
  readonly slowest: boolean
  readonly ascii: boolean
  readonly json: boolean
}

const USUAL = 20
const MOST = 1_000

export const findCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Find traces that a collector has: what failed, what was slow',
    usage: '[FILTER…] [FLAGS]',
    examples: [
      { input: 'find', brief: 'the newest of the last hour' },
      { input: 'find failed:true', brief: 'requests that failed, and where it began' },
      {
        input: "find service:orders 'duration:>200ms' --since 1d --slowest",
        brief: 'of the last day, the slowest in which a call of orders took so long',
      },
      { input: 'find type:gateway.checkout -host:w7 --json', brief: 'for a script' },
    ],
    description: [
      'Conditions: service, method, caller, host, version, status, error, edge, duration, self, in-flight, origin, straggler of one call; type, total, failed, calls, services, depth, complete, source, id of the trace; @name of what other systems keep. A word alone is a service or a method. Alternatives with commas, * for anything, - in front for not, 1ms..5ms for ranges.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'FILTER', brief: 'conditions, all to be met' },
    },
    flags: {
      ...COLLECTOR_FLAGS,
      slowest: {
        kind: 'boolean',
        default: false,
        brief: 'the slowest first, instead of the newest',
        withNegated: false,
      },
      ascii: ASCII_FLAG,
      json: jsonFlag('the traces as one JSON value'),
    },
  },
  run: find,
})

async function find(
  context: ClewContext,
  flags: Flags,
  ...words: readonly string[]
): Promise<ExitCode> {
  const { output } = context
  const url = collectorUrl(context, flags)
  const client = await clientOf(url, context.env)
  const filter = words.join(' ')
  const { since: from = '1h', until: to, slowest, limit = USUAL } = flags
  const order = slowest ? 'slowest' : 'newest'
  try {
    const asked = { filter, from, to, order, limit: Math.min(limit, MOST) } as const
    const { traces, cursor, asked: understood } = await client.find(asked)
    if (flags.json) {
      output.printJson({ asked: understood, traces, more: cursor !== null })
      return EXIT.ok
    }
    if (traces.length === 0) {
      const { names } = await client.names('service', { from: '7d', limit: 12 })
      sayNothing(context, filter, from, names)
      return EXIT.ok
    }
    const { Page } = await import('../page.ts')
    const { foundTable } = await import('../found-traces.ts')
    const page = new Page(context, flags.ascii)
    const what = traces.length === 1 ? 'One trace' : `The ${order} ${traces.length} traces`
    page.title(what, `${filter === '' ? 'all' : filter} since ${from}`)
    page.table(...foundTable(traces))
    const more = cursor === null ? '' : '; there are more (--limit)'
    output.say(output.paintTalk.dim(`clew show ID   shows one of them${more}`))
    return EXIT.ok
  } catch (error) {
    throw await collectorFault(error, url, filter)
  }
}

function sayNothing(
  { output }: ClewContext,
  filter: string,
  from: string,
  names: readonly string[],
): void {
  const what = filter === '' ? 'no trace' : `no trace that matches ${harmless(filter)}`
  output.say(`The collector has ${what} since ${harmless(from)}.`)
  if (names.length === 0) {
    output.say('  It has none of the last 7 days: do services send to it? (clew doctor)')
    return
  }
  output.say(`  try: --since 7d, or another filter. Services of the last 7 days:`)
  output.say(`  ${names.map(harmless).join(', ')}`)
}
