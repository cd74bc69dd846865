import type { Headers } from './headers.ts'

/**
 * How a call ended, as its callee says. `error` is what the method threw (on the callee's side) or
 * what the wire made of it (on the caller's side); exactly one of `result` and `error` counts.
 */
export interface Reply {
  readonly result: unknown
  readonly error: Error | undefined
  /** True when the method declared the error as expected. Told to callers that read attachments. */
  readonly expected?: boolean | undefined
  /**
   * Bytes that ride behind the body, opaque to everything but the interceptor that put them there.
   * Dropped by the codec unless the call was `attachable`.
   */
  readonly attachment: Uint8Array | undefined
  /**
   * Headers of the reply's message, for interceptors that cannot use an attachment. Nameko sends and
   * reads none. What AMQP cannot carry, and more than 100 KiB, is dropped and told, never an error.
   */
  readonly headers?: Headers | undefined
}
