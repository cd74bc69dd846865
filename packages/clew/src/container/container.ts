import {
  type Boundary,
  type Call,
  type Connection,
  type Consumer,
  ContextValues,
  compose,
  type ErrorRegistry,
  type Handler,
  type Interceptor,
  type Logger,
  newCallId,
  type Reply,
  RpcError,
  STARTED,
  toError,
} from '../call/index.ts'
import {
  bindArguments,
  Dependency,
  type Entrypoint,
  type EntrypointMethod,
  type Extension,
  type ExtensionHost,
  type Firing,
  instanceOf,
  type Outcome,
  type ServiceDefinition,
} from '../service/index.ts'
import { Below } from './below.ts'
import { parseCallId } from './call-stack.ts'
import { Deadlines } from './deadlines.ts'
import type { Inside, WorkerWatcher } from './inside.ts'
import { down, up } from './life.ts'
import { NO_HEADERS, NO_KWARGS } from './make-call.ts'
import type { SharedExtensions } from './shared-extensions.ts'
import { Slots } from './slots.ts'
import { Tasks } from './tasks.ts'
import { tellArguments } from './tell-arguments.ts'
import { Worker, type WorkerHost } from './worker.ts'

export interface ContainerOptions {
  readonly maxWorkers: number
  readonly prefetch: number
  readonly timeoutMs: number
  readonly config: Readonly<Record<string, unknown>>
  readonly caller: readonly Interceptor[]
  readonly callee: readonly Interceptor[]
  /** Around what goes to no service. */
  readonly everyEdge: readonly Interceptor[]
  readonly boundary: Boundary | undefined
  readonly errors: ErrorRegistry
  readonly log: Logger
  readonly shared: SharedExtensions
  /** Told of an error that a background task did not catch. */
  readonly failed: (error: unknown) => void
}

/** Hosts one service: its extensions, its consumer, and one worker for each fired entrypoint. */
export class Container implements WorkerHost, ExtensionHost, Inside {
  readonly definition: ServiceDefinition
  readonly #options: ContainerOptions
  readonly #slots: Slots
  readonly #deadlines = new Deadlines()
  readonly #workers = new Set<Worker>()
  readonly #endings = new Set<Promise<void>>()
  readonly #dependencies: readonly Dependency<unknown>[]
  readonly #entrypoints: readonly Entrypoint[]
  readonly #handlers = new Map<EntrypointMethod, Handler>()
  readonly #tasks: Tasks
  readonly service: string
  readonly below: Below
  send: Handler = () => Promise.reject(new Error('the container has not started'))
  #connection: Connection | undefined
  #consumer: Consumer | undefined
  #killed = false
  #watchers: readonly WorkerWatcher[] = []

  constructor(definition: ServiceDefinition, options: ContainerOptions) {
    this.definition = definition
    this.#options = options
    this.#slots = new Slots(options.maxWorkers)
    this.#dependencies = definition.dependencies.map(([field, dependency]) => {
      dependency.attach(field)
      return dependency
    })
    this.#entrypoints = definition.fired.map((method) => {
      const entrypoint = method.make!()
      entrypoint.attach(method)
      return entrypoint
    })
    this.#tasks = new Tasks(options.failed)
    this.service = definition.name
    this.below = new Below(options.everyEdge, () => this.connection)
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.#options.config
  }

  get maxWorkers(): number {
    return this.#options.maxWorkers
  }

  get prefetch(): number {
    return this.#options.prefetch
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs
  }

  get boundary(): Boundary | undefined {
    return this.#options.boundary
  }

  get errors(): ErrorRegistry {
    return this.#options.errors
  }

  get log(): Logger {
    return this.#options.log
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error('the container has not started')
    return this.#connection
  }

  /** True when its workers have proxies. */
  get makesCalls(): boolean {
    return this.#callers.some((dependency) => dependency.makesCalls)
  }

  /** The dependencies, and those that extensions are made of. */
  get #callers(): readonly Dependency<unknown>[] {
    const all = (extension: Extension): Extension[] => [extension, ...extension.parts.flatMap(all)]
    return [...this.#dependencies, ...this.#entrypoints]
      .flatMap(all)
      .filter((extension) => extension instanceof Dependency)
  }

  mayCall(service: string): boolean {
    return this.#callers.some((dependency) => dependency.mayCall(service))
  }

  shared<E extends Extension>(Shared: new () => E): E {
    return this.#options.shared.get(Shared, (extension) => extension.bind(this))
  }

  spawn(task: (signal: AbortSignal) => Promise<void>): void {
    this.#tasks.spawn(task)
  }

  fire(method: EntrypointMethod, firing: Firing): Promise<Reply> {
    let handler = this.#handlers.get(method)
    if (handler === undefined) {
      handler = this.#handlerOf((call) => this.#handle(call, method))
      this.#handlers.set(method, handler)
    }
    return handler(this.#fired(method, firing)).catch((thrown) => {
      // No worker told of it: an interceptor threw, or what fired it is no call at all.
      const error = toError(thrown)
      const message = `${this.service}.${method.name} could not be run: ${error.message}`
      this.log({ level: 'error', message, service: this.service, method: method.name, error })
      return failed(error)
    })
  }

  watch(watcher: WorkerWatcher): () => void {
    this.#watchers = [...this.#watchers, watcher]
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== watcher)
    }
  }

  #fired(method: EntrypointMethod, firing: Firing): Call {
    return {
      service: this.service,
      method: firing.shownAs ?? method.name,
      edge: firing.edge,
      args: firing.args,
      kwargs: firing.kwargs ?? NO_KWARGS,
      id: firing.id ?? newCallId(),
      context: firing.context ?? NO_HEADERS,
      headers: firing.headers ?? NO_HEADERS,
      timeoutMs: firing.timeoutMs ?? Number.POSITIVE_INFINITY,
      signal: firing.signal,
      attempt: firing.attempt ?? 1,
      redelivered: firing.redelivered ?? false,
      attachable: false,
      rejected: undefined,
      values: firing.values ?? new ContextValues(),
      onStray: undefined,
    }
  }

  /** Sets up dependencies and entrypoints, all at once. */
  async setup(connection: Connection): Promise<void> {
    this.#connection = connection
    this.send = compose(this.#options.caller, (call) => connection.request(call))
    const extensions = [...this.#dependencies, ...this.#entrypoints]
    for (const extension of extensions) extension.bind(this)
    await up(extensions, (extension) => extension.setup())
  }

  /** Starts the dependencies, then takes calls and lets entrypoints fire. */
  async start(): Promise<void> {
    // Another service of this process may have failed to start meanwhile.
    if (this.#killed) return
    await up(this.#dependencies, (dependency) => dependency.start())
    if (this.#killed) return
    const { rpc } = this.definition
    if (rpc.size > 0) {
      const handle = this.#handlerOf((call) => this.#handle(call, rpc.get(call.method)))
      const { prefetch } = this.#options
      this.#consumer = await this.connection.serve(this.service, handle, { prefetch })
    }
    await up(this.#entrypoints, (entrypoint) => entrypoint.start())
  }

  #handlerOf(handle: Handler): Handler {
    return compose(this.#options.callee, handle)
  }

  /** Takes nothing new, lets what runs end, then stops the dependencies. */
  async stop(): Promise<void> {
    const stopping = down(this.#entrypoints, (entrypoint) => entrypoint.stop())
    await Promise.all([this.#consumer?.stop(), stopping])
    while (this.#endings.size > 0) await Promise.all(this.#endings)
    await this.#tasks.stop()
    // Killed dependencies have let go of everything already.
    if (this.#killed) return
    this.#deadlines.close()
    await down(this.#dependencies, (dependency) => dependency.stop())
  }

  /**
   * Aborts running workers and lets go of everything. Their calls stay unanswered, so that the broker
   * delivers them again, to another process.
   */
  async kill(): Promise<void> {
    this.#killed = true
    for (const worker of this.#workers) {
      const { service, method } = worker.call
      worker.end('disconnected', `${service} was killed while it worked on ${method}.`)
    }
    this.#deadlines.close()
    this.#tasks.abort()
    const extensions = [...this.#entrypoints, ...this.#dependencies]
    await down(extensions, (extension) => extension.kill())
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

  async #handle(call: Call, entrypoint: EntrypointMethod | undefined): Promise<Reply> {
    const received = performance.now()
    if (call.rejected !== undefined) return failed(call.rejected)
    const identity = { service: this.service, method: call.method, callId: call.id }
    if (entrypoint === undefined) {
      return failed(new RpcError('method_not_found', call.method, identity))
    }
    const bound = bindArguments(entrypoint.name, entrypoint.parameters, entrypoint.params, call)
    if ('problem' in bound) return failed(new RpcError('bad_arguments', bound.problem, identity))
    if (!this.#slots.tryTake()) {
      const problem = await this.#waitInLine(call, received + call.timeoutMs)
      if (problem !== undefined) return failed(problem)
      call.values.get(STARTED)?.()
    }
    // Left unanswered, as those that ran when the service was killed.
    if (this.#killed) return new Promise(() => {})
    return this.#work(call, entrypoint, bound.args, received)
  }

  /** Waits until there is a place for a worker; otherwise says why the call is not begun. */
  async #waitInLine(call: Call, deadline: number): Promise<RpcError | undefined> {
    const line = this.#slots.wait()
    let problem: RpcError | undefined
    const notBegun = (code: 'cancelled' | 'timeout', reason: string) => {
      const identity = { service: this.service, method: call.method, callId: call.id }
      const message = `${this.service}.${call.method} was not begun: ${reason}.`
      problem = new RpcError(code, message, identity)
    }
    const late = () => {
      const waited = `for the ${Math.round(call.timeoutMs)} ms its caller would wait`
      notBegun('timeout', `all ${this.#options.maxWorkers} workers were busy ${waited}`)
    }
    const gone = () => {
      if (line.leave()) notBegun('cancelled', 'its caller went away')
    }
    const expiring = { deadline, expire: () => line.leave() && late() }
    if (deadline !== Number.POSITIVE_INFINITY) this.#deadlines.watch(expiring)
    call.signal?.addEventListener('abort', gone, { once: true })
    if (call.signal?.aborted) gone()
    await line.over
    this.#deadlines.forget(expiring)
    call.signal?.removeEventListener('abort', gone)
    if (problem === undefined && performance.now() >= deadline) {
      this.#slots.free()
      late()
    }
    return problem
  }

  /** Runs a worker. The reply comes as soon as the method ends or the deadline passes; the hooks follow it. */
  #work(
    call: Call,
    entrypoint: EntrypointMethod,
    args: readonly unknown[],
    received: number,
  ): Promise<Reply> {
    return new Promise((settle) => {
      let streams = false
      const resolve = (reply: Reply) => {
        streams = reply.result instanceof Response && reply.result.body !== null
        if (!this.#killed) settle(reply)
      }
      const expired = (error: RpcError) => {
        // The method has ended already: what it streams is told by its signal, and nobody else.
        if (!this.#workers.has(worker)) return
        this.#options.log({
          // Clients leave all the time.
          level: error.code === 'cancelled' ? 'info' : 'warn',
          message: error.rawMessage,
          service: this.service,
          method: entrypoint.name,
        })
        // Clients that come and go at once must not have more work done than there are workers.
        if (error.code !== 'cancelled') this.#release(worker)
        resolve(failed(error))
      }
      const worker = new Worker(this, entrypoint, call, received, expired)
      this.#workers.add(worker)
      tellArguments(call, entrypoint, args)
      for (const watcher of this.#watchers) watcher.began?.(worker)
      const unfollow = call.signal === undefined ? undefined : worker.follow(call.signal)
      if (worker.deadline !== Number.POSITIVE_INFINITY) this.#deadlines.watch(worker)
      const ending = this.#run(worker, args, resolve)
        // Thrown values can be odd enough to break whoever looks at them; the caller still gets an answer.
        .catch((error) => resolve(failed(toError(error))))
        .finally(() => {
          // A response is read after its method has ended, perhaps from what follows the worker's signal.
          if (!streams) unfollow?.()
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
    if (this.definition.dependencies.length > 0) {
      const ended = outcome
      await this.#afterwards(worker, (dependency) => dependency.workerResult(worker, ended))
      await this.#afterwards(worker, (dependency) => dependency.workerTeardown(worker))
    }
    for (const watcher of this.#watchers) watcher.ended?.(worker, outcome)
  }

  async #instance(worker: Worker): Promise<Record<string, unknown>> {
    const instance = instanceOf(this.definition.serviceClass) as Record<string, unknown>
    const { dependencies } = this.definition
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
    hook: (dependency: Dependency<unknown>) => Promise<void> | void,
  ): Promise<void> {
    for (const [field, dependency] of this.definition.dependencies) {
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
    const failure = `${worker.callId} failed: ${error.name}: ${error.message}`
    // What breaks when a client leaves is no fault of the service's.
    const left = worker.wasCancelled
    this.#options.log({
      level: left ? 'info' : expected ? 'warn' : 'error',
      message: left ? `${failure} (its caller went away)` : failure,
      service: this.service,
      method: worker.entrypoint.name,
      callId: worker.callId,
      error,
    })
  }
}

function failed(error: Error): Reply {
  return { result: undefined, error, attachment: undefined }
}
