import {
  type Call,
  ConfigError,
  type ContextValues,
  type Handler,
  type Headers,
  NewTable,
  newCallId,
  type Reply,
} from '../call/index.ts'
import type { CallOptions } from '../service/index.ts'

export const NO_KWARGS: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null))
export const NO_HEADERS: Headers = Object.freeze(new NewTable())

/** Milliseconds a call waits for its reply where nobody says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000

/** @throws ConfigError when it is neither undefined nor a positive number */
export function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new ConfigError(
      `timeoutMs must be a positive number of milliseconds, or Infinity; got ${timeoutMs}.`,
    )
  }
}

/**
 * The call that a proxy's method makes.
 * @throws ConfigError when its options ask for no possible timeout
 */
export function makeCall(
  service: string,
  method: string,
  args: readonly unknown[],
  options: CallOptions,
  from: { readonly context: Headers; readonly timeoutMs: number; readonly values: ContextValues },
): Call {
  checkTimeout(options.timeoutMs)
  return {
    service,
    method,
    args,
    kwargs: options.kwargs ?? NO_KWARGS,
    id: newCallId(),
    context:
      options.context === undefined
        ? from.context
        : Object.assign(new NewTable(), from.context, options.context),
    headers: NO_HEADERS,
    timeoutMs: from.timeoutMs,
    signal: options.signal,
    attempt: options.attempt ?? 1,
    redelivered: false,
    attachable: false,
    rejected: undefined,
    values: from.values,
    observer: undefined,
  }
}

/** Sends a call, through its own interceptor where it has one. */
export function sendCall(send: Handler, call: Call, options: CallOptions): Promise<Reply> {
  return options.interceptor === undefined ? send(call) : options.interceptor(send)(call)
}
