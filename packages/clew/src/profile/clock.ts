/** Where a process's monotonic clock stands on the wall: add `performance.now()` to get the time. */
export interface Clock {
  /**
   * Milliseconds since 1970 at which `performance.now()` was 0, as best known now.
   * @param nowMs what `performance.now()` says, where it was read already
   */
  anchorMs(nowMs?: number): number
}

/** How far the wall clock may walk away before the anchor follows it, in milliseconds. */
const DRIFT_MS = 1.5
const CHECK_EVERY_MS = 1000

/**
 * The system's clock: one anchor a process, moved when the wall clock has been stepped or has
 * drifted. A log keeps the anchor it began with, so a step never changes a duration.
 */
export function systemClock(): Clock {
  let anchor = performance.timeOrigin
  let checked = Number.NEGATIVE_INFINITY
  return {
    anchorMs(nowMs = performance.now()): number {
      if (replaced !== undefined) return replaced.startMs
      if (nowMs - checked > CHECK_EVERY_MS) {
        checked = nowMs
        // Date.now() is cut to whole milliseconds, so half of one is its expected lag.
        const drift = Date.now() + 0.5 - (anchor + performance.now())
        if (Math.abs(drift) > DRIFT_MS) anchor += drift
      }
      return anchor
    },
  }
}

/** The time on an anchored clock, in whole microseconds since 1970. */
export function microseconds(anchorMs: number): number {
  return stampOf(anchorMs, now())
}

/** What the monotonic clock says now, in milliseconds. */
export function monotonicMs(): number {
  return now()
}

/** A moment of the monotonic clock, on an anchored one, in whole microseconds since 1970. */
export function stampOf(anchorMs: number, nowMs: number): number {
  return Math.round((anchorMs + nowMs) * 1000)
}

/** Time that tests make up. */
export interface MadeUpTime {
  /** Milliseconds since 1970 at which `now` was 0. */
  readonly startMs: number
  /** Milliseconds since then; never less than before. */
  now(): number
}

/** True while stamps are made up: then nothing that the process says of itself fits them. */
export const isMadeUp = () => replaced !== undefined

let replaced: MadeUpTime | undefined
let now = systemNow

function systemNow(): number {
  return performance.now()
}

/**
 * Stamps calls with made-up times, in this process; for tests. Deadlines and timeouts stay real.
 * @returns undoes it
 */
export function stampWith(time: MadeUpTime): () => void {
  const before = replaced
  const use = (next: MadeUpTime | undefined) => {
    replaced = next
    now = next === undefined ? systemNow : () => next.now()
  }
  use(time)
  return () => use(before)
}
