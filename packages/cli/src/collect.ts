import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Collector, ServeOptions, Serving, TokenGate, TraceStore } from '@clew/collector'
import { BROKER_VARIABLE, openBroker } from './broker-address.ts'
import { callFault } from './call-fault.ts'
import { CLICKHOUSE_PASSWORD } from './clickhouse-password.ts'
import type { ClewContext } from './command.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { Fault, fileFault, usageFault } from './fault.ts'
import { harmless } from './harmless.ts'
import { loadCollector } from './load-collector.ts'
import { storeNews } from './store-news.ts'

export interface CollectFlags {
  readonly store: string
  readonly host: string
  readonly port: number
  readonly broker: string | undefined
  readonly clickhouse: string | undefined
  readonly cluster: string | undefined
  readonly printSchema: boolean
  readonly memory: boolean
  /** Milliseconds. */
  readonly keep: number | undefined
  /** Bytes. */
  readonly maxSize: number | undefined
  readonly tokens: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly behindTlsProxy: boolean
  readonly json: boolean
}

type Package = typeof import('@clew/collector')

/** How often what is too old, or too much, is looked for. */
const EXPIRY_EVERY_MS = 60_000
/** How often what other collectors of the same ClickHouse left is looked for. */
const RECOVER_EVERY_MS = 60_000
/** How often what is wrong with the store is looked for. */
const LOOK_EVERY_MS = 2_000
/** Problems of one kind are told at most so often. */
const SAME_EVERY_MS = 10_000

/** `clew collect`: runs a collector until it is told to stop. */
export async function collect(context: ClewContext, flags: CollectFlags): Promise<ExitCode> {
  const { output } = context
  checkFlags(flags)
  const library = await loadCollector()
  if (flags.printSchema) {
    output.print(schemaText(library, flags))
    return EXIT.ok
  }
  const tls = await readTls(flags)
  const address = await reachable(library, flags)
  const tell = teller(context)
  const store = await openStore(library, flags, context.env)
  const audit = flags.memory ? undefined : new library.AuditLog(join(flags.store, 'audit'))
  const gate = await openGate(library, flags, audit, store)
  const recoverEveryMs = flags.clickhouse === undefined ? undefined : RECOVER_EVERY_MS
  const collector = library.createCollector({ store, gate, audit, recoverEveryMs, onProblem: tell })
  let serving: Serving | undefined
  try {
    serving = await served(library, collector, { ...flags, address, tls })
    await collector.start()
    const broker = await consumed(context, collector, flags)
    // Before it is announced: who waits for that line may send a signal at once.
    const undo = onHangUp(gate, tell)
    const stop = interrupted()
    announce(context, flags, serving.url, broker)
    const retention = new library.Retention({ store, keepMs: flags.keep, maxBytes: flags.maxSize })
    const expiry = setInterval(() => {
      retention.run().catch((error: unknown) => tell(error, 'expiry'))
    }, EXPIRY_EVERY_MS)
    const status = flags.json ? undefined : watched(context, collector)
    const news = toldOf(context, store)
    await stop
    undo()
    clearInterval(news)
    clearInterval(status)
    clearInterval(expiry)
    output.sayOver('')
    output.say('stopping: what has come is made durable')
    return EXIT.ok
  } finally {
    await serving?.close()
    await collector.close()
  }
}

function checkFlags({
  tlsCert,
  tlsKey,
  clickhouse,
  cluster,
  memory,
  printSchema,
}: CollectFlags): void {
  if (memory && clickhouse !== undefined) {
    throw usageFault('--memory and --clickhouse are two places: choose one')
  }
  if (cluster !== undefined && clickhouse === undefined && !printSchema) {
    throw usageFault('--cluster is one of ClickHouse: name one of its servers by --clickhouse URL')
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw usageFault('TLS takes both --tls-cert and --tls-key')
  }
}

async function readTls({ tlsCert, tlsKey }: CollectFlags) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  const read = (path: string) =>
    readFile(path, 'utf8').catch((error: unknown) => {
      throw fileFault('read', path, error)
    })
  return { cert: await read(tlsCert), key: await read(tlsKey) }
}

/** Where it will listen, if it may: asked before anything is made. */
async function reachable(library: Package, flags: CollectFlags): Promise<string> {
  const { host, tlsCert, tokens, behindTlsProxy: behindProxy } = flags
  const wish = { host, tls: tlsCert !== undefined, tokens: tokens !== undefined, behindProxy }
  try {
    return (await library.checkExposure(wish)).address
  } catch (error) {
    throw error instanceof library.ExposureError
      ? usageFault(error.message, { cause: error })
      : error
  }
}

async function openGate(
  library: Package,
  { tokens }: CollectFlags,
  audit: InstanceType<Package['AuditLog']> | undefined,
  store: TraceStore,
): Promise<TokenGate | undefined> {
  if (tokens === undefined) return undefined
  try {
    return await library.tokenGate(tokens, { audit })
  } catch (error) {
    await store.close()
    throw new Fault(`the tokens in ${harmless(tokens)} cannot be read`, {
      ...{ exit: EXIT.failed, code: 'bad_token_file', cause: error },
      why: harmless((error as Error).message),
      next: ['clew token collector create --role admin --name me'],
    })
  }
}

async function openStore(
  library: Package,
  flags: CollectFlags,
  env: ClewContext['env'],
): Promise<TraceStore> {
  if (flags.memory) return library.memoryStore()
  if (flags.clickhouse !== undefined) return await openClickHouse(library, flags, env)
  try {
    return await library.embeddedStore(flags.store)
  } catch (error) {
    if (!(error instanceof library.StoreError)) throw error
    const next =
      error.code === 'locked'
        ? ['stop the other collector, or take another folder: clew collect --store DIR --port 0']
        : error.code === 'full'
          ? ['make room on the disk, or take another folder: clew collect --store DIR']
          : []
    throw new Fault(`the store in ${harmless(flags.store)} cannot be opened`, {
      ...{ exit: EXIT.failed, code: `store_${error.code}`, next, cause: error },
      why: harmless(error.message),
    })
  }
}

function schemaText({ storeSchema, StoreError }: Package, { cluster }: CollectFlags): string {
  try {
    return storeSchema(cluster)
  } catch (error) {
    throw error instanceof StoreError ? usageFault(error.message, { cause: error }) : error
  }
}

async function openClickHouse(
  library: Package,
  { clickhouse: url = '', cluster }: CollectFlags,
  env: ClewContext['env'],
): Promise<TraceStore> {
  try {
    return await library.clickhouseStore({ url, cluster, password: env[CLICKHOUSE_PASSWORD] })
  } catch (error) {
    if (!(error instanceof library.StoreError)) throw error
    throw new Fault('ClickHouse cannot be used', {
      ...{ exit: EXIT.failed, code: `store_${error.code}`, cause: error },
      why: harmless(error.message),
      next: [
        `check the address, and the password in $${CLICKHOUSE_PASSWORD}`,
        'docs/scaling.md has what ClickHouse needs',
      ],
    })
  }
}

interface ServedFlags extends CollectFlags {
  /** Where `host` is. */
  readonly address: string
  readonly tls: ServeOptions['tls']
}

async function served(
  library: Package,
  collector: Collector,
  { host, port, behindTlsProxy: behindProxy, address, tls }: ServedFlags,
): Promise<Serving> {
  try {
    return await library.serve(collector, { host: address, port, tls, behindProxy })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new Fault(`port ${port} of ${harmless(host)} is taken`, {
        ...{ exit: EXIT.failed, code: 'port_taken', cause: error },
        why: 'another collector runs there, or another program',
        next: [`clew doctor --collector http://127.0.0.1:${port}`, 'clew collect --port 0'],
      })
    }
    throw new Fault(`the collector cannot listen on ${harmless(host)}:${port}`, {
      ...{ exit: EXIT.failed, code: 'cannot_listen', why: harmless(message), cause: error },
    })
  }
}

/** @returns where the broker is, when one was named */
async function consumed(
  { env }: ClewContext,
  collector: Collector,
  flags: CollectFlags,
): Promise<string | undefined> {
  const address = flags.broker ?? env[BROKER_VARIABLE]
  if (address === undefined) return undefined
  try {
    await collector.consume(await openBroker(address, env))
  } catch (error) {
    throw callFault(error)
  }
  return address
}

function announce(
  { output }: ClewContext,
  flags: CollectFlags,
  url: string,
  broker: string | undefined,
): void {
  const place = placeOf(flags)
  if (flags.json) {
    output.printJson({ url, store: flags.memory ? null : place, broker: broker !== undefined })
    return
  }
  const lines = [
    `collector at ${url}, keeping everything in ${place}`,
    ...(broker === undefined
      ? [`  send     profile({ sink: httpSink({ url: '${url}' }) })   or OTLP to ${url}/v1/traces`]
      : ['  send     profile({ sink: brokerSink() })   over the broker services have already']),
    `  ask      clew find --collector ${url}     clew top --collector ${url}`,
    `  is it well?   clew doctor --collector ${url}`,
  ]
  for (const line of lines) output.say(line)
}

/** On a terminal, one line that tells what comes. */
function watched({ output }: ClewContext, collector: Collector): NodeJS.Timeout | undefined {
  if (!output.live) return undefined
  const many = (count: number) => Math.round(count).toLocaleString('en-US')
  let before = 0
  return setInterval(() => {
    const { stored, rejected, pending } = collector.counts
    const refused = rejected === 0 ? '' : `, ${many(rejected)} rejected`
    output.sayOver(
      `${many(stored - before)} calls a second; ${many(stored)} kept${refused}, ${many(pending)} wait to be found`,
    )
    before = stored
  }, 1_000)
}

/** In the log is what is wrong with the store, and when it is well again. */
function toldOf({ output }: ClewContext, store: TraceStore): NodeJS.Timeout {
  let before: ReturnType<TraceStore['health']> | undefined
  const look = () => {
    const now = store.health()
    for (const one of storeNews(before, now)) {
      output.sayOver('')
      output.say(harmless(`store: ${one}`))
    }
    before = now
  }
  look()
  return setInterval(look, LOOK_EVERY_MS)
}

function placeOf({ memory, clickhouse, store }: CollectFlags): string {
  if (memory) return 'memory, until it ends'
  // Without what may be a password.
  return clickhouse === undefined ? store : `ClickHouse at ${new URL(clickhouse).host}`
}

/** Tells of problems, those of one kind now and then with how many there were. */
function teller({ output }: ClewContext): (error: unknown, where: string) => void {
  const told = new Map<string, { atMs: number; since: number }>()
  return (error, where) => {
    const message =
      error instanceof Error
        ? error.message
        : String((error as { message?: unknown })?.message ?? error)
    const key = `${where} ${message.slice(0, 60)}`
    const now = performance.now()
    const before = told.get(key)
    if (before !== undefined && now - before.atMs < SAME_EVERY_MS) {
      before.since++
      return
    }
    if (told.size > 200) told.clear()
    told.set(key, { atMs: now, since: 0 })
    const more =
      before === undefined || before.since === 0 ? '' : ` (and ${before.since} times before)`
    output.sayOver('')
    output.say(harmless(`${where}: ${message.slice(0, 400)}${more}`))
  }
}

/** SIGHUP, which ends programs that do not listen, has the tokens read again. */
function onHangUp(
  gate: TokenGate | undefined,
  tell: (error: unknown, where: string) => void,
): () => void {
  const reload = () => void gate?.reload().catch((error: unknown) => tell(error, 'tokens'))
  process.on('SIGHUP', reload)
  return () => process.off('SIGHUP', reload)
}

async function interrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}
