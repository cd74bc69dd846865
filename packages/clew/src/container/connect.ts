import {
  type Broker,
  ConfigError,
  type Connection,
  ContextValues,
  compose,
  type Delivery,
  type ErrorClasses,
  type GrantSource,
  type Handler,
  type Headers,
  type Interceptor,
  MAILBOX,
  NewTable,
  newCallId,
  type Plugin,
  type Problem,
  presenting,
  telling,
  toPlugin,
  type Use,
  WITH_INTERCEPTOR,
  type WireOptions,
  wireOptionsOf,
} from '../call/index.ts'
import {
  type Caller,
  type CallOptions,
  clusterOf,
  type DispatchOptions,
  dispatchEvent,
  type OutgoingMessage,
  proxyOf,
  type Rpc,
  type RpcCluster,
  type ShownAs,
} from '../service/index.ts'
import { Below } from './below.ts'
import { asVersion8 } from './call-stack.ts'
import { checkTimeout, DEFAULT_TIMEOUT_MS, makeCall, sendCall } from './make-call.ts'
import { stopPlugins } from './stop-plugins.ts'

export interface ClientOptions extends WireOptions {
  /** Interceptors and plugins around every call, the first one outermost. @default [] */
  readonly use?: readonly Use[]
  /** Milliseconds that calls wait for a reply. @default 30000; `Infinity` waits for ever */
  readonly timeoutMs?: number
  /** @default 'nameko' */
  readonly delivery?: Delivery
  /** Local classes for errors on the wire. @default none */
  readonly errors?: ErrorClasses
  /** Nameko context data for every call, such as `{ user_id: '7' }`. @default {} */
  readonly context?: Headers
  /**
   * Ask callees for their call trees, as `traced` needs. Replies to such callers carry at most
   * 16 KiB more. @default true
   */
  readonly attachments?: boolean
  /**
   * Shown with every call, to services that require one: a grant, or what gives one for each call.
   * Callees do not hand it on; a Python callee does, with everything else that it gets.
   * @default none
   */
  readonly grant?: GrantSource
  /** Told of what went wrong beside the calls. @default silence */
  readonly onProblem?: (problem: Problem) => void
}

/** A caller outside services. */
export interface Cluster extends AsyncDisposable, Caller {
  /** A client of one service, typed by its class. */
  proxy<S>(service: string, options?: CallOptions): Rpc<S>
  /** Clients of many services by their names, typed by a map of names to classes. */
  services<Services>(options?: CallOptions): RpcCluster<Services>
  /**
   * Dispatches an event as the service would. Resolves when the broker has it; without a payload it
   * is `null`.
   * @throws RpcError `disconnected`, `overloaded`, `timeout`, `unserializable`
   */
  dispatch(
    service: string,
    type: string,
    payload?: unknown,
    options?: DispatchOptions,
  ): Promise<void>
  /** Fails what is pending with `disconnected` and closes. Idempotent. */
  close(): Promise<void>
}

/**
 * Connects a program that is no service to the cluster.
 * @throws RpcError `disconnected` when the broker cannot be reached
 */
export async function connect(broker: Broker, options: ClientOptions = {}): Promise<Cluster> {
  if (typeof broker?.connect !== 'function') {
    throw new ConfigError('connect needs a broker, such as rabbitmq(url).')
  }
  checkTimeout(options.timeoutMs)
  const plugins = (options.use ?? []).map(toPlugin)
  const onProblem = options.onProblem ?? (() => {})
  const connection = await broker.connect({
    ...wireOptionsOf(options),
    delivery: options.delivery,
    errors: options.errors,
    attachments: options.attachments ?? true,
    repliesAtOnce: true,
    onProblem,
  })
  const started: Plugin[] = []
  try {
    for (const plugin of plugins) {
      started.push(plugin)
      const { mailbox, collectQueue } = connection
      await plugin.start?.({ mailbox, collectQueue, onProblem })
    }
  } catch (error) {
    // Why it could not start matters more than what its end brings.
    await stopPlugins(started, connection).catch(() => {})
    throw error
  }
  return new Client(connection, plugins, options)
}

class Client implements Cluster {
  readonly #connection: Connection
  readonly #plugins: readonly Plugin[]
  readonly #send: Handler
  readonly #timeoutMs: number
  readonly #context: Headers
  /** Without a call id: Nameko's standalone dispatcher sends no stack either. */
  readonly #outgoing: Headers
  readonly #below: Below
  #closing: Promise<void> | undefined

  constructor(connection: Connection, plugins: readonly Plugin[], options: ClientOptions) {
    this.#connection = connection
    this.#plugins = plugins
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    // Nameko's standalone proxies name themselves like this, one id for all their calls.
    this.#outgoing = Object.assign(Object.create(null), options.context) as Headers
    this.#context = Object.assign(new NewTable(), options.context, {
      call_id_stack: [`standalone_rpc_proxy.call.${asVersion8(newCallId())}`],
    }) as Headers
    const { grant, onProblem = () => {} } = options
    const showing = grant === undefined ? [] : [presenting(grant, onProblem)]
    this.#send = compose(
      [...plugins.flatMap((plugin) => plugin.caller ?? []), ...showing],
      telling((call) => connection.request(call)),
    )
    this.#below = new Below(
      [...plugins.flatMap(({ everyEdge, caller }) => (everyEdge && caller) || []), ...showing],
      () => connection,
    )
  }

  proxy<S>(service: string, options?: CallOptions): Rpc<S> {
    return proxyOf<S>(this, service, options)
  }

  services<Services>(options?: CallOptions): RpcCluster<Services> {
    return clusterOf<Services>(this, options)
  }

  async invoke(
    service: string,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    const call = makeCall(service, method, args, options, {
      context: this.#context,
      timeoutMs: options.timeoutMs ?? this.#timeoutMs,
      values: this.#values(),
    })
    const reply = await sendCall(this.#send, call, options)
    if (reply.error !== undefined) throw reply.error
    return reply.result
  }

  dispatch(
    service: string,
    type: string,
    payload: unknown,
    options: DispatchOptions = {},
  ): Promise<void> {
    return dispatchEvent(this, service, { type, payload }, options)
  }

  async publish(message: OutgoingMessage, shown: ShownAs): Promise<void> {
    await this.#publish(message, shown, undefined)
  }

  #publish(
    message: OutgoingMessage,
    shown: ShownAs,
    interceptor: Interceptor | undefined,
  ): Promise<void> {
    const [context, timeoutMs] = [this.#outgoing, this.#timeoutMs]
    return this.#below.publish(message, shown, {
      ...{ context, timeoutMs, interceptor },
      values: this.#values(),
    })
  }

  /** What `traced` is made of: the same methods, with one more interceptor outside all others. */
  [WITH_INTERCEPTOR](
    outer: Interceptor,
    method: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    const caller: Caller = {
      invoke: (service, method, args, { interceptor, ...options }) =>
        this.invoke(service, method, args, {
          ...options,
          interceptor: interceptor === undefined ? outer : (next) => outer(interceptor(next)),
        }),
      publish: (message, shown) => this.#publish(message, shown, outer),
    }
    const dispatch: Cluster['dispatch'] = (service, type, payload, options = {}) =>
      dispatchEvent(caller, service, { type, payload }, options)
    const methods: Readonly<Record<string, unknown>> = { ...caller, dispatch }
    const wanted = methods[method] as (...all: readonly unknown[]) => Promise<unknown>
    return wanted(...args)
  }

  #values(): ContextValues {
    const values = new ContextValues()
    values.set(MAILBOX, this.#connection.mailbox)
    return values
  }

  close(): Promise<void> {
    this.#closing ??= stopPlugins(this.#plugins, this.#connection)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
