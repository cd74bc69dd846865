import {
  type Boundary,
  type Call,
  type Connection,
  type Consumer,
  ContextValues,
  compose,
  Deadlines,
  type ErrorRegistry,
  type Handler,
  type Interceptor,
  type Logger,
  newCallId,
  type Reply,
  RpcError,
  type RpcErrorCode,
  telling,
  toError,
  UnderWay,
  WORK_OBSERVER,
} from '../call/index.ts'
import {
  bindArguments,
  Dependency,
  type Entrypoint,
  type EntrypointMethod,
  type Extension,
  type ExtensionHost,
  type Firing,
  type Outcome,
  type ServiceDefinition,
} from '../service/index.ts'
import { Below } from './below.ts'
import { parseCallId } from './call-stack.ts'
import type { Inside, WorkerWatcher } from './inside.ts'
import { down, up } from './life.ts'
import { NO_HEADERS, NO_KWARGS } from './make-call.ts'
import { newInstance } from './new-instance.ts'
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
  readonly #deadlines = new Deadlines(false)
  readonly #workers = new UnderWay<Worker>()
  /** Workers whose method or hooks are not over. */
  #running = 0
  #idle: (() => void) | undefined
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
      observer: undefined,
    }
  }

  /** Sets up dependencies and entrypoints, all at once. */
  async setup(connection: Connection): Promise<void> {
    this.#connection = connection
    this.send = compose(
      this.#options.caller,
      telling((call) => connection.request(call)),
    )
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
    return compose(this.#options.callee, telling(handle))
  }

  /** Takes nothing new, lets what runs end, then stops the dependencies. */
  async stop(): Promise<void> {
    const stopping = down(this.#entrypoints, (entrypoint) => entrypoint.stop())
    await Promise.all([this.#consumer?.stop(), stopping])
    while (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
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

  #handle(call: Call, entrypoint: EntrypointMethod | undefined): Promise<Reply> {
    const received = performance.now()
    if (call.rejected !== undefined) return answered(call, failed(call.rejected))
    if (entrypoint === undefined) return this.#refuse('method_not_found', call.method, call)
    const bound = bindArguments(entrypoint.name, entrypoint.parameters, entrypoint.params, call)
    if ('problem' in bound) return this.#refuse('bad_arguments', bound.problem, call)
    if (!this.#slots.tryTake()) return this.#handleLater(call, entrypoint, bound.args, received)
    return this.#begin(call, entrypoint, bound.args, received)
  }

  #refuse(code: RpcErrorCode, message: string, call: Call): Promise<Reply> {
    const identity = { service: this.service, method: call.method, callId: call.id }
    return answered(call, failed(new RpcError(code, message, identity)))
  }

  async #handleLater(
    call: Call,
    entrypoint: EntrypointMethod,
    args: readonly unknown[],
    received: number,
  ): Promise<Reply> {
    const problem = await this.#waitInLine(call, received + call.timeoutMs)
    if (problem !== undefined) return answered(call, failed(problem))
    call.values.get(WORK_OBSERVER)?.started()
    return this.#begin(call, entrypoint, args, received)
  }

  #begin(
    call: Call,
    entrypoint: EntrypointMethod,
    args: readonly unknown[],
    received: number,
  ): Promise<Reply> {
    // Left unanswered, as those that ran when the service was killed.
    if (this.#killed) return new Promise(() => {})
    return this.#work(call, entrypoint, args, received)
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
    const watched =
      deadline === Number.POSITIVE_INFINITY ? undefined : this.#deadlines.watch(expiring)
    call.signal?.addEventListener('abort', gone, { once: true })
    if (call.signal?.aborted) gone()
    await line.over
    watched?.leave()
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
      const worker = new Worker(this, entrypoint, call, received, settle)
      worker.place = this.#workers.add(worker)
      try {
        tellArguments(call, entrypoint, args)
        for (const watcher of this.#watchers) watcher.began?.(worker)
        if (call.signal !== undefined) worker.follow(call.signal)
      } catch (error) {
        this.#answer(worker, failed(toError(error)))
        this.#release(worker)
        return
      }
      if (worker.deadline !== Number.POSITIVE_INFINITY) {
        worker.watched = this.#deadlines.watch(worker)
      }
      this.#running++
      void this.#run(worker, args)
    })
  }

  /** From a worker that is cancelled or killed, or whose deadline passes. */
  expired(worker: Worker, error: RpcError): void {
    // The method has ended already: what it streams is told by its signal, and nobody else.
    if (worker.place?.taken !== true) return
    this.#options.log({
      // Clients leave all the time.
      level: error.code === 'cancelled' ? 'info' : 'warn',
      message: error.rawMessage,
      service: this.service,
      method: worker.entrypoint.name,
    })
    // Clients that come and go at once must not have more work done than there are workers.
    if (error.code !== 'cancelled') this.#release(worker)
    this.#answer(worker, failed(error))
  }

  #answer(worker: Worker, reply: Reply): void {
    if (!this.#killed) worker.answer(reply)
  }

  /** Frees the worker's place, once. */
  #release(worker: Worker): void {
    if (worker.place?.leave() !== true) return
    worker.watched?.leave()
    this.#slots.free()
  }

  /** Runs the method and answers, then the hooks. Never rejects. */
  async #run(worker: Worker, args: readonly unknown[]): Promise<void> {
    try {
      let outcome: Outcome
      try {
        const made = newInstance(this.definition, worker)
        const instance = made instanceof Promise ? await made : made
        const method = instance[worker.entrypoint.property] as (...args: unknown[]) => unknown
        outcome = { result: await method.apply(instance, args as unknown[]) }
      } catch (thrown) {
        outcome = { error: toError(thrown) }
      }
      this.#answer(worker, this.#replyOf(worker, outcome))
      if (this.definition.dependencies.length > 0) await this.#hooks(worker, outcome)
      for (const watcher of this.#watchers) watcher.ended?.(worker, outcome)
    } catch (error) {
      // Thrown values can be odd enough to break whoever looks at them; the caller still gets an answer.
      this.#answer(worker, failed(toError(error)))
    }
    worker.over()
    this.#release(worker)
    if (--this.#running === 0) this.#idle?.()
  }

  #replyOf(worker: Worker, outcome: Outcome): Reply {
    if (!('error' in outcome)) {
      return { result: outcome.result, error: undefined, attachment: undefined }
    }
    const { error } = outcome
    const expected = worker.entrypoint.expectedErrors.some((known) => error instanceof known)
    this.#logFailure(worker, error, expected)
    return { ...failed(error), expected }
  }

  async #hooks(worker: Worker, outcome: Outcome): Promise<void> {
    await this.#afterwards(worker, (dependency) => dependency.workerResult(worker, outcome))
    await this.#afterwards(worker, (dependency) => dependency.workerTeardown(worker))
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

/** A call that no worker answers. */
function answered(call: Call, reply: Reply): Promise<Reply> {
  return Promise.resolve(call.values.get(WORK_OBSERVER)?.replied(reply) ?? reply)
}

function failed(error: Error): Reply {
  return { result: undefined, error, attachment: undefined }
}
