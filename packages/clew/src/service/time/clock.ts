import { setTimeout as sleep } from 'node:timers/promises'

/** What timers go by. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number
  /** Resolves at the moment, or as soon as the signal aborts. Never rejects. */
  until(moment: number, signal: AbortSignal): Promise<void>
}

/** The longest that one timer of the platform can wait. */
const LONGEST_WAIT_MS = 0x7fffffff

export const processClock: Clock = {
  now: () => performance.now(),
  async until(moment, signal) {
    for (;;) {
      const wait = moment - performance.now()
      if (wait <= 0 || signal.aborted) return
      await sleep(Math.min(wait, LONGEST_WAIT_MS), undefined, { signal }).catch(() => {})
    }
  },
}
