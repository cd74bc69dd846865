import { ConfigError } from '../call/index.ts'
import { Extension, type ExtensionHost } from '../service/index.ts'
import { type Middleware, withMiddleware } from './app.ts'
import { type Failure, responseFromFailure } from './failure.ts'
import { Listener, type UpgradeHandler } from './listener.ts'
import { page, redirectPage } from './pages.ts'
import { decodePath, encodePath } from './path.ts'
import { parseRoute, type Route } from './route.ts'
import { Router } from './router.ts'
import { type HttpSettings, settingsIn } from './settings.ts'

/** What answers the requests of a route. */
export interface HttpTarget {
  /** For people: which method this is. */
  readonly owner: string
  answer(request: Request, values: readonly (string | number)[]): Promise<Response>
}

/** Context data (Nameko's): handed on to every call that the worker makes. */
export type RequestContext = Readonly<Record<string, string | number | boolean | null>>

/**
 * The web server that all services of a `run` share: ask `HttpServer.of(host)` in `setup`.
 *
 * Derive a class to put middleware around all requests, or to take context data from headers, and
 * name it in the configuration: `config: { http: { server: Web } }`. What it listens on stands there
 * too: `HttpSettings`. A second server beside it, such as one for operators, is a class with
 * `settings` of its own, named by the methods that it serves: `httpWith({ server: Admin })`.
 *
 * Something that takes connections over, such as WebSocket, calls `onUpgrade(path, handler)` in its
 * `setup` and `drain()` in its `stop`.
 */
export class HttpServer extends Extension {
  readonly #router = new Router<HttpTarget>()
  readonly #upgrades = new Map<string, UpgradeHandler>()
  readonly #running = new Map<string, number>()
  #settings: HttpSettings | undefined
  #listener: Listener | undefined

  /**
   * The server of the service's process.
   * @throws ConfigError when the configuration names another class than one of servers
   */
  static of(host: ExtensionHost): HttpServer {
    const { http } = host.config as { http?: { server?: unknown } | null }
    const Server = http?.server ?? HttpServer
    if (Server === HttpServer) return host.shared(HttpServer)
    if (typeof Server === 'function' && Server.prototype instanceof HttpServer) {
      return host.shared(Server as new () => HttpServer)
    }
    throw new ConfigError('http.server must be a class that extends HttpServer.')
  }

  /** Around every request, the first one outermost. @default none */
  middleware(): readonly Middleware[] {
    return []
  }

  /** Context data of the worker that a request fires. @default none, as in Nameko */
  contextFromHeaders(_headers: Headers): RequestContext {
    return {}
  }

  /** What the configuration says. */
  get settings(): HttpSettings {
    this.#settings ??= settingsIn(this.host.config)
    return this.#settings
  }

  /** Where it listens. @throws Error before it was started, and after its end */
  get address(): { readonly host: string; readonly port: number } {
    if (this.#listener === undefined) throw new Error('the web server was not started')
    return this.#listener.address
  }

  /** Where it listens, for clients on this machine: `http://127.0.0.1:8000`. */
  get url(): string {
    const { host, port } = this.address
    const unspecified = host === '0.0.0.0' || host === '::'
    return `http://${unspecified ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${port}`
  }

  /**
   * Answers a route's requests, before it starts.
   * @throws ConfigError when others answer them already
   */
  addRoute(route: Route, methods: readonly string[], target: HttpTarget): void {
    this.#router.add(route, methods, target, ({ owner }) => owner)
  }

  /**
   * Hands over connections that ask for an upgrade of this path, before it starts. Other requests of
   * the path are answered with 400. The handler owns the socket: nothing here closes it.
   * @throws ConfigError when the path is taken
   */
  onUpgrade(path: string, handler: UpgradeHandler): void {
    const owner = `the upgrade of ${path}`
    if (this.#upgrades.has(path)) {
      throw new ConfigError(`${path} is upgraded by two extensions; give one another path.`)
    }
    this.addRoute(parseRoute(path), ['GET'], { owner, answer: async () => page(400) })
    this.#upgrades.set(path, handler)
  }

  /**
   * Takes no more connections, and resolves when all responses have been sent and all connections
   * that were not upgraded are closed. Idempotent.
   */
  async drain(): Promise<void> {
    await this.#listener?.drain()
  }

  /** Counts a request of a service in, if it may have another one. Call `leave` when it is over. */
  enter(service: string, limit: number): boolean {
    const running = this.#running.get(service) ?? 0
    if (running >= limit) return false
    this.#running.set(service, running + 1)
    return true
  }

  leave(service: string): void {
    this.#running.set(service, (this.#running.get(service) ?? 1) - 1)
  }

  override async start(): Promise<void> {
    const { settings } = this
    const answer = withMiddleware(
      this.middleware(),
      (request) => this.#answer(request),
      (error) => {
        this.#failed('middleware failed', error)
        return this.#failure({ error, expected: false, errorTexts: settings.errorTexts })
      },
    )
    this.#listener = new Listener({
      settings,
      answer,
      upgrade: (path) => this.#upgrades.get(path),
      failed: (message, error) => this.#failed(message, error),
    })
    await this.#listener.listen()
  }

  override async stop(): Promise<void> {
    await this.drain()
    this.#listener?.close()
  }

  override kill(): void {
    this.#listener?.close()
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const match = this.#router.match(decodePath(url.pathname), request.method)
    if (match === undefined) return page(404)
    if ('target' in match) return match.target.answer(request, match.values)
    if ('allowed' in match) return page(405, { allow: match.allowed.join(', ') })
    return redirectPage(`${url.origin}${encodePath(match.redirect)}${url.search}`)
  }

  #failure(failure: Failure): Response {
    return responseFromFailure(failure)
  }

  #failed(message: string, error: unknown): void {
    this.host.log({ level: 'error', message, service: this.host.service, error })
  }
}
