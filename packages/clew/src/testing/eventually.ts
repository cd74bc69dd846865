import { setTimeout as delay } from 'node:timers/promises'

/**
 * Tries until it neither throws nor returns false, then resolves with what it returned (Nameko's
 * `wait_for_call` and `assert_stops_raising`).
 * @param timeoutMs milliseconds to go on trying. @default 10000
 * @throws what the last try threw, or an error that says it stayed false
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  timeoutMs: number = 10_000,
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + timeoutMs
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const late = performance.now() >= deadline
    try {
      const result = await attempt()
      if (result !== false) return result as Exclude<T, false>
      if (late) throw new Error(`it was still false after ${timeoutMs} ms: ${attempt}`)
    } catch (error) {
      if (late) throw error
    }
    await delay(pauseMs)
  }
}
