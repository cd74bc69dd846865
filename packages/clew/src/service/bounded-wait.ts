import type { WorkerContext } from './worker-context.ts'

/** How long something may take, and who waits for it. */
export interface WaitLimits {
  /** Milliseconds; never more than the worker's caller still waits. */
  readonly timeoutMs: number
  /** Undefined where no worker waits. */
  readonly worker: WorkerContext | undefined
  /** What is waited for, as a message's first words. */
  readonly what: string
  /** Makes the error for each way not to wait any longer. */
  readonly error: (code: 'timeout' | 'cancelled', message: string) => Error
}

/**
 * The outcome of an operation, or a rejection when the time is up or the worker ends. `begin` is not
 * called when it is too late already; what it began goes on, and its outcome is dropped.
 */
export async function boundedWait<T>(limits: WaitLimits, begin: () => Promise<T>): Promise<T> {
  const { worker, what, error, timeoutMs: ownMs } = limits
  const remainingMs = worker?.remainingMs() ?? Number.POSITIVE_INFINITY
  if (remainingMs <= 0) {
    throw error('timeout', `${what} was not begun: nobody waits for it any more.`)
  }
  const cancelled = () => error('cancelled', `${what} was given up: its worker has ended.`)
  if (worker?.signal.aborted) throw cancelled()
  const timeoutMs = Math.min(ownMs, remainingMs)
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const why = ownMs <= remainingMs ? '' : ', which is as long as the caller waits'
    reject(error('timeout', `${what} took longer than ${Math.round(timeoutMs)} ms${why}.`))
  }, timeoutMs)
  const abort = () => reject(cancelled())
  worker?.signal.addEventListener('abort', abort, { once: true })
  try {
    const pending = begin()
    pending.catch(() => {})
    return await Promise.race([pending, promise])
  } finally {
    clearTimeout(timer)
    worker?.signal.removeEventListener('abort', abort)
  }
}
