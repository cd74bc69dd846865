import { stampWith } from '../profile/clock.ts'

export interface PredictableTimeOptions {
  /** When it begins. @default 2020-01-01T00:00:00Z */
  readonly start?: Date
  /** Milliseconds that pass with each stamp of a trace. @default 1 */
  readonly stepMs?: number
}

/** Time as traces tell it, until disposed. */
export interface PredictableTime extends Disposable {
  /** Lets time pass. */
  advance(ms: number): void
}

/**
 * Traces whose times count up in steps in place of the clock's, in this process, until disposed. Only
 * stamps are made up: deadlines, timeouts and timers stay real (`node:test` has `mock.timers`).
 * `using time = predictableTime()`
 */
export function predictableTime(options: PredictableTimeOptions = {}): PredictableTime {
  const { start = new Date('2020-01-01T00:00:00Z'), stepMs = 1 } = options
  let now = 0
  const restore = stampWith({
    startMs: start.getTime(),
    now() {
      const stamp = now
      now += stepMs
      return stamp
    },
  })
  return {
    advance(ms) {
      now += Math.max(0, ms)
    },
    [Symbol.dispose]: restore,
  }
}
