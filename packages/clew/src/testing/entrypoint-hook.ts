import { type Headers, newCallId, RpcError } from '../call/index.ts'
import type { ServiceClass, WorkerContext } from '../service/index.ts'
import { entrypointOf, insideOf, type Served } from './served.ts'

export interface HookOptions {
  /** Nameko's context data, such as `{ user_id: '7' }`. @default {} */
  readonly context?: Headers
  /** Milliseconds to wait for the worker, which has them for its deadline. @default 30000 */
  readonly timeoutMs?: number
  /** Python's keyword arguments. @default none */
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Which entrypoint, where a method has several: `rpc`, `event`, `http`. @default the only one */
  readonly kind?: string
}

type Result<S, M extends keyof S> = S[M] extends (...args: never[]) => infer R ? Awaited<R> : never
type Arguments<S, M extends keyof S> = S[M] extends (...args: infer A) => unknown ? A : never

/**
 * Fires an entrypoint by hand, whatever would fire it (Nameko's `entrypoint_hook`): the function
 * returned runs a worker with these arguments, through the interceptors, and resolves with the method's
 * own result, or rejects with its own error, when the hooks of its dependencies have run.
 * @throws ConfigError when there is no such service or method; RpcError `bad_arguments`, `timeout`
 */
export function entrypointHook<S extends object, M extends keyof S & string>(
  served: Served,
  service: ServiceClass<S>,
  method: M,
  options?: HookOptions,
): (...args: Arguments<S, M>) => Promise<Result<S, M>>
export function entrypointHook(
  served: Served,
  service: string,
  method: string,
  options?: HookOptions,
): (...args: readonly unknown[]) => Promise<unknown>
export function entrypointHook(
  served: Served,
  service: ServiceClass | string,
  method: string,
  options: HookOptions = {},
): (...args: readonly unknown[]) => Promise<unknown> {
  const { context, kwargs, kind, timeoutMs = 30_000 } = options
  const inside = insideOf(served, service)
  const entrypoint = entrypointOf(inside, method, kind)
  return async (...args) => {
    const id = newCallId()
    let worker: WorkerContext | undefined
    const ended = Promise.withResolvers<void>()
    const unwatch = inside.watch({
      began: (begun) => {
        if (begun.call.id === id) worker = begun
      },
      ended: (over) => {
        if (over.call.id === id) ended.resolve()
      },
    })
    let answered = false
    const hooks = patience(timeoutMs, () => {
      const what = answered
        ? 'has answered, but hooks of its dependencies were still running'
        : 'has not answered (was its service killed?)'
      const { name } = inside.definition
      const message = `${name}.${method} ${what} after ${timeoutMs} ms and ${HOOKS_MS} more.`
      return new RpcError('timeout', message, { service: name, method, callId: id })
    })
    try {
      const firing = { args, id, timeoutMs, ...(context && { context }), ...(kwargs && { kwargs }) }
      const reply = await Promise.race([inside.fire(entrypoint, firing), hooks.late])
      answered = true
      // A worker past its deadline may never end; nobody waits for it.
      if (worker !== undefined && !worker.signal.aborted) {
        await Promise.race([ended.promise, hooks.late])
      }
      if (reply.error !== undefined) throw reply.error
      return reply.result
    } finally {
      hooks.end()
      unwatch()
    }
  }
}

/** What hooks may take beyond the deadline of their worker, in milliseconds. */
const HOOKS_MS = 1000
const LONGEST_MS = 0x7fffffff

/** Rejects when it has taken too long; until then it keeps the process alive. */
function patience(
  timeoutMs: number,
  explain: () => Error,
): { readonly late: Promise<never>; end(): void } {
  const late = Promise.withResolvers<never>()
  const ms = Math.min(timeoutMs + HOOKS_MS, LONGEST_MS)
  const timer = setTimeout(() => late.reject(explain()), ms)
  return { late: late.promise, end: () => clearTimeout(timer) }
}
