import {
  type Broker,
  ConfigError,
  type Connection,
  type Delivery,
  type ErrorClasses,
  ErrorRegistry,
  type Logger,
  type Plugin,
  toPlugin,
  type Use,
  type WireOptions,
  wireOptionsOf,
} from '../call/index.ts'
import { defineService, type Extension, type ServiceClass } from '../service/index.ts'
import { Container } from './container.ts'
import { INSIDE, type Inside } from './inside.ts'
import { guarded, stderrLogger } from './logger.ts'
import { checkTimeout, DEFAULT_TIMEOUT_MS } from './make-call.ts'
import type { Running } from './running.ts'
import { SharedExtensions } from './shared-extensions.ts'
import { onSignals } from './signals.ts'
import { stopInOrder } from './stop-order.ts'
import { stopPlugins } from './stop-plugins.ts'

/**
 * Calls that a service works on at a time where nobody says otherwise. Nameko has 10; here workers wait
 * together on one thread, and a broker that may hand over only ten requests waits for each ten replies.
 */
export const DEFAULT_MAX_WORKERS = 100

export interface RunOptions extends WireOptions {
  readonly broker: Broker
  /** Interceptors and plugins around every call, the first one outermost. @default [] */
  readonly use?: readonly Use[]
  /** Calls that one service works on at a time. @default 100 */
  readonly maxWorkers?: number
  /** Calls that the broker may hand to one service before they are answered. @default maxWorkers */
  readonly prefetch?: number
  /** Milliseconds that calls made by workers wait for a reply. @default 30000; `Infinity` waits for ever */
  readonly timeoutMs?: number
  /** @default 'nameko' */
  readonly delivery?: Delivery
  /** Local classes for errors on the wire. @default none */
  readonly errors?: ErrorClasses
  /** What dependencies may read as `host.config`. @default {} */
  readonly config?: Readonly<Record<string, unknown>>
  /** @default warnings and errors to stderr */
  readonly log?: Logger
  /**
   * Milliseconds that `stop` lets running calls go on before it kills them.
   * @default 30000; `Infinity` never kills
   */
  readonly drainTimeoutMs?: number
  /**
   * Stop on SIGTERM and SIGINT, letting running calls end; a second signal kills. When a background
   * task fails, the process's exit code becomes 1.
   * @default true
   */
  readonly signals?: boolean
}

/**
 * Runs services in this process over one connection, until stopped.
 * @throws ConfigError when a class or an option is wrong; RpcError `disconnected` when the broker
 *   cannot be reached; whatever a dependency's `setup` or `start` throws
 */
export async function run(
  services: ServiceClass | readonly ServiceClass[],
  options: RunOptions,
): Promise<Running> {
  const classes = typeof services === 'function' ? [services] : services
  checkOptions(classes, options)
  const plugins = (options.use ?? []).map(toPlugin)
  const log = guarded(options.log ?? stderrLogger)
  const shared = new SharedExtensions()
  const ownsProcess = options.signals ?? true
  let running: Services | undefined
  const failed = (error: unknown) => {
    if (ownsProcess) process.exitCode = 1
    log({ level: 'error', message: 'a background task failed, which ends its services', error })
    void running?.kill()
  }
  const containers = classes.map((service) =>
    containerOf(service, options, { plugins, log, shared, failed }),
  )
  refuseDuplicates(containers)
  const connection = await options.broker.connect({
    ...wireOptionsOf(options),
    owner: containers[0]!.service,
    delivery: options.delivery,
    errors: options.errors,
    attachments: plugins.some((plugin) => plugin.attachments === true),
    repliesAtOnce: containers.some((container) => container.makesCalls),
    onProblem: ({ message, error }) => log({ level: 'warn', message, error }),
  })
  running = new Services({ containers, shared, plugins, connection, log }, options.drainTimeoutMs)
  // Before anything fires: what starts early may be told to stop early.
  if (ownsProcess) onSignals(running, log)
  await running.start()
  return running
}

const LONGEST_TIMER_MS = 0x7fffffff

/** How long extensions may take to let go of what they hold, once they are killed. */
const KILL_TIMEOUT_MS = 2000

interface Parts {
  readonly containers: readonly Container[]
  readonly shared: SharedExtensions
  readonly plugins: readonly Plugin[]
  readonly connection: Connection
  readonly log: Logger
}

class Services implements Running {
  readonly #containers: readonly Container[]
  readonly #shared: SharedExtensions
  readonly #plugins: readonly Plugin[]
  readonly #connection: Connection
  readonly #log: Logger
  readonly #drainTimeoutMs: number
  readonly #done = Promise.withResolvers<void>()
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #killing: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(
    { containers, shared, plugins, connection, log }: Parts,
    drainTimeoutMs: number = 30_000,
  ) {
    this.#containers = containers
    this.#shared = shared
    this.#plugins = plugins
    this.#connection = connection
    this.#log = log
    this.#drainTimeoutMs = drainTimeoutMs
  }

  get stopped(): Promise<void> {
    return this.#done.promise
  }

  get [INSIDE](): ReadonlyMap<string, Inside> {
    return new Map(this.#containers.map((container) => [container.service, container]))
  }

  shared<E extends Extension>(Shared: new () => E): E {
    const extension = this.#shared.find(Shared)
    if (extension === undefined) throw new Error(`no service asked for a shared ${Shared.name}`)
    return extension
  }

  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    try {
      for (const plugin of this.#plugins) {
        await plugin.start?.({
          mailbox: this.#connection.mailbox,
          collectQueue: this.#connection.collectQueue,
          onProblem: ({ message, error }) => this.#log({ level: 'warn', message, error }),
        })
      }
      const containers = this.#containers
      await Promise.all(containers.map((container) => container.setup(this.#connection)))
      await this.#shared.setup()
      await Promise.all(containers.map((container) => container.start()))
      if (this.#killing === undefined) await this.#shared.start()
    } catch (error) {
      // Why it could not start matters more than what its end brings.
      await this.kill().catch((late) =>
        this.#log({ level: 'error', message: 'closing what had started failed', error: late }),
      )
      throw error
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#killing ?? this.#stop()
    return this.#stopping
  }

  kill(): Promise<void> {
    this.#killing ??= this.#kill()
    return this.#killing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(): Promise<void> {
    const late = Promise.withResolvers<'late'>()
    const timer =
      this.#drainTimeoutMs <= LONGEST_TIMER_MS
        ? setTimeout(() => late.resolve('late'), this.#drainTimeoutMs)
        : undefined
    const drained = this.#drain()
    const ended = await Promise.race([drained, late.promise, this.stopped])
    clearTimeout(timer)
    if (ended === 'late') {
      this.#log({
        level: 'warn',
        message: `calls were still running after ${this.#drainTimeoutMs} ms; killing them`,
      })
      return this.kill()
    }
    await this.#close()
    const failed = ended?.find((container) => container.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** What is still starting cannot be stopped: it is waited for, as long as for running calls. */
  async #drain(): Promise<readonly PromiseSettledResult<void>[]> {
    await this.#starting?.catch(() => {})
    const outcomes = await stopInOrder(this.#containers, (container) => container.stop())
    // Those that were killed have let go of everything already.
    if (this.#killing !== undefined) return outcomes
    return [...outcomes, ...(await Promise.allSettled([this.#shared.stop()]))]
  }

  async #kill(): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      const message = `extensions still hold something ${KILL_TIMEOUT_MS} ms after they were killed; going on without them`
      this.#log({ level: 'warn', message })
      late.resolve()
    }, KILL_TIMEOUT_MS)
    await Promise.race([this.#killAll(), late.promise])
    clearTimeout(timer)
    await this.#close()
  }

  async #killAll(): Promise<void> {
    await Promise.allSettled(this.#containers.map((container) => container.kill()))
    await this.#shared.kill().catch(() => {})
  }

  #close(): Promise<void> {
    this.#closing ??= stopPlugins(this.#plugins, this.#connection).finally(this.#done.resolve)
    return this.#closing
  }
}

function containerOf(
  serviceClass: ServiceClass,
  options: RunOptions,
  parts: Pick<Parts, 'plugins' | 'log' | 'shared'> & { readonly failed: (error: unknown) => void },
): Container {
  const { plugins, log, shared, failed } = parts
  const maxWorkers = options.maxWorkers ?? DEFAULT_MAX_WORKERS
  return new Container(defineService(serviceClass), {
    maxWorkers,
    prefetch: options.prefetch ?? maxWorkers,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    config: options.config ?? {},
    caller: plugins.flatMap((plugin) => plugin.caller ?? []),
    callee: plugins.flatMap((plugin) => plugin.callee ?? []),
    everyEdge: plugins.flatMap(({ everyEdge, caller }) => (everyEdge && caller ? caller : [])),
    boundary: plugins.find(({ boundary }) => boundary !== undefined)?.boundary,
    errors: new ErrorRegistry(options.errors),
    log,
    shared,
    failed,
  })
}

function checkOptions(services: readonly ServiceClass[], options: RunOptions): void {
  if (!Array.isArray(services)) {
    throw new ConfigError(`run takes a service class or a list of them; got ${typeof services}.`)
  }
  if (services.length === 0) throw new ConfigError('run needs at least one service class.')
  if (typeof options?.broker?.connect !== 'function') {
    throw new ConfigError('run needs a broker, such as memory() or rabbitmq(url).')
  }
  for (const name of ['maxWorkers', 'prefetch'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= 65_535)) {
      throw new ConfigError(`${name} must be a whole number from 1 to 65535; got ${value}.`)
    }
  }
  checkTimeout(options.timeoutMs)
  const { drainTimeoutMs } = options
  if (drainTimeoutMs !== undefined && !(drainTimeoutMs >= 0)) {
    throw new ConfigError(`drainTimeoutMs must be 0 or more milliseconds; got ${drainTimeoutMs}.`)
  }
}

function refuseDuplicates(containers: readonly Container[]): void {
  const names = new Set<string>()
  for (const { service } of containers) {
    if (names.has(service)) {
      throw new ConfigError(
        `Two of the classes are named ${service}; each needs a name of its own.`,
      )
    }
    names.add(service)
  }
}
