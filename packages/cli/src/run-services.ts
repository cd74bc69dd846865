import { closeSync, openSync } from 'node:fs'
import type { Delivery, EntrypointDescription, Logger, Running, RunOptions, Use } from 'clew'
import type { Config, ConfiguredOptions, LogFormat } from 'clew/config'
import type { Sink } from 'clew/profile'
import type { Backdoor } from './backdoor-server.ts'
import { configuredBroker } from './broker-address.ts'
import type { ClewContext } from './command.ts'
import { type ConfigFlags, readConfiguration } from './configuration.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { fileFault } from './fault.ts'
import { harmless } from './harmless.ts'
import type { Output } from './output.ts'
import { type AccessFlags, accessOptions } from './run-access.ts'
import { jsonLog, textLog } from './run-log.ts'
import { collectorOf, sinkTo } from './run-sink.ts'
import { type FoundService, type LoadedServices, loadServices } from './service-file.ts'

export interface RunFlags extends ConfigFlags, AccessFlags {
  readonly broker: string | undefined
  /** Empty: profiled, traces go home to whoever calls. Else the file that keeps those that begin here. */
  readonly profile: string | undefined
  /** Address of a collector, or `broker`. */
  readonly collector: string | undefined
  readonly maxWorkers: number | undefined
  readonly delivery: Delivery | undefined
  readonly timeout: number | undefined
  readonly watch: boolean
  readonly backdoor: number | undefined
  readonly log: LogFormat | undefined
  readonly json: boolean
}

/** Services listed one by one when they start. */
const MOST_LISTED = 20

/** Loads and runs services until they have stopped. */
export async function runServices(
  context: ClewContext,
  flags: RunFlags,
  targets: readonly string[],
): Promise<ExitCode> {
  const { output } = context
  const config = await readConfiguration(context, flags, flags.broker)
  const loaded = await loadServices(targets)
  const options = await optionsOf(context, flags, { config, loaded })
  const { run } = await import('clew')
  const { callFault } = await import('./call-fault.ts')
  const running = await run(
    loaded.services.map(({ serviceClass }) => serviceClass),
    options,
  ).catch((error: unknown) => {
    throw callFault(error)
  })
  const door = await backdoor(context, flags.backdoor, { running, loaded, config })
  announce({ output, flags, options, door }, loaded)
  await running.stopped
  await door?.close()
  if (options.format === 'json') options.log({ level: 'info', message: 'stopped' })
  else output.say('stopped')
  // A background task that failed has set it: whoever watches over us must know.
  return process.exitCode === undefined || process.exitCode === 0 ? EXIT.ok : EXIT.failed
}

interface Inside {
  readonly running: Running
  readonly loaded: LoadedServices
  readonly config: Config
}

/** @throws Fault when the port is taken; the services are stopped then */
async function backdoor(
  { env }: ClewContext,
  port: number | undefined,
  { running, loaded, config }: Inside,
): Promise<Backdoor | undefined> {
  if (port === undefined) return undefined
  const { openBackdoor } = await import('./backdoor-server.ts')
  const { entrypointHook } = await import('clew/testing')
  const bindings = {
    running,
    services: Object.fromEntries(
      loaded.services.map(({ service, entrypoints }) => [service, entrypoints.map(wayIn)]),
    ),
    config: config.values,
    fire: (service: string, method: string, ...args: readonly unknown[]) =>
      entrypointHook(running, service, method)(...args),
  }
  try {
    return await openBackdoor(port, bindings, env)
  } catch (error) {
    await running.stop()
    throw error
  }
}

interface Options extends RunOptions {
  readonly maxWorkers: number
  readonly log: Logger
  readonly format: LogFormat
  /** Where traces are sent. */
  readonly collector: string | undefined
}

/** What the configuration says, and over it the flags. */
async function optionsOf(
  { output, env }: ClewContext,
  flags: RunFlags,
  { config, loaded }: Omit<Inside, 'running'>,
): Promise<Options> {
  const { DEFAULT_MAX_WORKERS } = await import('clew')
  const { logSettings, runOptions } = await import('clew/config')
  const broker = await configuredBroker(config)
  const configured: ConfiguredOptions = runOptions(config)
  const { level = 'info', format: usual = 'text' } = logSettings(config.values)
  const format = flags.log ?? usual
  const delivery = flags.delivery ?? configured.delivery
  const timeoutMs = flags.timeout ?? configured.timeoutMs
  const log = format === 'json' ? await jsonLog(output, level) : await textLog(output, level)
  const collector = await collectorOf(flags.collector, config)
  const names = loaded.services.map(({ service }) => service)
  const onProblem = (message: string) => log({ level: 'warn', message })
  const sink = collector && (await sinkTo(collector, env, { names, onProblem }))
  return {
    ...configured,
    broker,
    maxWorkers: flags.maxWorkers ?? configured.maxWorkers ?? DEFAULT_MAX_WORKERS,
    log,
    use: await profiler(flags, sink),
    collector: collector?.to,
    ...(delivery && { delivery }),
    ...(timeoutMs && { timeoutMs }),
    format,
  }
}

/** @param sink to a collector; where traces are kept in a file too, there are two that profile */
async function profiler(flags: RunFlags, sink: Sink | undefined): Promise<readonly Use[]> {
  const file = flags.profile ?? (sink && '')
  const access = await accessOptions({ ...flags, profile: file })
  if (file === undefined) return []
  const { fileSink, profile } = await import('clew/profile')
  const sending = profile({ ...access, ...(sink && { sink }) })
  if (file === '') return [sending]
  try {
    closeSync(openSync(file, 'a'))
  } catch (error) {
    throw fileFault('write', file, error)
  }
  return sink === undefined
    ? [profile({ ...access, sink: fileSink(file) })]
    : [sending, profile({ sink: fileSink(file) })]
}

interface Announced {
  readonly output: Output
  readonly flags: RunFlags
  readonly options: Options
  readonly door: Backdoor | undefined
}

function announce(about: Announced, { services, passedOver }: LoadedServices): void {
  const { output, flags, options, door } = about
  const told = services.map(({ service, entrypoints }) => ({
    service,
    methods: entrypoints.filter(({ kind }) => kind === 'rpc').map(({ name }) => name),
    entrypoints,
  }))
  if (options.format === 'json') {
    for (const reason of passedOver)
      options.log({ level: 'warn', message: `passed over: ${reason}` })
    const names = services.map(({ service }) => service).join(', ')
    options.log({ level: 'info', message: `running ${names} on ${options.broker.name}` })
    if (door !== undefined) options.log({ level: 'info', message: doorSaid(door) })
  } else {
    announceToPeople(about, services, passedOver)
  }
  if (flags.json) {
    const { name } = options.broker
    output.printJson({ broker: name, services: told, ...(door && { backdoor: door.port }) })
  }
}

function announceToPeople(
  { output, flags, options, door }: Announced,
  services: readonly FoundService[],
  passedOver: readonly string[],
): void {
  const { bold, dim, green, yellow } = output.paintTalk
  const where = harmless(options.broker.name)
  for (const reason of passedOver) output.say(`${yellow('passed over:')} ${harmless(reason)}`)
  output.say(
    `${green('running')} ${services.length} service${services.length === 1 ? '' : 's'} on ${bold(where)}, ${options.maxWorkers} calls each at a time${profiled(flags.profile, options.collector)}`,
  )
  const listed = services.slice(0, MOST_LISTED)
  const column = Math.max(...listed.map(({ service }) => service.length))
  for (const { service, entrypoints } of listed) {
    const ways = entrypoints.map(wayIn)
    output.say(`  ${bold(harmless(service).padEnd(column))}  ${ways.map(harmless).join(', ')}`)
  }
  if (services.length > MOST_LISTED)
    output.say(dim(`  … and ${services.length - MOST_LISTED} more`))
  if (door !== undefined) output.say(doorSaid(door))
  output.say(dim('Ctrl-C lets running calls end, then stops'))
}

function doorSaid({ port, tokenFile }: Backdoor): string {
  return `clew backdoor ${port} looks into this process; its token is in ${harmless(tokenFile)}`
}

function wayIn({ kind, name }: EntrypointDescription): string {
  return kind === 'rpc' ? name : `${kind}:${name}`
}

function profiled(file: string | undefined, collector: string | undefined): string {
  const into = file === undefined || file === '' ? [] : [`into ${harmless(file)}`]
  const to = collector === undefined ? [] : [`to ${harmless(collectorSaid(collector))}`]
  if (file === undefined && collector === undefined) return ''
  return [', profiled', [...into, ...to].join(' and ')].join(' ').trimEnd()
}

const collectorSaid = (to: string) =>
  to === 'broker' ? 'collectors on the broker' : `the collector at ${to}`
