import type { Call } from './call.ts'
import type { Reply } from './reply.ts'

/**
 * Moves one call on. Resolves with the callee's reply, errors included; rejects when there was no
 * reply at all (timeout, unknown service, connection lost).
 */
export type Handler = (call: Call) => Promise<Reply>

/** Wraps a handler. The same shape serves the caller's and the callee's side. */
export type Interceptor = (next: Handler) => Handler

/** Puts interceptors around a handler; the first one given is the outermost. */
export function compose(interceptors: readonly Interceptor[], handler: Handler): Handler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), handler)
}
