import { RemoteError, type Reply, RpcError, type RpcErrorCode } from '../call/index.ts'
import type { Status } from '../trace/index.ts'

/** How a call ended, as the trace says it. */
export interface CallOutcome {
  readonly status: Status
  readonly error: string | undefined
}

const OK: CallOutcome = { status: 'ok', error: undefined }

const STATUS: Readonly<Record<RpcErrorCode, Status>> = {
  unknown_service: 'rejected',
  method_not_found: 'rejected',
  bad_arguments: 'rejected',
  malformed_request: 'rejected',
  overloaded: 'rejected',
  unserializable: 'error',
  timeout: 'timeout',
  cancelled: 'cancelled',
  disconnected: 'lost',
}

/** Class names of our own errors, as Nameko's peers know them. */
const NAMES: Readonly<Record<RpcErrorCode, string>> = {
  unknown_service: 'UnknownService',
  method_not_found: 'MethodNotFound',
  bad_arguments: 'IncorrectSignature',
  malformed_request: 'MalformedRequest',
  overloaded: 'Overloaded',
  unserializable: 'UnserializableValueError',
  timeout: 'RpcTimeout',
  cancelled: 'Cancelled',
  disconnected: 'Disconnected',
}

/**
 * Outcome of a call that was answered. An RpcError here is the callee's own only when it is about
 * this very call; one that bubbled up from a nested call is an error of the method like any other.
 */
export function repliedOutcome(reply: Reply, callId: string): CallOutcome {
  const { error } = reply
  if (error === undefined) return OK
  if (error instanceof RpcError && error.callId === callId) {
    return { status: STATUS[error.code], error: NAMES[error.code] }
  }
  return { status: 'error', error: className(error) }
}

/** Outcome of a call that was never answered. */
export function thrownOutcome(thrown: unknown): CallOutcome {
  if (thrown instanceof RpcError) return { status: STATUS[thrown.code], error: NAMES[thrown.code] }
  return { status: 'error', error: thrown instanceof Error ? className(thrown) : 'Error' }
}

function className(error: Error): string {
  if (error instanceof RemoteError) return error.remoteName
  if (error instanceof RpcError) return NAMES[error.code]
  // Classes that keep the inherited name `Error` are told apart by their constructor, as is what
  // some database drivers call `error`.
  const ownName = error.constructor?.name
  return /^error$/iu.test(error.name) && ownName ? ownName : error.name
}
