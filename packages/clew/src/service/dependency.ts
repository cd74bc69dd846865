import type { Outcome, WorkerContext } from './worker-context.ts'

/** What a dependency may know of the container it serves. */
export interface DependencyHost {
  readonly service: string
  /** Configuration given to `run`. */
  readonly config: Readonly<Record<string, unknown>>
}

/**
 * Something every worker of a service is given, with Nameko's life cycle: `setup` and `start` once
 * when the service starts, `get` and the worker hooks for each call, `stop` (or `kill`) once at the
 * end. An error in a worker hook fails that call, never the service. A field's initialiser runs for
 * every call, so constructors only keep what they are given: open things in `setup` or `start`.
 */
export abstract class Dependency<T> {
  #host: DependencyHost | undefined
  /** True when workers make calls through it: the way back is then opened before the first one. */
  readonly makesCalls: boolean = false

  /** The container served. @throws Error before the service was set up */
  get host(): DependencyHost {
    if (this.#host === undefined) throw new Error('a dependency has no host before its setup')
    return this.#host
  }

  /** Called by the container, once. */
  bind(host: DependencyHost): void {
    this.#host = host
  }

  /** Before anything starts; all dependencies of a service at once. */
  setup(): Promise<void> | void {}
  /** Before the first call; all dependencies at once, after all set-ups. */
  start(): Promise<void> | void {}
  /** After the last worker has ended. */
  stop(): Promise<void> | void {}
  /** In place of `stop` when the service is killed: let go of everything, now. */
  kill(): Promise<void> | void {}
  /** What this worker's field holds. */
  abstract get(worker: WorkerContext): T | Promise<T>
  /** After all fields are set, before the method. */
  workerSetup(_worker: WorkerContext): Promise<void> | void {}
  /** After the reply was sent. */
  workerResult(_worker: WorkerContext, _outcome: Outcome): Promise<void> | void {}
  /** Last; whatever happened before. */
  workerTeardown(_worker: WorkerContext): Promise<void> | void {}
}

/**
 * Declares a dependency in a service's field. What is returned is the declaration; it is typed as
 * the value because the container puts the value there before any method runs (the one deliberate
 * lie in Clew's types).
 */
export function inject<T>(dependency: Dependency<T>): T {
  declared?.push(dependency as Dependency<unknown>)
  return dependency as unknown as T
}

let declared: Dependency<unknown>[] | undefined

/** Runs `build` and tells which dependencies were declared meanwhile, those in `#private` fields included. */
export function declarationsIn<T>(build: () => T): {
  readonly built: T
  readonly dependencies: readonly Dependency<unknown>[]
} {
  const outer = declared
  declared = []
  try {
    return { built: build(), dependencies: declared }
  } finally {
    declared = outer
  }
}

class CurrentWorker extends Dependency<WorkerContext> {
  override get(worker: WorkerContext): WorkerContext {
    return worker
  }
}

/** Declares a field that holds the worker's own context: its abort signal, call ids, context data. */
export function workerContext(): WorkerContext {
  return inject(new CurrentWorker())
}
