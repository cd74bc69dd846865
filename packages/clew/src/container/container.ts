import {
  type Call,
  type Connection,
  type Consumer,
  compose,
  type Handler,
  type Interceptor,
  type Reply,
  RpcError,
  STARTED,
  toError,
} from '../call/index.ts'
import {
  bindArguments,
  type Entrypoint,
  type Outcome,
  type ServiceDefinition,
} from '../service/index.ts'
import { parseCallId } from './call-stack.ts'
import { Deadlines } from './deadlines.ts'
import type { Logger } from './logger.ts'
import { Slots } from './slots.ts'
import { Worker, type WorkerHost } from './worker.ts'

export interface ContainerOptions {
  readonly maxWorkers: number
  readonly prefetch: number
  readonly timeoutMs: number
  readonly config: Readonly<Record<string, unknown>>
  readonly caller: readonly Interceptor[]
  readonly callee: readonly Interceptor[]
  readonly log: Logger
}

/** Hosts one service: its dependencies, its consumer, and one worker for each call. */
export class Container implements WorkerHost {
  readonly #definition: ServiceDefinition
  readonly #options: ContainerOptions
  readonly #slots: Slots
  readonly #deadlines = new Deadlines()
  readonly #workers = new Set<Worker>()
  readonly #endings = new Set<Promise<void>>()
  readonly service: string
  readonly timeoutMs: number
  send: Handler = () => Promise.reject(new Error('the container has not started'))
  #consumer: Consumer | undefined
  #killed = false

  constructor(definition: ServiceDefinition, options: ContainerOptions) {
    this.#definition = definition
    this.#options = options
    this.#slots = new Slots(options.maxWorkers)
    this.service = definition.name
    this.timeoutMs = options.timeoutMs
  }

  /** True when its workers have proxies. */
  get makesCalls(): boolean {
    return this.#definition.dependencies.some(([, dependency]) => dependency.makesCalls)
  }

  /** Sets up and starts the dependencies, then takes calls. */
  async start(connection: Connection): Promise<void> {
    const host = { service: this.service, config: this.#options.config }
    for (const [, dependency] of this.#definition.dependencies) dependency.bind(host)
    await this.#eachDependency((dependency) => dependency.setup())
    // Another service of this process may have failed to start meanwhile.
    if (this.#killed) return
    await this.#eachDependency((dependency) => dependency.start())
    if (this.#killed) return
    this.send = compose(this.#options.caller, (call) => connection.request(call))
    const handle = compose(this.#options.callee, (call) => this.#handle(call))
    this.#consumer = await connection.serve(this.service, handle, {
      prefetch: this.#options.prefetch,
    })
  }

  /** Takes no new calls, lets the running ones end, then stops the dependencies. */
  async stop(): Promise<void> {
    await this.#consumer?.stop()
    while (this.#endings.size > 0) await Promise.all(this.#endings)
    // Killed dependencies have let go of everything already.
    if (this.#killed) return
    this.#deadlines.close()
    await this.#eachDependency((dependency) => dependency.stop())
  }

  /**
   * Aborts running workers and lets go of everything. Their calls stay unanswered, so that the broker
   * delivers them again, to another process.
   */
  async kill(): Promise<void> {
    this.#killed = true
    for (const worker of this.#workers) {
      worker.end('disconnected', `${this.service} was killed while it worked on this call.`)
    }
    this.#deadlines.close()
    await this.#eachDependency((dependency) => dependency.kill())
  }

  explainTimeout(call: Call, stack: readonly string[]): string | undefined {
    const services = stack.map((id) => parseCallId(id)?.service)
    const returnsTo = services.indexOf(call.service)
    if (returnsTo < 0) return undefined
    const chain = [...services.slice(returnsTo), call.service].join(' → ')
    const busy =
      call.service === this.service && this.#slots.full
        ? ` All ${this.#options.maxWorkers} workers of ${this.service} here were busy, so calls that return to it waited for themselves:`
        : ` Where the workers of ${call.service} are all busy, such calls wait for themselves:`
    return `The calls form a cycle (${chain}).${busy} raise maxWorkers above the cycle's depth, or break the cycle.`
  }

  async #handle(call: Call): Promise<Reply> {
    const received = performance.now()
    if (call.rejected !== undefined) return failed(call.rejected)
    const identity = { service: this.service, method: call.method, callId: call.id }
    const entrypoint = this.#definition.entrypoints.get(call.method)
    if (entrypoint === undefined) {
      return failed(new RpcError('method_not_found', call.method, identity))
    }
    const bound = bindArguments(entrypoint.name, entrypoint.parameters, entrypoint.params, call)
    if ('problem' in bound) return failed(new RpcError('bad_arguments', bound.problem, identity))
    if (!this.#slots.tryTake()) {
      await this.#slots.take()
      if (performance.now() >= received + call.timeoutMs) {
        this.#slots.free()
        return failed(new RpcError('timeout', this.#neverBegun(call), identity))
      }
      call.values.get(STARTED)?.()
    }
    // Left unanswered, as those that ran when the service was killed.
    if (this.#killed) return new Promise(() => {})
    return this.#work(call, entrypoint, bound.args, received)
  }

  #neverBegun({ method, timeoutMs }: Call): string {
    return `${this.service}.${method} was not begun: all ${this.#options.maxWorkers} workers were busy for the ${Math.round(timeoutMs)} ms its caller would wait.`
  }

  /** Runs a worker. The reply comes as soon as the method ends or the deadline passes; the hooks follow it. */
  #work(
    call: Call,
    entrypoint: Entrypoint,
    args: readonly unknown[],
    received: number,
  ): Promise<Reply> {
    return new Promise((settle) => {
      const resolve = (reply: Reply) => {
        if (!this.#killed) settle(reply)
      }
      const expired = (error: RpcError) => {
        this.#options.log({
          level: 'warn',
          message: error.rawMessage,
          service: this.service,
          method: entrypoint.name,
        })
        this.#release(worker)
        resolve(failed(error))
      }
      const worker = new Worker(this, entrypoint, call, received, expired)
      this.#workers.add(worker)
      if (worker.deadline !== Number.POSITIVE_INFINITY) this.#deadlines.watch(worker)
      const ending = this.#run(worker, args, resolve)
        // Thrown values can be odd enough to break whoever looks at them; the caller still gets an answer.
        .catch((error) => resolve(failed(toError(error))))
        .finally(() => {
          this.#release(worker)
          this.#endings.delete(ending)
        })
      this.#endings.add(ending)
    })
  }

  /** Frees the worker's place, once. */
  #release(worker: Worker): void {
    if (!this.#workers.delete(worker)) return
    this.#deadlines.forget(worker)
    this.#slots.free()
  }

  async #run(
    worker: Worker,
    args: readonly unknown[],
    resolve: (reply: Reply) => void,
  ): Promise<void> {
    let outcome: Outcome
    let expected = false
    try {
      const instance = await this.#instance(worker)
      const method = instance[worker.entrypoint.property] as (...args: unknown[]) => unknown
      outcome = { result: await method.apply(instance, args as unknown[]) }
    } catch (thrown) {
      const error = toError(thrown)
      expected = worker.entrypoint.expectedErrors.some((known) => error instanceof known)
      outcome = { error }
      this.#logFailure(worker, error, expected)
    }
    resolve(
      'error' in outcome
        ? { ...failed(outcome.error), expected }
        : { result: outcome.result, error: undefined, attachment: undefined },
    )
    if (this.#definition.dependencies.length === 0) return
    const ended = outcome
    await this.#afterwards(worker, (dependency) => dependency.workerResult(worker, ended))
    await this.#afterwards(worker, (dependency) => dependency.workerTeardown(worker))
  }

  async #instance(worker: Worker): Promise<Record<string, unknown>> {
    const instance = new this.#definition.serviceClass() as Record<string, unknown>
    const { dependencies } = this.#definition
    for (const [field, dependency] of dependencies) {
      const value = dependency.get(worker)
      instance[field] = value instanceof Promise ? await value : value
    }
    for (const [, dependency] of dependencies) {
      const setup = dependency.workerSetup(worker)
      if (setup instanceof Promise) await setup
    }
    return instance
  }

  /** Hooks behind the reply: their errors can no longer reach the caller, so they are logged. */
  async #afterwards(
    worker: Worker,
    hook: (dependency: ServiceDefinition['dependencies'][number][1]) => Promise<void> | void,
  ): Promise<void> {
    for (const [field, dependency] of this.#definition.dependencies) {
      try {
        const done = hook(dependency)
        if (done instanceof Promise) await done
      } catch (error) {
        this.#options.log({
          level: 'error',
          message: `${worker.callId}: a hook of dependency ${field} failed after the reply`,
          service: this.service,
          error,
        })
      }
    }
  }

  #logFailure(worker: Worker, error: Error, expected: boolean): void {
    this.#options.log({
      level: expected ? 'warn' : 'error',
      message: `${worker.callId} failed: ${error.name}: ${error.message}`,
      service: this.service,
      method: worker.entrypoint.name,
      callId: worker.callId,
      error,
    })
  }

  async #eachDependency(
    act: (dependency: ServiceDefinition['dependencies'][number][1]) => Promise<void> | void,
  ): Promise<void> {
    await Promise.all(this.#definition.dependencies.map(async ([, dependency]) => act(dependency)))
  }
}

function failed(error: Error): Reply {
  return { result: undefined, error, attachment: undefined }
}
