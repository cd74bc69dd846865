import { ErrorRegistry, errorToOutside, RpcError, type WireError } from '../call/index.ts'

/** What Nameko says to a frame that is no request. */
export const INVALID_JSON: WireError = {
  exc_type: 'MalformedRequest',
  exc_path: 'nameko.exceptions.MalformedRequest',
  exc_args: ['Invalid JSON data'],
  value: 'Invalid JSON data',
}

/** What Nameko says to a method that nobody answers: nothing of which. */
export const METHOD_NOT_FOUND: WireError = {
  exc_type: 'MethodNotFound',
  exc_path: 'nameko.exceptions.MethodNotFound',
  exc_args: [],
  value: '',
}

/** Too many requests of the socket wait already. Nameko stops reading; a client would not know why. */
export const OVERLOADED = refusal('overloaded')

/** The service is about to end. */
export const STOPPING = refusal('disconnected')

function refusal(code: 'overloaded' | 'disconnected'): WireError {
  const nobody = { service: '', method: '', callId: 'none' }
  return errorToOutside(new RpcError(code, ''), nobody, new ErrorRegistry())
}

/** What Nameko says where a request's data cannot be keyword arguments. */
export function notKeywords(method: string, given: unknown): WireError {
  const what = Array.isArray(given) ? 'a list' : `a ${typeof given}`
  const value = `${method}() takes an object of arguments by name; data is ${what}`
  return {
    exc_type: 'IncorrectSignature',
    exc_path: 'nameko.exceptions.IncorrectSignature',
    exc_args: [value],
    value,
  }
}

/** Where Nameko breaks the socket: the client would never learn which of its requests failed. */
export function unserializable(reason: string): WireError {
  return {
    exc_type: 'UnserializableValueError',
    exc_path: 'nameko.exceptions.UnserializableValueError',
    exc_args: [],
    value: `Unserializable value: ${reason}`,
  }
}

/** An error whose text is nobody's business outside. */
export const FAILED: WireError = {
  exc_type: 'InternalServerError',
  exc_path: 'InternalServerError',
  exc_args: ['the request could not be answered'],
  value: 'the request could not be answered',
}
