import type { ContextValues } from './context-values.ts'
import type { EdgeKind } from './edge-kind.ts'
import type { RpcError } from './errors.ts'
import type { Headers } from './headers.ts'
import type { CallObserver } from './observer.ts'

/**
 * One call on its way from caller to callee. The same type exists on both sides of the wire: the
 * proxy makes one, the broker encodes it, and decoding makes an equal one for the worker.
 * Interceptors never change a call; they pass `{ ...call, … }` on.
 */
export interface Call {
  /** Wire name of the service. */
  readonly service: string
  /** Wire name of the method. */
  readonly method: string
  /** What leads to it. @default 'call' */
  readonly edge?: EdgeKind | undefined
  /** Positional arguments. */
  readonly args: readonly unknown[]
  /** Python's keyword arguments; empty where none were given. */
  readonly kwargs: Readonly<Record<string, unknown>>
  /** The message's `correlation_id`: unique per call, the same on redelivery. A UUID from our callers. */
  readonly id: string
  /**
   * Nameko's context data, without the prefix. Travels as `nameko.{key}` headers and is handed on
   * by every worker to all calls it makes.
   */
  readonly context: Headers
  /** Headers of this hop only, sent as they are. A header wins over a context value of its name. */
  readonly headers: Headers
  /** Milliseconds the caller will still wait, counted from when this object was made. `Infinity`: for ever. */
  readonly timeoutMs: number
  /** Ends the waiting when it aborts. Only on the caller's side; a worker has a signal in its context. */
  readonly signal: AbortSignal | undefined
  /** Which try this is, when the caller repeats a call. @default 1 */
  readonly attempt?: number
  /** True when the broker delivered the request before, to a worker that never answered. */
  readonly redelivered: boolean
  /** True when the caller's reply address says that it can read an attachment behind the body. */
  readonly attachable: boolean
  /** Set by decoding: why the request cannot be run. The container answers it without a worker. */
  readonly rejected: RpcError | undefined
  /** Values of this process only. A worker's outgoing calls share those of the call it handles. */
  readonly values: ContextValues
  /** Told how the call ended, by handlers that tell observers, and of replies that come later. */
  readonly observer: CallObserver | undefined
}
