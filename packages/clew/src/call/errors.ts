/** What went wrong with a call before, around or instead of its method. */
export type RpcErrorCode =
  | 'unknown_service'
  | 'method_not_found'
  | 'bad_arguments'
  | 'malformed_request'
  | 'timeout'
  | 'cancelled'
  | 'disconnected'
  | 'overloaded'
  | 'unserializable'

/** Which call an error belongs to. */
export interface CallIdentity {
  readonly service: string
  readonly method: string
  readonly callId: string
}

/** A call that got no answer from its method: the caller's mistake, or an outcome nobody knows. */
export class RpcError extends Error {
  readonly code: RpcErrorCode
  readonly service: string
  readonly method: string
  readonly callId: string
  /** The message without the code in front. */
  readonly rawMessage: string

  constructor(
    code: RpcErrorCode,
    message: string,
    call?: Partial<CallIdentity>,
    options?: ErrorOptions,
  ) {
    super(`[${code}] ${message}`, options)
    this.name = 'RpcError'
    this.code = code
    this.rawMessage = message
    this.service = call?.service ?? ''
    this.method = call?.method ?? ''
    this.callId = call?.callId ?? ''
  }
}

/** The callee's method threw. Keeps what the wire carries of the original error. */
export class RemoteError extends Error {
  readonly code = 'remote'
  /** Class name at the callee: `NotFound`. */
  readonly remoteName: string
  /** Module path and class name at the callee: `orders.exceptions.NotFound`. */
  readonly remotePath: string
  /** The original error's arguments, as far as JSON carries them. */
  readonly remoteArgs: readonly unknown[]
  /** True when the callee declared this error as expected (known to Clew callees only). */
  readonly expected: boolean
  readonly service: string
  readonly method: string
  readonly callId: string

  constructor(
    remote: {
      readonly name: string
      readonly path: string
      readonly args: readonly unknown[]
      readonly message: string
      readonly expected?: boolean
    },
    call?: Partial<CallIdentity>,
  ) {
    super(remote.message)
    this.name = 'RemoteError'
    this.remoteName = remote.name
    this.remotePath = remote.path
    this.remoteArgs = remote.args
    this.expected = remote.expected ?? false
    this.service = call?.service ?? ''
    this.method = call?.method ?? ''
    this.callId = call?.callId ?? ''
  }
}

/** A mistake in how services or the cluster are set up, found before any message moves. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConfigError'
  }
}

/** Any thrown thing as an Error. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(
    typeof thrown === 'string'
      ? thrown
      : `a value that is no error was thrown: ${describe(thrown)}`,
  )
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: any constructor signature is a legal error class
export type ErrorClass = abstract new (...args: any[]) => Error

/**
 * Local classes for errors on the wire, by their path (`orders.exceptions.NotFound`). Works both ways:
 * a thrown instance leaves under that path, and an error that arrives under it is thrown as an
 * instance made with the remote arguments.
 */
export type ErrorClasses = Readonly<Record<string, ErrorClass>>
