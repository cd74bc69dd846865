import { type ErrorRegistry, RemoteError, RpcError } from '../call/index.ts'
import { textResponse } from './result.ts'
import type { HttpSettings } from './settings.ts'

/** The request is wrong, and its sender may read why: answered with 400, as Nameko's BadRequest. */
export class BadRequest extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BadRequest'
  }
}

/** The request's body is larger than `http.maxBodyBytes`; answered with 413 where nobody catches it. */
export class BodyTooLarge extends Error {
  constructor(limit: number) {
    super(`the body has more than ${limit} bytes`)
    this.name = 'BodyTooLarge'
  }
}

/** An error that is to become a response. */
export interface Failure {
  readonly error: Error
  /** True when the method declares it in `expectedErrors`. */
  readonly expected: boolean
  readonly errorTexts: HttpSettings['errorTexts']
}

/**
 * Nameko's response to an error: `Error: {type}: {text}`. What was neither declared nor made for the
 * client is told by status alone, unless `errorTexts` is `all`.
 */
export function responseFromFailure(
  { error, expected, errorTexts }: Failure,
  errors?: ErrorRegistry,
): Response {
  const status = statusOf(error, expected)
  const meantForClients =
    expected || error instanceof BadRequest || error instanceof BodyTooLarge || errorTexts === 'all'
  const [type, text] = meantForClients ? described(error, errors) : WITHOUT_TEXT[status]!
  return textResponse(status, `Error: ${type}: ${text}\n`, status === 503 ? RETRY : undefined)
}

/** One second: what is waited for is a worker, and those are quick. */
const RETRY = { 'retry-after': '1' }

const WITHOUT_TEXT: Readonly<Record<number, readonly [string, string]>> = {
  400: ['BadRequest', 'the request could not be understood'],
  500: ['InternalServerError', 'the request could not be answered'],
  503: ['ServiceUnavailable', 'too many requests are waiting; try again later'],
  504: ['Timeout', 'the answer took too long'],
}

function statusOf(error: Error, expected: boolean): number {
  if (error instanceof BodyTooLarge) return 413
  if (expected || error instanceof BadRequest) return 400
  if (!(error instanceof RpcError)) return 500
  switch (error.code) {
    // Nameko's classes derived from BadRequest; it deserialises those of nested calls as well.
    case 'bad_arguments':
    case 'malformed_request':
    case 'method_not_found':
      return 400
    // Nameko's calls wait for ever, so it has no such answer.
    case 'timeout':
      return 504
    case 'overloaded':
      return 503
    default:
      return 500
  }
}

const NAMEKO_NAMES: Readonly<Record<string, string>> = {
  bad_arguments: 'IncorrectSignature',
  malformed_request: 'MalformedRequest',
  method_not_found: 'MethodNotFound',
  unknown_service: 'UnknownService',
}

function described(
  error: Error,
  errors: ErrorRegistry | undefined,
): readonly [type: string, text: string] {
  try {
    if (error instanceof RpcError) {
      return [NAMEKO_NAMES[error.code] ?? `RpcError[${error.code}]`, error.rawMessage]
    }
    // As Nameko prints its RemoteError.
    if (error instanceof RemoteError) return ['RemoteError', `${error.remoteName} ${error.message}`]
    const path = errors?.pathOf(error)
    return [path?.slice(path.lastIndexOf('.') + 1) ?? className(error), String(error.message)]
  } catch {
    return ['Error', 'the error could not be read']
  }
}

function className(error: Error): string {
  const name = error.constructor?.name
  return String(name && name !== 'Error' ? name : error.name)
}
