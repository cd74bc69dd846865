import { inspect } from 'node:util'

/**
 * What a method with `@http` may return: text (200), a status and text, a status, headers and text,
 * or a Response, whose body may be a stream. A stream is read after the worker has ended: sessions and
 * transactions of dependencies are over then. It is cancelled, and the worker's signal aborts, when the
 * client goes away.
 */
export type HttpResult =
  | string
  | Response
  | readonly [status: number, body: string]
  | readonly [status: number, headers: HttpHeaders, body: string]

/** Headers of a response: an object, pairs where one name has several values, or `Headers`. */
export type HttpHeaders =
  | Readonly<Record<string, string>>
  | readonly (readonly [string, string])[]
  | Headers

/** Statuses whose responses have no body, by the rules of HTTP. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * The response that a result stands for.
 * @throws TypeError when it is no `HttpResult`, RangeError when its status is none
 */
export function responseFromResult(result: unknown): Response {
  if (result instanceof Response) return result
  const [status, headers, body] = partsOf(result)
  if (typeof body !== 'string') {
    throw new TypeError(`Payload must be a string. Got \`${shortly(body)}\``)
  }
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(
      `A status must be a whole number from 200 to 599. Got \`${shortly(status)}\``,
    )
  }
  return textResponse(status, body, headers)
}

function partsOf(result: unknown): readonly [number, HttpHeaders | undefined, unknown] {
  if (!Array.isArray(result)) return [200, undefined, result]
  if (result.length === 3) return [result[0], result[1], result[2]]
  if (result.length === 2) return [result[0], undefined, result[1]]
  throw new TypeError(
    `A list must be [status, body] or [status, headers, body]. Got \`${shortly(result)}\``,
  )
}

/** Text, plain where `headers` do not say another type. */
export function textResponse(status: number, body: string, headers?: HttpHeaders): Response {
  const all = new Headers(headers as ConstructorParameters<typeof Headers>[0])
  if (!all.has('content-type') && status !== 304) {
    all.set('content-type', 'text/plain; charset=utf-8')
  }
  if (WITHOUT_BODY.has(status)) return new Response(null, { status, headers: all })
  // Told even where the body is not sent: to HEAD.
  all.set('content-length', String(Buffer.byteLength(body)))
  return new Response(body, { status, headers: all })
}

function shortly(value: unknown): string {
  return inspect(value, {
    depth: 2,
    maxArrayLength: 10,
    maxStringLength: 100,
    breakLength: Infinity,
  })
}
