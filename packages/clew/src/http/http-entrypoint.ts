import {
  ConfigError,
  type Headers as ContextHeaders,
  type Passage,
  RpcError,
  toError,
} from '../call/index.ts'
import { Entrypoint } from '../service/index.ts'
import { type Failure, responseFromFailure } from './failure.ts'
import { HttpServer } from './http-server.ts'
import { responseFromResult } from './result.ts'
import type { Route } from './route.ts'
import type { HttpSettings } from './settings.ts'

/** How requests of a route are taken and answered. */
export interface AnswerOptions {
  /**
   * Milliseconds for the method to answer; then 504. What it calls has what is left of them.
   * @default the `timeoutMs` of `run`: 30000
   */
  readonly timeoutMs?: number
  /** The server that takes the requests. @default the one of the configuration, else HttpServer */
  readonly server?: new () => HttpServer
  /**
   * Makes the response from what the method returned, in place of the usual; undefined leaves it to
   * the usual. Nameko's `response_from_result`.
   */
  readonly responseFromResult?: (result: unknown) => Response | undefined
  /**
   * Makes the response from an error, in place of the usual; undefined leaves it to the usual.
   * Nameko's `response_from_exception`.
   */
  readonly responseFromError?: (error: Error, failure: Failure) => Response | undefined
  /** Whose texts responses carry. @default the server's setting, which is 'expected' */
  readonly errorTexts?: HttpSettings['errorTexts']
}

/** Fires a worker for each request of one route. */
export class HttpEntrypoint extends Entrypoint {
  readonly #route: Route
  readonly #methods: readonly string[]
  readonly #options: AnswerOptions
  #server: HttpServer | undefined

  constructor(route: Route, methods: readonly string[], options: AnswerOptions) {
    super()
    this.#route = route
    this.#methods = methods
    this.#options = options
  }

  override setup(): void {
    const { server } = this.#options
    this.#server = server === undefined ? HttpServer.of(this.host) : this.host.shared(server)
    this.#server.addRoute(this.#route, this.#methods, {
      owner: `${this.host.service}.${this.method.property}`,
      answer: (request, values) => this.#answer(request, values),
    })
  }

  override async stop(): Promise<void> {
    await this.#server?.drain()
  }

  async #answer(request: Request, values: readonly (string | number)[]): Promise<Response> {
    const { service, maxWorkers } = this.host
    const server = this.#server!
    if (!server.enter(service, maxWorkers + server.settings.maxWaiting)) {
      return this.#failure(new RpcError('overloaded', `${service} is busy`), false)
    }
    try {
      return await this.#run(request, values)
    } catch (thrown) {
      // A hook of the service's author threw.
      const error = toError(thrown)
      this.#log('an HTTP hook failed', error)
      return responseFromFailure({ error, expected: false, errorTexts: this.#errorTexts })
    } finally {
      server.leave(service)
    }
  }

  async #run(request: Request, values: readonly (string | number)[]): Promise<Response> {
    const context = contextOf(this.#server!.contextFromHeaders(request.headers))
    const passage = await this.#admitted(request)
    const { most } = this.method.parameters
    const reply = await this.fire({
      // JavaScript's methods may leave out parameters that they do not need.
      args: [request, ...values].slice(0, most),
      shownAs: `${request.method} ${this.#route.shown}`,
      timeoutMs: this.#options.timeoutMs ?? this.host.timeoutMs,
      signal: request.signal,
      context,
      ...(passage === undefined ? {} : { headers: passage.headers, values: passage.values }),
    })
    const response =
      reply.error === undefined
        ? this.#success(reply.result)
        : this.#failure(reply.error, reply.expected ?? false)
    return passage === undefined ? response : withHeaders(response, passage.depart())
  }

  async #admitted(request: Request): Promise<Passage | undefined> {
    const { boundary, service } = this.host
    if (boundary === undefined) return undefined
    const header = (name: string) => request.headers.get(name) ?? undefined
    return (await boundary.admit({ service, header })).pass()
  }

  #success(result: unknown): Response {
    try {
      return this.#options.responseFromResult?.(result) ?? responseFromResult(result)
    } catch (thrown) {
      const error = toError(thrown)
      this.#log(
        'a result is no response; return text, [status, text], [status, headers, text] or a Response such as Response.json(…)',
        error,
      )
      return this.#failure(error, false)
    }
  }

  #failure(error: Error, expected: boolean): Response {
    const failure = { error, expected, errorTexts: this.#errorTexts }
    return (
      this.#options.responseFromError?.(error, failure) ??
      responseFromFailure(failure, this.host.errors)
    )
  }

  get #errorTexts(): HttpSettings['errorTexts'] {
    return this.#options.errorTexts ?? this.#server!.settings.errorTexts
  }

  #log(what: string, error: Error): void {
    const { log, service } = this.host
    const message = `${service}.${this.method.property}: ${what}: ${error.message}`
    log({ level: 'error', message, service, method: this.method.name, error })
  }
}

/** Context data as calls carry them. @throws ConfigError when they are none */
export function contextOf(given: Readonly<Record<string, unknown>>): ContextHeaders {
  const context = Object.assign(Object.create(null), given) as ContextHeaders
  for (const [name, value] of Object.entries(context)) {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) continue
    throw new ConfigError(
      `contextFromHeaders: ${name} is ${typeof value}; context data are text, numbers, true and false.`,
    )
  }
  return context
}

function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  const names = Object.entries(added)
  if (names.length === 0) return response
  // Headers of some responses cannot be changed: of redirects, and of those that `fetch` brought.
  const headers = new Headers(response.headers)
  for (const [name, value] of names) headers.append(name, value)
  // What is for one visitor only; a cache would show it to the next.
  headers.append('cache-control', 'private, no-store')
  const { status, statusText, body } = response
  return new Response(body, { status, statusText, headers })
}
