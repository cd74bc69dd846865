/**
 * Why a collector did not answer. `status` is HTTP's, 0 where nothing came; `code` a word for programs:
 * what the collector says, or `unreachable`, `timeout`, `unreadable`.
 */
export class CollectorError extends Error {
  override readonly name = 'CollectorError'
  readonly status: number
  readonly code: string
  readonly advice: string | undefined
  /** Where in a filter it is wrong. */
  readonly position: number | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      readonly advice?: string | undefined
      readonly position?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: more.cause })
    this.status = status
    this.code = code
    this.advice = more.advice
    this.position = more.position
  }
}
