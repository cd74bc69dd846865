import type {
  Boundary,
  Connection,
  ContextValues,
  EdgeKind,
  ErrorClass,
  ErrorRegistry,
  Headers,
  Logger,
  Reply,
} from '../call/index.ts'
import type { Parameters } from './signature.ts'

/** What an extension may know of, and ask from, the container it serves. */
export interface ExtensionHost {
  readonly service: string
  /** Configuration given to `run`. */
  readonly config: Readonly<Record<string, unknown>>
  /** The way to the broker. */
  readonly connection: Connection
  /** Workers that the service may have at a time. */
  readonly maxWorkers: number
  /** Messages that the broker may hand over before they are settled. */
  readonly prefetch: number
  /** Milliseconds that calls wait where nobody says otherwise. */
  readonly timeoutMs: number
  /** Judges callers from outside; undefined where no plugin does. */
  readonly boundary: Boundary | undefined
  /** What errors are called on the wire, as `run` was told. */
  readonly errors: ErrorRegistry
  readonly log: Logger
  /** Runs a worker for an entrypoint. Never rejects. */
  fire(method: EntrypointMethod, firing: Firing): Promise<Reply>
  /**
   * The one instance of an extension that all services of this `run` share (Nameko's
   * SharedExtension), such as a web server. It is set up, started and stopped after all extensions
   * that ask for it. Ask in `setup`.
   */
  shared<E extends Extension>(Shared: new () => E): E
  /**
   * Runs a background task that belongs to the service (Nameko's managed thread): its signal aborts
   * when the service stops, which waits for it. An error that it does not catch ends the services of
   * this `run`, as it would in Nameko.
   */
  spawn(task: (signal: AbortSignal) => Promise<void>): void
}

/** What an entrypoint fires a worker with. */
export interface Firing {
  readonly args: readonly unknown[]
  /** @default none */
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** The method as traces name it, such as `GET /orders/{id}`. @default its name */
  readonly shownAs?: string
  /** What led here. @default 'call' */
  readonly edge?: EdgeKind
  /** The same when the same thing is delivered again. @default a new one */
  readonly id?: string
  /** Nameko's context data, as it arrived. @default none */
  readonly context?: Headers
  /** Headers of this hop: trace context. @default none */
  readonly headers?: Headers
  /** Values of this process, for interceptors. @default none */
  readonly values?: ContextValues
  /** @default false */
  readonly redelivered?: boolean
  /** Which try this is, when what fired it is repeated after a failure. @default 1 */
  readonly attempt?: number
  /** Milliseconds that somebody waits for the outcome. @default Infinity */
  readonly timeoutMs?: number
  /** Nobody waits any more: the worker's signal aborts with it. @default none */
  readonly signal?: AbortSignal | undefined
}

/**
 * Part of a service with a life of its own, Nameko's extension: `setup` and `start` once when the
 * service starts, `stop` (or `kill`) once at the end. Constructors only keep what they are given.
 */
export abstract class Extension {
  #host: ExtensionHost | undefined
  readonly #parts: Extension[] = []

  /** The container served. @throws Error before the service was set up */
  get host(): ExtensionHost {
    if (this.#host === undefined) throw new Error('an extension has no host before its setup')
    return this.#host
  }

  /** Called by the container, once. */
  bind(host: ExtensionHost): void {
    this.#host = host
    for (const part of this.#parts) part.bind(host)
  }

  /**
   * Declares an extension that this one is made of, in a field: it is set up and started before this
   * one, and stopped after it. Hooks of workers are left to this one.
   */
  protected use<E extends Extension>(part: E): E {
    this.#parts.push(part)
    return part
  }

  /** What this one is made of. */
  get parts(): readonly Extension[] {
    return this.#parts
  }

  /** Before anything starts; all extensions of a service at once. */
  setup(): Promise<void> | void {}
  /** All at once, after all set-ups: dependencies first, then what they share, then entrypoints. */
  start(): Promise<void> | void {}
  /** Entrypoints before, dependencies and what is shared after the last worker has ended. */
  stop(): Promise<void> | void {}
  /** In place of `stop` when the service is killed: let go of everything, now. */
  kill(): Promise<void> | void {}
}

/** A method that something outside may fire, as its decorator declared it. */
export interface EntrypointMethod {
  /** What fires it, for people and tools: `rpc`, `event`, `timer`, `http`, … */
  readonly kind: string
  /** Name of the class's method. */
  readonly property: string
  /** Name on the wire. */
  readonly name: string
  /** Names that Python's keyword arguments are matched with; undefined: keywords arrive as one object. */
  readonly params: readonly string[] | undefined
  /** Errors that are part of the method's contract: logged as warnings, not as faults. */
  readonly expectedErrors: readonly ErrorClass[]
  /** Arguments never to be logged, such as `password` or `card.number`. */
  readonly sensitive: readonly string[]
  readonly parameters: Parameters
  /** The metadata of the class that declared it: a subclass may declare the method anew. */
  readonly owner: object
  /** Makes what fires it, for each container; undefined for `rpc`, which the service's queue fires. */
  readonly make: (() => Entrypoint) | undefined
}

/**
 * Fires workers of one method: at a message, a request, a moment. One instance for each container.
 * `stop` takes no more of what fires it and resolves when what it has taken is over.
 */
export abstract class Entrypoint extends Extension {
  #method: EntrypointMethod | undefined

  /** The method it fires. @throws Error before the service was set up */
  get method(): EntrypointMethod {
    if (this.#method === undefined) throw new Error('an entrypoint has no method before its setup')
    return this.#method
  }

  /** Called by the container, once. */
  attach(method: EntrypointMethod): void {
    this.#method = method
  }

  /** Runs a worker. Never rejects: errors are in the reply. */
  protected fire(firing: Firing): Promise<Reply> {
    return this.host.fire(this.method, firing)
  }
}
