import type { Call } from './call.ts'
import type { Reply } from './reply.ts'

/**
 * Moves one call on. Resolves with the callee's reply, errors included; rejects when there was no
 * reply at all (timeout, unknown service, connection lost).
 */
export interface Handler {
  (call: Call): Promise<Reply>
  /** See `telling`. @default false */
  readonly tellsObservers?: true
}

/** Wraps a handler. The same shape serves the caller's and the callee's side. */
export type Interceptor = (next: Handler) => Handler

/** Puts interceptors around a handler; the first one given is the outermost. */
export function compose(interceptors: readonly Interceptor[], handler: Handler): Handler {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), handler)
}

/**
 * Marks a handler at the end of a chain that tells observers how calls end, before their promise settles. An
 * interceptor next to it needs no promise of its own to learn that; one further out does, since those
 * between may change what comes back.
 */
export function telling(handler: Handler): Handler {
  return Object.assign(handler, { tellsObservers: true as const })
}
