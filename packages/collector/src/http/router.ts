import { Hono } from 'hono'
import { ApiError } from './api-error.ts'
import type { Gate } from './gate.ts'
import { checkQuery } from './query.ts'
import type { Asked, Route, Subject } from './route.ts'

export interface RouterOptions {
  readonly routes: readonly Route[]
  readonly gate: Gate
  /**
   * Requests that are worked on at a time, of those that send and of those that ask, each; more are
   * answered 429. What is open to all is always answered. @default 64
   */
  readonly maxConcurrent?: number | undefined
  /** Told of what should not happen, with the route's name. */
  readonly onProblem?: ((error: unknown, where: string) => void) | undefined
  /** Told of each answer of a route, by its name; must not throw. */
  readonly onAnswer?: ((name: string, status: number) => void) | undefined
}

/** Answers a request of a peer at an address; never rejects. */
export type Answer = (request: Request, address?: string) => Promise<Response>

type Bindings = { readonly address: string }

/** Whoever asks a route that is open. */
const ANYBODY: Subject = { name: 'anybody', tenant: 'default', roles: [] }

/** What browsers are told to keep from doing with an answer. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Answers requests by routes. What a route throws is told as an {@link ApiError}, never with a stack. */
export function router(options: RouterOptions): Answer {
  const { routes, maxConcurrent = 64, onProblem, onAnswer } = options
  const app = new Hono<{ Bindings: Bindings }>()
  // Whoever sends, slowly or much, keeps nobody from asking, and the other way round.
  const running = { ingest: 0, asked: 0, open: 0 }
  for (const route of routes) {
    const kind = route.role === 'read' || route.role === 'admin' ? 'asked' : route.role
    const path = route.path.replace(/\{(\w+)\}/gu, ':$1')
    app.on(route.method, path, async (context) => {
      const { address } = context.env
      const told = (response: Response) => {
        onAnswer?.(route.name, response.status)
        return response
      }
      if (kind !== 'open' && running[kind] >= maxConcurrent) return told(busy().toResponse())
      running[kind]++
      try {
        const { req } = context
        return told(await answer(route, req.raw, req.param(), address, options))
      } catch (error) {
        if (error instanceof ApiError) return told(error.toResponse())
        onProblem?.(error, route.name)
        return told(failure().toResponse())
      } finally {
        running[kind]--
      }
    })
  }
  app.notFound((context) => unknown(routes, context.req.method, context.req.path).toResponse())
  app.onError((error) => {
    onProblem?.(error, 'request')
    return failure().toResponse()
  })
  return async (request, address = '') => {
    const response = await app.fetch(request, { address })
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value)
    return response
  }
}

async function answer(
  route: Route,
  request: Request,
  params: Asked['params'],
  address: string,
  { gate }: RouterOptions,
): Promise<Response> {
  checkOrigin(route, request)
  const subject = route.role === 'open' ? ANYBODY : await gate.admit(request, route.role, address)
  const { searchParams: query } = new URL(request.url)
  // Before a route has it: what is not asked as it can be is done nowhere, and no log repeats it.
  checkQuery(route, query)
  const signal = signalOf(route, request, subject)
  const response = await route.handle({ request, subject, address, params, query, signal })
  if (request.method !== 'HEAD') return response
  // Nobody will read it: a tail would be held for ever.
  await response.body?.cancel()
  return new Response(null, response)
}

/** Answers that go on for ever end when whoever asked may no more; others are over before that. */
function signalOf({ produces }: Route, { signal }: Request, { ended }: Subject): AbortSignal {
  const endless = produces === 'text/event-stream' && ended !== undefined
  return endless ? AbortSignal.any([signal, ended]) : signal
}

/** A page of somebody else's must not change anything here with what a browser knows of its user. */
function checkOrigin({ method }: Route, { headers, url }: Request): void {
  const origin = headers.get('origin')
  if (method === 'GET' || origin === null || origin === new URL(url).origin) return
  throw new ApiError(403, 'origin', 'pages of other origins may not change anything here')
}

const busy = () =>
  new ApiError(429, 'busy', 'too many requests are being worked on', { retryAfterS: 1 })

const failure = () => new ApiError(500, 'failed', 'the collector failed at this; its log tells why')

function unknown(routes: readonly Route[], method: string, path: string): ApiError {
  const there = routes.filter((route) => matches(route.path, path)).map((route) => route.method)
  if (there.length === 0) {
    return new ApiError(404, 'unknown_path', 'there is nothing at this path', {
      advice: 'GET /api/openapi.json lists what there is',
    })
  }
  const allow = [...new Set(there)].join(', ')
  return new ApiError(405, 'method', `${method} cannot be asked here, but ${allow} can`, {
    headers: { allow },
  })
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => part === given[at] || (part.startsWith('{') && given[at] !== ''))
  )
}
