import { ConfigError } from '../call/index.ts'
import {
  declareMethod,
  type MethodOptions,
  refuseBare,
  refuseOldDecorators,
} from '../service/index.ts'
import { type AnswerOptions, HttpEntrypoint } from './http-entrypoint.ts'
import { ROUTABLE_METHODS } from './listener.ts'
import type { RouteParameters } from './parameters.ts'
import type { HttpResult } from './result.ts'
import { parseRoute, type Route } from './route.ts'

export interface HttpOptions extends MethodOptions, AnswerOptions {}

/** A method that answers the requests of a route. */
type HttpMethod<This, Url extends string> = (
  this: This,
  request: Request,
  ...parameters: RouteParameters<Url>
) => HttpResult | Promise<HttpResult>

/** What `http` is. */
export type HttpDecorator = <const Url extends string>(
  methods: string,
  url: Url,
  options?: HttpOptions,
) => <This, Method extends HttpMethod<This, Url>>(
  method: Method,
  context: ClassMethodDecoratorContext<This, Method>,
) => void

/**
 * Makes a method answer HTTP requests: Nameko's `@http`. It is given the request and then the values
 * of the route's variables, in the order of the route's text.
 *
 * `@http('GET,POST', '/orders/<int:order_id>')`; the converters are werkzeug's: `string` (the
 * default), `int`, `float`, `path`, `uuid`, `any(a,b)`, with their arguments.
 * @throws ConfigError when the methods or the route cannot be right
 */
export const http: HttpDecorator = httpWith({})

/** `http` with options of its own, which those of a method go over. */
export function httpWith(defaults: HttpOptions): HttpDecorator {
  return (methods, url, options) => {
    refuseBare(methods, url, "@http('GET', '/orders/<int:id>')")
    return (method, context) => {
      refuseOldDecorators('http', context)
      const place = `@http on ${String(context.name)}`
      const own = { ...defaults, ...options }
      const names = methodsIn(place, methods)
      const route = routeIn(place, url)
      refuseImpossible(place, method, route, own)
      const make = () => new HttpEntrypoint(route, names, own)
      declareMethod({ kind: 'http', make }, method, context as ClassMethodDecoratorContext, own)
    }
  }
}

function methodsIn(place: string, methods: string): readonly string[] {
  const names = methods.split(',').map((name) => name.trim().toUpperCase())
  const unknown = names.find((name) => !ROUTABLE_METHODS.has(name))
  if (unknown !== undefined) {
    throw new ConfigError(
      `${place}: ${JSON.stringify(unknown)} is no method of HTTP that can be answered; use GET, or several as in 'GET,POST'.`,
    )
  }
  return [...new Set(names)]
}

function routeIn(place: string, url: string): Route {
  try {
    return parseRoute(url)
  } catch (error) {
    throw new ConfigError(`${place}: ${(error as Error).message}`)
  }
}

function refuseImpossible(
  place: string,
  method: (...args: never[]) => unknown,
  { converters, text }: Route,
  { timeoutMs }: HttpOptions,
): void {
  const given = 1 + converters.length
  if (method.length > given) {
    throw new ConfigError(
      `${place}: the method needs ${method.length} arguments, but gets the request and ${converters.length} values from ${text}.`,
    )
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new ConfigError(
      `${place}: timeoutMs must be a positive number of milliseconds, or Infinity; got ${timeoutMs}.`,
    )
  }
}
