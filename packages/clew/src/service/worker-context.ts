import type { Call, Headers } from '../call/index.ts'
import type { Caller } from './caller.ts'
import type { EntrypointMethod } from './extension.ts'

/** What surrounds one worker: the call it handles, and the way to calls of its own. */
export interface WorkerContext {
  readonly service: string
  readonly entrypoint: EntrypointMethod
  /** The call being handled. */
  readonly call: Call
  /** Nameko's name for this call: `{service}.{method}.{uuid}`. */
  readonly callId: string
  /** Nameko's stack: ids of the calls that led here, oldest first, this one last; at most 11. */
  readonly callIdStack: readonly string[]
  /** Nameko's context data, handed on to every call this worker makes. */
  readonly context: Headers
  /** Aborts when the call's deadline passes or the worker is killed. */
  readonly signal: AbortSignal
  /** Milliseconds until the caller stops waiting; `Infinity` when it never does. */
  remainingMs(): number
  /** Makes calls in this worker's name. */
  readonly caller: Caller
  /**
   * Runs an operation one layer down (a database, a cache) in this worker's name; the trace shows it
   * as a call of `service` (the dependency's name, `orders.db`) and `method` (what it does, without
   * values). Rejects with what `operation` throws.
   */
  down<T>(service: string, method: string, operation: () => Promise<T>): Promise<T>
  /** The arguments with what `@rpc({ sensitive })` names replaced by `********`, for logs. */
  redactedArguments(): readonly unknown[]
}

/** How a worker ended. */
export type Outcome = { readonly result: unknown } | { readonly error: Error }
