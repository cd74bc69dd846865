/** What an asker is told when something cannot be done: what, why, what to do next. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status. */
  readonly status: number
  /** A word for programs, such as `bad_filter`. */
  readonly code: string
  /** What to do next, where there is something. */
  readonly advice: string | undefined
  /** Seconds after which to try again. */
  readonly retryAfterS: number | undefined
  /** Where in a text that the asker gave it is wrong, in UTF-16 units. */
  readonly position: number | undefined
  /** Further headers of the response, such as `www-authenticate`. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      readonly advice?: string
      readonly retryAfterS?: number
      readonly headers?: Readonly<Record<string, string>>
      /** Where in a text the asker gave it is wrong. */
      readonly position?: number
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: more.cause })
    this.status = status
    this.code = code
    this.advice = more.advice
    this.retryAfterS = more.retryAfterS
    this.headers = more.headers ?? {}
    this.position = more.position
  }

  /** `{ error: { code, message, advice } }`, and never a stack. */
  toResponse(): Response {
    const { code, message, advice, status, retryAfterS, position } = this
    const headers = {
      ...this.headers,
      ...(retryAfterS !== undefined && { 'retry-after': String(retryAfterS) }),
    }
    const error = {
      code,
      message,
      ...(advice !== undefined && { advice }),
      ...(position !== undefined && { position }),
    }
    return Response.json({ error }, { status, headers })
  }
}
