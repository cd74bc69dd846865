import type { Outcome, ServiceClass, WorkerContext } from '../service/index.ts'
import { entrypointOf, insideOf, runningOf, type Served } from './served.ts'

export interface WaiterOptions<Result> {
  /**
   * Whether this worker is the one waited for; asked when it has ended. What it throws ends the waiting.
   * @default the first one
   */
  readonly until?: (
    outcome: { readonly result: Result } | { readonly error: Error },
    worker: WorkerContext,
  ) => boolean
  /** Milliseconds to wait. @default 30000 */
  readonly timeoutMs?: number
  /** Which entrypoint, where a method has several. @default the only one */
  readonly kind?: string
}

type ResultOf<S, M extends keyof S> = S[M] extends (...args: never[]) => infer R
  ? Awaited<R>
  : never

/**
 * Waits for a worker of this method to end, its dependencies' hooks included (Nameko's
 * `entrypoint_waiter`): begin to wait, do what leads to it, then await what was returned. Resolves with
 * the method's result, rejects with its error. Nothing is reported where nobody awaits it.
 * @throws ConfigError when there is no such service or method
 */
export function entrypointWaiter<S extends object, M extends keyof S & string>(
  served: Served,
  service: ServiceClass<S>,
  method: M,
  options?: WaiterOptions<ResultOf<S, M>>,
): Promise<ResultOf<S, M>>
export function entrypointWaiter(
  served: Served,
  service: string,
  method: string,
  options?: WaiterOptions<unknown>,
): Promise<unknown>
export function entrypointWaiter(
  served: Served,
  service: ServiceClass | string,
  method: string,
  options: WaiterOptions<never> = {},
): Promise<unknown> {
  const { until = () => true, timeoutMs = 30_000, kind } = options
  const inside = insideOf(served, service)
  const entrypoint = entrypointOf(inside, method, kind)
  const waited = Promise.withResolvers<unknown>()
  const name = `${inside.definition.name}.${method}`
  let others = 0
  const unwatch = inside.watch({
    ended(worker, outcome) {
      if (worker.entrypoint !== entrypoint) return
      try {
        if (until(outcome as Outcome & { readonly result: never }, worker)) settle(outcome)
        else others += 1
      } catch (error) {
        waited.reject(error)
      }
    },
  })
  const settle = (outcome: Outcome) =>
    'error' in outcome ? waited.reject(outcome.error) : waited.resolve(outcome.result)
  const timer = setTimeout(() => {
    const seen = others === 0 ? 'no worker of it ended' : `${others} ended, none as \`until\` wants`
    waited.reject(new Error(`${name} was waited for in vain for ${timeoutMs} ms: ${seen}.`))
  }, timeoutMs)
  void runningOf(served).stopped.then(() =>
    waited.reject(new Error(`${name} was waited for, but its service was stopped.`)),
  )
  const over = () => {
    clearTimeout(timer)
    unwatch()
  }
  // Also keeps a test that failed before it awaited this from being blamed for it.
  waited.promise.then(over, over)
  return waited.promise
}
