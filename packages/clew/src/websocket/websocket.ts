import {
  type Boundary,
  ConfigError,
  errorToOutside,
  newCallId,
  type Passage,
  type Reply,
  RpcError,
  type WireError,
} from '../call/index.ts'
import type { HttpServer } from '../http/index.ts'
import {
  declareMethod,
  Entrypoint,
  type Firing,
  type MethodOptions,
  parametersOf,
  refuseOldDecorators,
  type Travels,
} from '../service/index.ts'
import type { ClientSocket } from './client-socket.ts'
import {
  errorFrame,
  type Request,
  resultFrame,
  type TraceHeaders,
  UnserializableError,
} from './frames.ts'
import { FAILED, notKeywords, STOPPING, unserializable } from './refusals.ts'
import { type Responder, SocketServer } from './socket-server.ts'

/**
 * How a method answers requests. `params` names the parameters behind the socket's id, in order:
 * a request's data is matched with them as Nameko matches it with Python's. Without it the method
 * gets the data as one object.
 */
export interface WebsocketOptions extends MethodOptions {
  /** The web server whose port the sockets share: one for all of a `run`. @default that of `http.server`, else HttpServer */
  readonly server?: new () => HttpServer
  /**
   * Milliseconds for the method to answer; then the error `Timeout` does. What it calls has what is
   * left of them. Nameko waits for ever, and the socket's other requests with it.
   * @default the `timeoutMs` of `run`: 30000
   */
  readonly timeoutMs?: number
}

type Method<This, Args extends unknown[], Result> = (
  this: This,
  socketId: string,
  ...args: Args
) => Result
type MethodContext<This, Args extends unknown[], Result> = ClassMethodDecoratorContext<
  This,
  Method<This, Args, Result>
> &
  Travels<Args> &
  Travels<Awaited<Result>>

/** What may follow the socket's id: what `params` names, or one object. */
type ArgsFor<Options> = Options extends { readonly params: readonly string[] }
  ? unknown[]
  : [given?: object | undefined]

/** `@websocket` with options. */
export function websocket<const Options extends WebsocketOptions>(
  options: Options,
): <This, Args extends ArgsFor<Options>, Result>(
  method: Method<This, Args, Result>,
  context: MethodContext<This, Args, Result>,
) => void
/**
 * Makes a method answer the WebSocket requests of its name on `/ws`: Nameko's `@rpc` of
 * `nameko.web.websocket`. It gets the id of the socket that asks, then the request's data.
 */
// Last, because the compiler gives its reasons for the last overload only.
export function websocket<This, Args extends [given?: object | undefined], Result>(
  method: Method<This, Args, Result>,
  context: MethodContext<This, Args, Result>,
): void
export function websocket(
  first: WebsocketOptions | Method<unknown, never[], unknown>,
  context?: ClassMethodDecoratorContext,
): unknown {
  if (context !== undefined) refuseOldDecorators('websocket', context)
  if (typeof first === 'function') {
    declare(first, context as ClassMethodDecoratorContext, {})
    return undefined
  }
  return (method: Method<unknown, never[], unknown>, late: ClassMethodDecoratorContext) =>
    declare(method, late, first)
}

/** As Python methods call it, and the errors that name it. */
const SOCKET_ID = 'socket_id'

function declare(
  method: (...args: never[]) => unknown,
  context: ClassMethodDecoratorContext,
  { params, server, timeoutMs, ...options }: WebsocketOptions,
): void {
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new ConfigError(
      `@websocket on ${String(context.name)}: timeoutMs must be above 0 milliseconds; got ${timeoutMs}.`,
    )
  }
  const { most } = parametersOf(method)
  if (most === 0) {
    throw new ConfigError(
      `@websocket on ${String(context.name)}: it is called with the id of the socket that asks; give it a parameter for that.`,
    )
  }
  // A method that takes nothing else has no name for anything.
  const named = params ?? (most === 1 ? [] : undefined)
  const all = named && { params: [SOCKET_ID, ...named] }
  const make = () => new WebsocketEntrypoint(server, timeoutMs)
  declareMethod({ kind: 'websocket', make }, method, context, { ...options, ...all })
}

class WebsocketEntrypoint extends Entrypoint implements Responder {
  #server: SocketServer | undefined
  readonly #running = new Set<Promise<Reply>>()
  readonly #http: (new () => HttpServer) | undefined
  readonly #timeoutMs: number | undefined
  #stopped = false

  constructor(http: (new () => HttpServer) | undefined, timeoutMs: number | undefined) {
    super()
    this.#http = http
    this.#timeoutMs = timeoutMs
  }

  get service(): string {
    return this.host.service
  }

  get name(): string {
    return this.method.name
  }

  get boundary(): Boundary | undefined {
    return this.host.boundary
  }

  override setup(): void {
    this.#server = SocketServer.of(this.host, this.#http)
    this.#server.register(this)
  }

  /** Answers no more; what runs is answered. */
  override async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([this.#server?.drain(), ...this.#running])
  }

  async respond(socket: ClientSocket, request: Request): Promise<string> {
    const { correlationId, data: given } = request
    if (given === null || typeof given !== 'object' || Array.isArray(given)) {
      return errorFrame(notKeywords(this.name, given), correlationId)
    }
    const passage = await this.#passage(socket)
    if (this.#stopped) return errorFrame(STOPPING, correlationId)
    const id = newCallId()
    const running = this.fire({
      ...this.#arguments(socket.id, given as Readonly<Record<string, unknown>>),
      id,
      context: socket.context,
      timeoutMs: this.#timeoutMs ?? this.host.timeoutMs,
      signal: socket.gone,
      ...(passage && { headers: passage.headers, values: passage.values }),
    })
    this.#running.add(running)
    const reply = await running
    this.#running.delete(running)
    const trace = this.#departing(passage)
    if (reply.error !== undefined) return errorFrame(this.#told(reply, id), correlationId, trace)
    try {
      return resultFrame(reply.result, correlationId, trace)
    } catch (error) {
      if (!(error instanceof UnserializableError)) throw error
      const message = `${this.name} returned what JSON cannot carry: ${error.message}`
      this.host.log({ level: 'error', message, service: this.service, method: this.name, error })
      return errorFrame(unserializable(message), correlationId, trace)
    }
  }

  async #passage(socket: ClientSocket): Promise<Passage | undefined> {
    if (this.boundary === undefined) return undefined
    const admission = await socket.admission(this.service, this.boundary)
    return admission?.pass()
  }

  #arguments(
    socketId: string,
    given: Readonly<Record<string, unknown>>,
  ): Pick<Firing, 'args' | 'kwargs'> {
    if (this.method.params !== undefined) return { args: [socketId], kwargs: given }
    return { args: [socketId, given] }
  }

  #told(reply: Reply, id: string): WireError {
    const error = reply.error!
    const identity = { service: this.service, method: this.name, callId: id }
    // Of the container's own errors only the kind leaves, or what was wrong with the request.
    const isThrown = !(error instanceof RpcError)
    if (isThrown && !reply.expected && this.#server!.limits.errorTexts === 'expected') return FAILED
    return errorToOutside(error, identity, this.host.errors)
  }

  /** What the request may take home. */
  #departing(passage: Passage | undefined): TraceHeaders | undefined {
    try {
      return passage?.depart()
    } catch (error) {
      const message = 'what a request may see of its trace could not be told'
      this.host.log({ level: 'warn', message, service: this.service, error })
      return undefined
    }
  }
}
