import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'

/** The garbage collections of this process, from when this is made. */
export class Collections {
  #tookMs = 0
  #latestMs = 0

  constructor() {
    const observer = new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        this.#tookMs += duration
        this.#latestMs = Math.max(this.#latestMs, startTime)
      }
    })
    observer.observe({ entryTypes: ['gc'] })
  }

  /** How long all of them took so far, milliseconds. */
  async tookMs(): Promise<number> {
    await told()
    return this.#tookMs
  }

  /** When the last began, as `performance.now()` tells; 0 before the first. */
  async latestMs(): Promise<number> {
    await told()
    return this.#latestMs
  }
}

/** Collections are told of in later turns of the event loop. */
async function told(): Promise<void> {
  await setImmediate()
  await setImmediate()
}
