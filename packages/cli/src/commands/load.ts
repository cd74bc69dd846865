import type { Delivery } from 'clew'
import type { Load, LoadReport, TraceProblem } from 'clew/trace'
import { brokerFlag, deliveryFlag, openForCalls } from '../broker-address.ts'
import { parseArgument, parseKwargs, parseTarget } from '../call-arguments.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { Fault, usageFault } from '../fault.ts'
import { ASCII_FLAG, jsonFlag, PICTURE_FLAG } from '../flags.ts'
import { harmless } from '../harmless.ts'
import {
  type Burst,
  parseBurst,
  parseRamp,
  parseRate,
  parseSteps,
  planOf,
  type Ramp,
  type Steps,
} from '../load/plan.ts'
import type { Arrivals } from '../load/schedule.ts'
import type { Sent } from '../load/send.ts'

interface Flags {
  readonly from: readonly string[] | undefined
  readonly rate: number | undefined
  readonly steps: Steps | undefined
  readonly ramp: Ramp | undefined
  readonly burst: Burst | undefined
  readonly for: number
  readonly arrivals: Arrivals
  readonly maxInFlight: number
  readonly maxFailures: number
  readonly stopOnError: boolean
  readonly timeout: number
  readonly by: 'rate' | 'in-flight'
  readonly broker: string | undefined
  readonly delivery: Delivery
  readonly kwargs: Readonly<Record<string, unknown>> | undefined
  readonly grant: string | undefined
  readonly method: string | undefined
  readonly header: readonly string[] | undefined
  readonly body: string | undefined
  readonly traces: readonly string[] | undefined
  readonly yes: boolean
  readonly out: string | undefined
  readonly picture: string | undefined
  readonly ascii: boolean
  readonly json: boolean
}

const text = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, optional: true, placeholder, brief }) as const
const texts = (placeholder: string, brief: string) =>
  ({ ...text(placeholder, brief), variadic: true }) as const
const count = (byDefault: string, brief: string) =>
  ({ kind: 'parsed', parse: parseCount, default: byDefault, placeholder: 'N', brief }) as const
const plan = <T>(parse: (written: string) => T, placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse, optional: true, placeholder, brief }) as const
const time = (byDefault: string, brief: string) =>
  ({
    kind: 'parsed',
    parse: parseDuration,
    default: byDefault,
    placeholder: 'TIME',
    brief,
  }) as const
const choice = <const V extends string>(values: readonly V[], byDefault: V, brief: string) =>
  ({ kind: 'enum', values, default: byDefault, brief }) as const
const on = (brief: string) =>
  ({ kind: 'boolean', default: false, brief, withNegated: false }) as const

export const loadCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Find the bottleneck, and how it moves with the load: send some, or read traces',
    usage: 'SERVICE.METHOD [ARGUMENT …] | URL | --from FILE… [FLAGS]',
    examples: [
      {
        input: 'load orders.create 17 --steps 50..400/50 --for 1m --picture load.png',
        brief: 'from 50 to 400 calls a second, table and picture at the end',
      },
      { input: 'load orders.create 17 --rate 50 --burst 300x2s/10s', brief: 'bursts' },
      {
        input: 'load http://localhost:8000/orders/7 --ramp 10..200 --traces gateway.jsonl',
        brief: 'a route, with the traces that its service has written to a file',
      },
      { input: 'load --from traces.jsonl more/*.jsonl', brief: 'the same answer from files alone' },
    ],
    description: [
      'Requests begin when the plan says, whatever became of those before. At most 2,000 a second and 10 minutes; it stops by itself when the time is up, when one request after the other fails, or at Ctrl-C, and then waits for what is in flight.',
      'Exit codes: 0 done, 1 requests failed one after the other or all, 2 wrong arguments, 5 broker unreachable, 7 nothing to be told, 130 stopped by Ctrl-C.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'TARGET ARGUMENT',
        brief: 'what to ask, then arguments as for clew call; with --from more files',
      },
    },
    flags: {
      from: texts('FILE', 'read traces instead of sending anything'),
      rate: plan(parseRate, 'N', 'requests a second (10)'),
      steps: plan(parseSteps, 'A..B/C', 'from A to B a second in steps of C, each as long'),
      ramp: plan(parseRamp, 'A..B', 'from A to B a second, evenly'),
      burst: plan(parseBurst, 'NxTIME/TIME', 'N a second for a time, again and again'),
      for: time('30s', 'how long in all, at most 10m'),
      arrivals: choice(['poisson', 'even'], 'poisson', 'at random, or at even intervals'),
      maxInFlight: count('1000', 'what would be more is not sent, and counted'),
      maxFailures: count('50', 'failures in a row after which it stops'),
      stopOnError: on('stop at the first failure'),
      timeout: time('10s', 'how long to wait for an answer'),
      by: choice(['rate', 'in-flight'], 'rate', 'what load is: requests a second, or at a time'),
      broker: brokerFlag,
      delivery: deliveryFlag,
      kwargs: plan(parseKwargs, 'JSON', 'keyword arguments, an object'),
      grant: text('TOKEN', 'a grant for services that require one (default: CLEW_GRANT)'),
      method: text('NAME', 'of the HTTP request (GET; POST with a body)'),
      header: texts('NAME:VALUE', 'of the HTTP request'),
      body: text('TEXT', 'of the HTTP request'),
      traces: texts('FILE', 'traces that services write meanwhile, for routes'),
      yes: on('do not ask before sending to another machine'),
      out: text('FILE', 'write all traces to a file'),
      picture: PICTURE_FLAG,
      ascii: ASCII_FLAG,
      json: jsonFlag('the answer as one JSON value'),
    },
    aliases: { o: 'out' },
  },
  run: load,
})

async function load(
  context: ClewContext,
  flags: Flags,
  ...given: readonly string[]
): Promise<ExitCode> {
  const { Load: Sums } = await import('clew/trace')
  const sums = new Sums()
  const by = flags.by === 'rate' ? 'rate' : 'inFlight'
  const target = given[0]
  if (flags.from !== undefined && flags.from.length > 0) {
    const problems = await addFiles(sums, [...flags.from, ...given])
    return tell(context, flags, sums.report({ by }), { problems })
  }
  if (target === undefined) {
    throw usageFault('nothing says what to ask', {
      next: ['clew load orders.create 17 --rate 50', 'clew load --from traces.jsonl'],
    })
  }
  const sent = await (isUrl(target) ? sendHttp : sendCalls)(context, flags, given, sums)
  const begun = Date.now() - sent.drive.elapsedMs
  let [told, problems]: [Load, readonly TraceProblem[]] = [sums, []]
  if (flags.traces !== undefined && flags.traces.length > 0) {
    told = new Sums()
    problems = await addFiles(told, flags.traces, begun)
  }
  return tell(context, flags, told.report({ by }), { problems, sent })
}

const BRING_TREES =
  '--grant TOKEN lets a route do so, --traces FILE reads what its services write meanwhile'

const isUrl = (target: string) => /^https?:\/\//i.test(target)

async function sendCalls(
  context: ClewContext,
  flags: Flags,
  [target = '', ...rest]: readonly string[],
  sums: Load,
): Promise<Sent> {
  const options = sendOptions(flags, sums)
  const called = parseTarget(target)
  const args = rest.map(parseArgument)
  const { broker, options: configured } = await openForCalls(flags.broker, context.env)
  const { confirmTarget } = await import('../load/confirm.ts')
  await confirmTarget(broker.name, flags.yes)
  const { connect } = await import('clew')
  const { callFault } = await import('../call-fault.ts')
  const { rpcTarget } = await import('../load/rpc-target.ts')
  const { send } = await import('../load/send.ts')
  const grant = flags.grant ?? (context.env.CLEW_GRANT || undefined)
  const connected = connect(broker, {
    ...configured,
    ...{ delivery: flags.delivery, timeoutMs: flags.timeout },
    ...(grant !== undefined && { grant }),
  })
  await using cluster = await connected.catch((error: unknown) => {
    throw callFault(error)
  })
  return await send(context, rpcTarget(cluster, called, args, flags.kwargs), options)
}

async function sendHttp(
  context: ClewContext,
  flags: Flags,
  [target = '', ...rest]: readonly string[],
  sums: Load,
): Promise<Sent> {
  const options = sendOptions(flags, sums)
  if (rest.length > 0) throw usageFault('a URL takes no arguments', { next: ['--body TEXT'] })
  if (!URL.canParse(target)) throw usageFault(`${JSON.stringify(target)} is no URL`)
  const { confirmTarget } = await import('../load/confirm.ts')
  await confirmTarget(target, flags.yes)
  const { httpTarget } = await import('../load/http-target.ts')
  const { send } = await import('../load/send.ts')
  const grant = flags.grant ?? (context.env.CLEW_GRANT || undefined)
  const headers = Object.fromEntries([
    ...(grant === undefined ? [] : [['clew-grant', grant] as const]),
    ...(flags.header ?? []).map(parseHeader),
  ])
  const { body, timeout: timeoutMs } = flags
  const method = (flags.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase()
  const ask = httpTarget({ url: new URL(target), method, headers, body, timeoutMs })
  return await send(context, ask, options)
}

function sendOptions(flags: Flags, sums: Load) {
  const { arrivals, maxInFlight, out } = flags
  const maxFailures = flags.stopOnError ? 1 : flags.maxFailures
  return { plan: planOf(flags), arrivals, maxInFlight, maxFailures, out, load: sums }
}

/** Traces of files; of those only what began since a time, where one is given. */
async function addFiles(
  sums: Load,
  paths: readonly string[],
  sinceMs = Number.NEGATIVE_INFINITY,
): Promise<readonly TraceProblem[]> {
  const { callTree } = await import('clew/trace')
  const { readAllTraces } = await import('../all-traces.ts')
  return await readAllTraces(paths, (trace) => {
    const tree = callTree(trace)
    if (tree.startedMs >= sinceMs) sums.add(tree)
  })
}

async function tell(
  context: ClewContext,
  flags: Flags,
  report: LoadReport,
  { problems, sent }: { readonly problems: readonly TraceProblem[]; readonly sent?: Sent },
): Promise<ExitCode> {
  const { output, env } = context
  const { outcomeLines, sentJson, sentNotes } = await import('../load/sent-words.ts')
  const notes = sent === undefined ? [] : sentNotes(sent, flags.maxInFlight)
  if (sent !== undefined && report.bands.length > 0 && report.instances.length === 0) {
    notes.push(`no response brought its call tree: ${BRING_TREES}`)
  }
  const lines = sent === undefined ? [] : outcomeLines(sent)
  for (const line of lines) output.say(harmless(line))
  for (const note of notes) output.say(`${output.paintTalk.yellow('note:')} ${note}`)
  if (report.bands.length === 0) throw noRequests(report, sent)
  if (flags.picture !== undefined) await draw(context, flags.picture, report)
  const { isAsciiOnly, sayProblems } = await import('../print-tree.ts')
  if (flags.json) {
    output.printJson({
      ...(sent !== undefined && { sent: sentJson(sent), notes }),
      ...report,
    })
  } else {
    const { renderLoadText } = await import('@clew/render')
    const unicode = !(flags.ascii || isAsciiOnly(env))
    const style = { width: output.width, color: output.color, unicode }
    output.print(renderLoadText(report, style).trimEnd())
  }
  sayProblems(context, problems)
  if (sent === undefined) return EXIT.ok
  if (sent.end === 'stopped') return EXIT.interrupted
  const { failed, answered } = sent.drive
  return sent.end === 'failures' || (failed > 0 && failed === answered) ? EXIT.failed : EXIT.ok
}

async function draw({ output }: ClewContext, path: string, report: LoadReport): Promise<void> {
  const { renderLoadSvg } = await import('@clew/render')
  const { writePicture } = await import('../write-picture.ts')
  await writePicture(path, renderLoadSvg(report))
  output.say(`${harmless(path)} has the picture`)
}

function noRequests({ passedOver }: LoadReport, sent: Sent | undefined): Fault {
  const [first] = sent?.drive.outcomes.keys() ?? []
  return new Fault('there is no request whose load could be told', {
    exit: sent === undefined ? EXIT.partial : EXIT.failed,
    code: 'no_request',
    why:
      sent === undefined
        ? `none of the ${passedOver} traces has a root call that ended`
        : `of ${sent.drive.asked} requests none brought a trace${first === undefined ? '' : ` (${first})`}`,
  })
}

/** @throws Fault when it is no name, a colon and a value */
function parseHeader(written: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~\w-]+):\s*([^\r\n]*)$/.exec(written)
  if (match === null) throw usageFault(`--header: ${JSON.stringify(written)} is no NAME:VALUE`)
  return [match[1]!, match[2]!]
}

/** @throws Fault when it is no whole number from 1 to 100,000 */
function parseCount(written: string): number {
  const number = /^\d+$/.test(written) ? Number(written) : 0
  if (!(number >= 1 && number <= 100_000)) {
    throw usageFault(`${JSON.stringify(written)} is no whole number from 1 to 100000`)
  }
  return number
}
