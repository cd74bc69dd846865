import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, type ErrorClass } from '../call/index.ts'

/** How often something is tried, and when again. */
export interface RetryOptions {
  /** Errors after which it is tried again; others are thrown on at once. @default all */
  readonly errors?: readonly ErrorClass[]
  /** Attempts in all, the first included. `Infinity`: until it succeeds. @default 3 */
  readonly maxAttempts?: number
  /** Milliseconds before the second attempt. @default 1000 */
  readonly delayMs?: number
  /** What each further wait is longer by, as a factor. @default 1 */
  readonly backoff?: number
  /** The longest wait. @default for ever */
  readonly maxDelayMs?: number
  /** Gives up waiting when it aborts; a worker's own is a good one. @default none */
  readonly signal?: AbortSignal
}

/**
 * Tries something until it succeeds or its attempts are used up: Nameko's `retry`. The attempt's
 * number, from 1, is its argument, for `withOptions(proxy, { attempt })`.
 * @throws what the last attempt threw; ConfigError when the options are no numbers that can be right
 */
export async function retry<T>(
  operation: (attempt: number) => T | Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { errors, maxAttempts = 3, delayMs = 1000, backoff = 1, signal } = options
  const { maxDelayMs = Number.POSITIVE_INFINITY } = options
  if (!(maxAttempts >= 1 && delayMs >= 0 && backoff >= 1 && maxDelayMs >= 0)) {
    throw new ConfigError(
      `retry: maxAttempts ${maxAttempts} and backoff ${backoff} must be at least 1, delayMs ${delayMs} and maxDelayMs ${maxDelayMs} at least 0.`,
    )
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt)
    } catch (error) {
      const again = errors?.some((known) => error instanceof known) ?? true
      if (!again || attempt >= maxAttempts || signal?.aborted) throw error
      await pause(waitAfter(attempt, { delayMs, backoff, maxDelayMs }), signal)
      if (signal?.aborted) throw error
    }
  }
}

/** The longest that one timer of the platform can wait: 24 days. */
const LONGEST_WAIT_MS = 0x7fffffff

/** Milliseconds between an attempt that failed and the next one. */
export function waitAfter(
  attempt: number,
  {
    delayMs,
    backoff,
    maxDelayMs,
  }: Required<Pick<RetryOptions, 'delayMs' | 'backoff' | 'maxDelayMs'>>,
): number {
  return Math.min(delayMs * backoff ** (attempt - 1), maxDelayMs)
}

/** Ends early when the signal aborts. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const options = signal === undefined ? {} : { signal }
  await sleep(Math.min(ms, LONGEST_WAIT_MS), undefined, options).catch(() => {})
}
