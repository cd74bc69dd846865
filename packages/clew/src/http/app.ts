import { Hono, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'

/** Hono's middleware: `async (context, next) => { await next() }`. */
export type Middleware = MiddlewareHandler

/**
 * Puts middleware around what answers requests, the first outermost.
 * @param failed makes a response of what middleware throws
 */
export function withMiddleware(
  middleware: readonly Middleware[],
  answer: (request: Request) => Promise<Response>,
  failed: (error: Error) => Response,
): (request: Request) => Promise<Response> {
  if (middleware.length === 0) return answer
  const app = new Hono()
  for (const one of middleware) app.use(one)
  app.all('*', async (context) => {
    const response = await answer(context.req.raw)
    // Middleware adds headers, and those of some responses, such as redirects, cannot be changed.
    return new Response(response.body, response)
  })
  app.onError((error) => (error instanceof HTTPException ? error.getResponse() : failed(error)))
  return async (request) => app.fetch(request)
}
