import {
  type CallIdentity,
  type ErrorClass,
  type ErrorClasses,
  RemoteError,
  RpcError,
  type RpcErrorCode,
} from './errors.ts'

/** An error as Nameko's replies carry it. */
export interface WireError {
  readonly exc_type: string
  readonly exc_path: string
  readonly exc_args: readonly unknown[]
  readonly value: string
  /** Set by Clew callees for errors they declared; other peers ignore it. */
  readonly expected?: true
}

const METHOD_NOT_FOUND = 'nameko.exceptions.MethodNotFound'
const INCORRECT_SIGNATURE = 'nameko.exceptions.IncorrectSignature'
const MALFORMED_REQUEST = 'nameko.exceptions.MalformedRequest'
const UNSERIALIZABLE = 'nameko.exceptions.UnserializableValueError'

/** What the container says about a call of its own; each has a class of Nameko's. */
const NAMEKO_PATHS: Partial<Record<RpcErrorCode, string>> = {
  method_not_found: METHOD_NOT_FOUND,
  bad_arguments: INCORRECT_SIGNATURE,
  malformed_request: MALFORMED_REQUEST,
  unserializable: UNSERIALIZABLE,
}

/** Errors of nested calls leave under names that the caller cannot take for its own call's. */
const CLEW_NAMES: Record<RpcErrorCode, string> = {
  unknown_service: 'UnknownService',
  method_not_found: 'MethodNotFound',
  bad_arguments: 'BadArguments',
  malformed_request: 'MalformedRequest',
  timeout: 'Timeout',
  cancelled: 'Cancelled',
  disconnected: 'Disconnected',
  overloaded: 'Overloaded',
  unserializable: 'Unserializable',
}

/** What people outside learn of a failure inside. */
const TOLD_OUTSIDE: Record<RpcErrorCode, string> = {
  unknown_service: 'a service behind this one is not there',
  method_not_found: 'a service behind this one refused the call',
  bad_arguments: 'a service behind this one refused the call',
  malformed_request: 'a service behind this one refused the call',
  timeout: 'no answer came in time',
  cancelled: 'the request was cancelled',
  disconnected: 'the service, or one behind it, went away; try again',
  overloaded: 'too many requests; try again later',
  unserializable: 'a service behind this one answered with what cannot travel',
}

/** The codes of errors that Clew callees passed on, by their paths. */
const CODES = new Map(
  (Object.keys(CLEW_NAMES) as RpcErrorCode[]).map((code) => [
    `clew.errors.${CLEW_NAMES[code]}`,
    code,
  ]),
)

/** `ErrorClasses` for use in both directions. */
export class ErrorRegistry {
  readonly #classes = new Map<string, ErrorClass>()
  readonly #paths = new Map<unknown, string>()

  constructor(classes: ErrorClasses = {}) {
    for (const path of Object.keys(classes)) {
      const errorClass = classes[path]!
      this.#classes.set(path, errorClass)
      if (!this.#paths.has(errorClass)) this.#paths.set(errorClass, path)
    }
  }

  classOf(path: string): ErrorClass | undefined {
    return this.#classes.get(path)
  }

  /** The path of the error's class or of its nearest registered ancestor. */
  pathOf(error: Error): string | undefined {
    if (this.#paths.size === 0) return undefined
    let prototype = Object.getPrototypeOf(error)
    while (prototype !== null) {
      const path = this.#paths.get(prototype.constructor)
      if (path !== undefined) return path
      prototype = Object.getPrototypeOf(prototype)
    }
    return undefined
  }
}

/**
 * A thrown error for the wire. Never throws, whatever was thrown.
 * @param call the call that the error answers
 */
export function errorToWire(
  error: Error,
  call: CallIdentity,
  errors: ErrorRegistry,
  expected: boolean,
): WireError {
  const home = `${call.service}.`
  try {
    const wire = toWire(error, call, errors, home)
    return expected ? { ...wire, expected: true } : wire
  } catch {
    return unreadable(home)
  }
}

/**
 * A thrown error for somebody outside this system: what the method itself threw, and what was wrong
 * with the request, as Nameko sends it; of what went wrong further inside, only the kind, because its
 * text would name services, methods and hosts. Never throws, whatever was thrown.
 * @param call the call that the error answers
 */
export function errorToOutside(error: Error, call: CallIdentity, errors: ErrorRegistry): WireError {
  try {
    if (error instanceof RpcError) {
      const own = error.callId === call.callId && NAMEKO_PATHS[error.code] !== undefined
      return own ? rpcErrorToWire(error, call) : insideError(error.code)
    }
    if (!(error instanceof RemoteError)) return toWire(error, call, errors, '')
    const code = CODES.get(error.remotePath)
    if (code !== undefined) return insideError(code)
    // As a Python service passes on what it did not expect: the name of the class, not its module.
    const { remoteName, message } = error
    return {
      exc_type: 'RemoteError',
      exc_path: 'nameko.exceptions.RemoteError',
      exc_args: [remoteName, message],
      value: `${remoteName} ${message}`,
    }
  } catch {
    return unreadable('')
  }
}

function insideError(code: RpcErrorCode): WireError {
  const name = CLEW_NAMES[code]
  const value = TOLD_OUTSIDE[code]
  return { exc_type: name, exc_path: `clew.errors.${name}`, exc_args: [value], value }
}

function unreadable(home: string): WireError {
  const value = 'the error could not be read'
  return { exc_type: 'Error', exc_path: `${home}Error`, exc_args: [value], value }
}

/** @param home what stands before the name of a class that says no path of its own */
function toWire(error: Error, call: CallIdentity, errors: ErrorRegistry, home: string): WireError {
  if (error instanceof RpcError) return rpcErrorToWire(error, call)
  if (error instanceof RemoteError) {
    return {
      exc_type: error.remoteName,
      exc_path: error.remotePath,
      exc_args: error.remoteArgs,
      value: error.message,
    }
  }
  const value = String(error.message)
  const own = (error as { args?: unknown }).args
  const path = errors.pathOf(error) ?? declaredPath(error)
  const name = path === undefined ? className(error) : path.slice(path.lastIndexOf('.') + 1)
  return {
    exc_type: name,
    exc_path: path ?? `${home}${name}`,
    exc_args: (safeArgument(Array.isArray(own) ? own : [value], 0) ?? []) as unknown[],
    value,
  }
}

function rpcErrorToWire(error: RpcError, call: CallIdentity): WireError {
  const path = error.callId === call.callId ? NAMEKO_PATHS[error.code] : undefined
  if (path === undefined) {
    const name = CLEW_NAMES[error.code]
    const value = error.message
    return { exc_type: name, exc_path: `clew.errors.${name}`, exc_args: [value], value }
  }
  const value = error.code === 'method_not_found' ? call.method : error.rawMessage
  return {
    exc_type: path.slice(path.lastIndexOf('.') + 1),
    exc_path: path,
    exc_args: error.code === 'unserializable' ? [] : [value],
    value,
  }
}

/** The path that an error of Clew's own states on its class, where Nameko has the same error. */
function declaredPath(error: Error): string | undefined {
  const path = (error.constructor as { wirePath?: unknown } | undefined)?.wirePath
  return typeof path === 'string' ? path : undefined
}

function className(error: Error): string {
  const name = error.constructor?.name
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name
  return typeof error.name === 'string' && error.name !== '' ? error.name : 'Error'
}

const ARGUMENT_DEPTH = 8

/** As Nameko does it: strings stay, collections are entered, everything else becomes its text. */
function safeArgument(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value !== 'object') return String(value)
  if (depth > ARGUMENT_DEPTH) return '…'
  if (Symbol.iterator in value) {
    return Array.from(value as Iterable<unknown>, (item) => safeArgument(item, depth + 1))
  }
  if (value instanceof Error || value instanceof Date) return String(value)
  const safe: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) safe[key] = safeArgument(item, depth + 1)
  return safe
}

/**
 * An error from the wire: an instance of the class registered for its path, an RpcError where
 * Nameko itself refused the call, else a RemoteError. Never throws, whatever the peer sent.
 */
export function errorFromWire(wire: unknown, call: CallIdentity, errors: ErrorRegistry): Error {
  if (wire === null || typeof wire !== 'object') {
    return malformedReply(`its error is ${describe(wire)}`, call)
  }
  const fields = wire as { readonly [key in keyof WireError]?: unknown }
  const path = text(fields.exc_path) ?? text(fields.exc_type) ?? 'Exception'
  const name = text(fields.exc_type) ?? path.slice(path.lastIndexOf('.') + 1)
  const args = Array.isArray(fields.exc_args) ? (fields.exc_args as unknown[]) : []
  const message = text(fields.value) ?? (fields.value == null ? '' : describe(fields.value))
  const mapped = errors.classOf(path)
  if (mapped !== undefined) {
    const error = construct(mapped, args, message)
    if (error !== undefined) return error
  }
  const expected = fields.expected === true
  return (
    refusal(path, message, call) ?? new RemoteError({ name, path, args, message, expected }, call)
  )
}

// The constructor may not be made for what the wire calls arguments; the message is kept in any case.
function construct(
  errorClass: ErrorClass,
  args: readonly unknown[],
  message: string,
): Error | undefined {
  try {
    const error = Reflect.construct(errorClass as new (...args: unknown[]) => Error, args)
    if (!(error instanceof Error)) return undefined
    if (error.message !== message && message !== '') {
      const descriptor = { value: message, writable: true, configurable: true, enumerable: false }
      Object.defineProperty(error, 'message', descriptor)
    }
    return error
  } catch {
    return undefined
  }
}

function refusal(path: string, message: string, call: CallIdentity): RpcError | undefined {
  switch (path) {
    case METHOD_NOT_FOUND:
      return new RpcError(
        'method_not_found',
        `service ${call.service} has no method \`${message || call.method}\``,
        call,
      )
    case INCORRECT_SIGNATURE:
      return new RpcError('bad_arguments', message, call)
    case MALFORMED_REQUEST:
      return new RpcError('malformed_request', message, call)
    case UNSERIALIZABLE:
      return new RpcError('unserializable', message, call)
    default:
      return undefined
  }
}

/** The callee answered, but nobody can tell what. */
export function malformedReply(reason: string, call: CallIdentity): RemoteError {
  const message = `${call.service}.${call.method} answered with something that is no reply: ${reason}`
  return new RemoteError(
    { name: 'MalformedReply', path: 'clew.errors.MalformedReply', args: [message], message },
    call,
  )
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function describe(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 200)
  } catch {
    return `a ${typeof value}`
  }
}
