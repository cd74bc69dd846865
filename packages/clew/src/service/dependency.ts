import { ConfigError } from '../call/index.ts'
import { Extension } from './extension.ts'
import type { Outcome, WorkerContext } from './worker-context.ts'

/**
 * Something every worker of a service is given, with Nameko's life cycle: an extension, and the
 * worker hooks for each call. An error in a worker hook fails that call, never the service. A
 * field's initialiser runs for every call, so constructors only keep what they are given: open
 * things in `setup` or `start`.
 */
export abstract class Dependency<T> extends Extension {
  /** True when workers make calls through it: the way back is then opened before the first one. */
  readonly makesCalls: boolean = false
  #field: string | undefined

  /** The service's field that it is declared in. @throws Error before the service was set up */
  get field(): string {
    if (this.#field === undefined) throw new Error('a dependency has no field before its setup')
    return this.#field
  }

  /** Called by the container, once. */
  attach(field: string): void {
    this.#field = field
  }

  /** Whether workers may call the service through it. @default any, where it makes calls */
  mayCall(_service: string): boolean {
    return this.makesCalls
  }

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
  const isField = declared !== undefined || isBuilding
  return (isField ? dependency : outsideOfFields(dependency)) as unknown as T
}

let declared: Dependency<unknown>[] | undefined
let isBuilding = false

/** Builds a worker's instance: what its fields declare is replaced at once, and collected by nobody. */
export function instanceOf<S>(ServiceType: new () => S): S {
  const outer = isBuilding
  isBuilding = true
  try {
    return new ServiceType()
  } finally {
    isBuilding = outer
  }
}

/** In a method a declaration is never replaced by its value: `proxy('shop').order()` has to say why. */
function outsideOfFields(dependency: object): object {
  const refuse = (): never => {
    throw new ConfigError(
      'A dependency (proxy, workerContext, config and their like) holds its value only in a field of a service that runs: declare it there, as in `shop = proxy(…)`, and use `this.shop` in methods.',
    )
  }
  return new Proxy(refuse, {
    get: (_, property) =>
      typeof property === 'symbol' || property === 'then' || property in dependency
        ? Reflect.get(dependency, property)
        : refuse(),
    getPrototypeOf: () => Object.getPrototypeOf(dependency) as object,
  })
}

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
