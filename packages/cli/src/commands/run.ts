import { closeSync, openSync } from 'node:fs'
import type { Delivery, LogEvent, Logger, Use } from 'clew'
import { brokerFlag, deliveryFlag, openBroker } from '../broker-address.ts'
import { type ClewContext, defineCommand } from '../command.ts'
import { parseDuration } from '../duration.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { fileFault, usageFault } from '../fault.ts'
import { harmless, harmlessLines } from '../harmless.ts'
import type { Output } from '../output.ts'
import type { LoadedServices } from '../service-file.ts'

interface Flags {
  readonly broker: string | undefined
  /** Empty: profiled, traces go home to whoever calls. Else the file that keeps those that begin here. */
  readonly profile: string | undefined
  readonly maxWorkers: number
  readonly delivery: Delivery
  readonly timeout: number | undefined
  readonly json: boolean
}

const MOST_WORKERS = 65_535
/** Services listed one by one when they start. */
const MOST_LISTED = 20

export const runCommand = defineCommand<Flags, readonly string[]>({
  help: {
    brief: 'Run the service classes that a file exports, until interrupted',
    usage: 'FILE[:CLASS] … [FLAGS]',
    examples: [
      {
        input: 'run services.ts --broker amqp://localhost --profile',
        brief: 'every service of the file; replies bring their call trees to callers that ask',
      },
      {
        input: 'run services.ts:Orders billing.ts --max-workers 50',
        brief: 'one class of a file and all of another, 50 calls at a time each',
      },
      {
        input: 'run gateway.js --profile=traces.jsonl',
        brief: 'also keep the traces that begin here in a file',
      },
    ],
    description: [
      'A service is a class with `static readonly name` and methods with @rpc. TypeScript is loaded as it is. SIGTERM and Ctrl-C let running calls end; a second one kills them.',
    ],
  },
  parameters: {
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        parse: String,
        placeholder: 'FILE[:CLASS]',
        brief: 'a TypeScript or JavaScript module, or one exported class of it',
      },
    },
    flags: {
      broker: brokerFlag,
      profile: {
        kind: 'parsed',
        parse: profileFile,
        optional: true,
        inferEmpty: true,
        placeholder: 'FILE',
        brief: 'profile every call; with a file, keep the traces that begin here in it',
      },
      maxWorkers: {
        kind: 'parsed',
        parse: parseWorkers,
        default: '10',
        placeholder: 'N',
        brief: 'calls that each service works on at a time',
      },
      delivery: deliveryFlag,
      timeout: {
        kind: 'parsed',
        parse: parseDuration,
        optional: true,
        placeholder: 'TIME',
        brief:
          'how long calls made by the services wait for a reply, such as 500ms or 2s (default 30s)',
      },
      json: {
        kind: 'boolean',
        default: false,
        brief: 'when ready, print what runs as one JSON value',
      },
    },
  },
  run: runServices,
})

async function runServices(
  { output, env }: ClewContext,
  flags: Flags,
  ...targets: readonly string[]
): Promise<ExitCode> {
  const { loadServices } = await import('../service-file.ts')
  const loaded = await loadServices(targets)
  const broker = await openBroker(flags.broker, env)
  const { run } = await import('clew')
  const { callFault } = await import('../call-fault.ts')
  const use = flags.profile === undefined ? [] : [await profiler(flags.profile)]
  const running = await run(
    loaded.services.map(({ serviceClass }) => serviceClass),
    {
      broker,
      use,
      maxWorkers: flags.maxWorkers,
      delivery: flags.delivery,
      log: logTo(output),
      ...(flags.timeout !== undefined && { timeoutMs: flags.timeout }),
    },
  ).catch((error: unknown) => {
    throw callFault(error)
  })
  announce(output, loaded, broker.name, flags)
  await running.stopped
  output.say('stopped')
  return EXIT.ok
}

async function profiler(file: string): Promise<Use> {
  const { fileSink, profile } = await import('clew/profile')
  if (file === '') return profile()
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw fileFault('write', file, error)
  }
  return profile({ sink: fileSink(file) })
}

function announce(
  output: Output,
  { services, passedOver }: LoadedServices,
  broker: string,
  flags: Flags,
): void {
  const { bold, dim, green, yellow } = output.paintTalk
  const where = harmless(broker)
  const profiled =
    flags.profile === undefined
      ? ''
      : flags.profile === ''
        ? ', profiled'
        : `, profiled into ${harmless(flags.profile)}`
  for (const reason of passedOver) output.say(`${yellow('passed over:')} ${harmless(reason)}`)
  output.say(
    `${green('running')} ${services.length} service${services.length === 1 ? '' : 's'} on ${bold(where)}, ${flags.maxWorkers} calls each at a time${profiled}`,
  )
  const column = Math.max(...services.slice(0, MOST_LISTED).map(({ service }) => service.length))
  for (const { service, methods } of services.slice(0, MOST_LISTED)) {
    output.say(`  ${bold(harmless(service).padEnd(column))}  ${methods.map(harmless).join(', ')}`)
  }
  if (services.length > MOST_LISTED)
    output.say(dim(`  … and ${services.length - MOST_LISTED} more`))
  output.say(dim('Ctrl-C lets running calls end, then stops'))
  if (flags.json) {
    output.printJson({
      broker,
      services: services.map(({ service, methods }) => ({ service, methods })),
    })
  }
}

/** Milliseconds in which the same words again are no news. */
const SAME_NEWS_MS = 1000

/** Errors of calls that a service made: their stacks show only how the reply came. */
const PASSED_ON: ReadonlySet<string> = new Set(['RemoteError', 'RpcError'])

function logTo(output: Output): Logger {
  const { red, yellow, dim } = output.paintTalk
  const paint = { error: red, warn: yellow, info: dim, debug: dim }
  let last = { message: '', at: 0 }
  return ({ level, message, error }: LogEvent) => {
    if (level === 'debug') return
    // A broker that goes away is told once by each of its channels, all in the same words.
    const now = performance.now()
    if (message === last.message && now - last.at < SAME_NEWS_MS) return
    last = { message, at: now }
    const time = new Date().toISOString().slice(11, 23)
    output.say(`${dim(time)} ${paint[level](level)} ${harmless(message)}`)
    // An expected error is a warning and needs no stack; neither does one that came from elsewhere.
    if (level !== 'error' || !(error instanceof Error) || PASSED_ON.has(error.name)) return
    const frames = (error.stack ?? '').split('\n').slice(1)
    const own = frames.filter((frame) => !/node:internal|\/clew\/dist\//.test(frame))
    if (own.length > 0) output.say(dim(harmlessLines(own.join('\n'))))
  }
}

/** @throws Fault for a module: `--profile services.ts` would write traces into the source. */
function profileFile(file: string): string {
  if (/\.[cm]?[jt]sx?$/.test(file)) {
    throw usageFault(`${harmless(file)} looks like a module, not like a file for traces`, {
      why: 'a name behind --profile is the file that traces are written to',
      next: [`clew run ${file} --profile`, 'clew run services.ts --profile=traces.jsonl'],
    })
  }
  return file
}

function parseWorkers(text: string): number {
  const count = Number(text)
  if (!(Number.isInteger(count) && count >= 1 && count <= MOST_WORKERS)) {
    throw usageFault(`${JSON.stringify(text)} is no whole number from 1 to ${MOST_WORKERS}`)
  }
  return count
}
