import {
  ConfigError,
  type Derivable,
  type Interceptor,
  isCallable,
  WITH_INTERCEPTOR,
} from '../call/index.ts'
import type { Caller, CallOptions } from './caller.ts'
import { Dependency, inject } from './dependency.ts'
import type { Rpc, RpcByKeyword, RpcCluster } from './wire-types.ts'
import type { WorkerContext } from './worker-context.ts'

const NO_OPTIONS: CallOptions = Object.freeze({})
/** All that a proxy has is what its handler answers. */
const NOTHING: object = Object.freeze(Object.create(null))
/** By this a proxy gives its handler. */
const HANDLER: unique symbol = Symbol('clew.proxy')

type Method = (...args: unknown[]) => Promise<unknown>

/**
 * A client of one service, in the caller's name. Methods are made when first used, then kept. Those
 * named `then`, `toJSON`, `toString` and `valueOf` cannot be called: the language asks any object
 * for them.
 */
export function proxyOf<S>(
  caller: Caller,
  service: string,
  options: CallOptions = NO_OPTIONS,
): Rpc<S> {
  return new Proxy(NOTHING, new ClientHandler(caller, service, options)) as Rpc<S>
}

/** Answers for a proxy. Every worker gets proxies of its own, so they have to cost little. */
class ClientHandler implements ProxyHandler<object> {
  readonly caller: Caller
  readonly service: string
  readonly options: CallOptions
  #methods: Record<string, Method> | undefined
  #derived: Derivable[typeof WITH_INTERCEPTOR] | undefined

  constructor(caller: Caller, service: string, options: CallOptions) {
    this.caller = caller
    this.service = service
    this.options = options
  }

  get(_: object, property: string | symbol): unknown {
    const { caller, service, options } = this
    if (property === HANDLER) return this
    if (property === WITH_INTERCEPTOR) {
      this.#derived ??= (outer, method, args) =>
        caller.invoke(service, method, args, { ...options, interceptor: around(outer, options) })
      return this.#derived
    }
    if (property === 'toString') return () => `[proxy of ${service}]`
    if (!isCallable(property)) return undefined
    this.#methods ??= Object.create(null) as Record<string, Method>
    this.#methods[property] ??= (...args) => caller.invoke(service, property, args, options)
    return this.#methods[property]
  }

  set(): never {
    throw new TypeError(`the proxy of ${this.service} is read-only`)
  }
}

/** The interceptor outside the one that the options have already. */
function around(outer: Interceptor, { interceptor }: CallOptions): Interceptor {
  return interceptor === undefined ? outer : (next) => outer(interceptor(next))
}

/** Clients of many services by name, in the caller's name. */
export function clusterOf<Services>(caller: Caller, options?: CallOptions): RpcCluster<Services> {
  const proxies = new Map<string, object>()
  return new Proxy(Object.create(null), {
    get(_, service): object | undefined {
      if (!isCallable(service)) return undefined
      let made = proxies.get(service)
      if (made === undefined) {
        made = proxyOf(caller, service, options) as object
        proxies.set(service, made)
      }
      return made
    },
  }) as RpcCluster<Services>
}

/**
 * The same service with options for its calls. Options given before are kept where not given again.
 * With `kwargs`, Python's keyword arguments, the methods take no positional ones.
 * @throws ConfigError when given something that is no proxy
 */
export function withOptions<P extends object>(
  proxy: P,
  options: CallOptions & { readonly kwargs: Readonly<Record<string, unknown>> },
): RpcByKeyword<P>
export function withOptions<P extends object>(proxy: P, options: CallOptions): P
export function withOptions(proxy: object, options: CallOptions): object {
  const target = (proxy as { readonly [HANDLER]?: unknown } | undefined)?.[HANDLER]
  if (!(target instanceof ClientHandler)) {
    throw new ConfigError(
      'withOptions needs a proxy: one injected into a worker, or from `connect(…)`, `.proxy(name)`.',
    )
  }
  return proxyOf(target.caller, target.service, { ...target.options, ...options }) as object
}

class ServiceProxy extends Dependency<object> {
  override readonly makesCalls = true
  readonly #service: string
  readonly #options: CallOptions
  constructor(service: string, options: CallOptions) {
    super()
    this.#service = service
    this.#options = options
  }
  override mayCall(service: string): boolean {
    return service === this.#service
  }

  override get(worker: WorkerContext): object {
    return proxyOf(worker.caller, this.#service, this.#options) as object
  }
}

class ClusterProxy extends Dependency<object> {
  override readonly makesCalls = true
  override get(worker: WorkerContext): object {
    return clusterOf(worker.caller) as object
  }
}

/** Declares a field that holds a client of another service, bound to the worker: its calls belong to the worker's call. */
export function proxy<S>(service: string, options: CallOptions = NO_OPTIONS): Rpc<S> {
  return inject(new ServiceProxy(service, options)) as Rpc<S>
}

/** Declares a field that holds clients of many services, by their names. */
export function clusterProxy<Services>(): RpcCluster<Services> {
  return inject(new ClusterProxy()) as RpcCluster<Services>
}
