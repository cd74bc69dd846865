/** When a timer fires. */
export interface Schedule {
  /** When it started, in milliseconds of any clock that never goes back. */
  readonly startMs: number
  /** More than 0. */
  readonly everyMs: number
  /** Firings that were missed come at once, one after the other, instead of never. */
  readonly catchUp: boolean
}

/** Firings lie at the start plus whole multiples of the interval, so that they never drift. */
export function tickTime({ startMs, everyMs }: Schedule, tick: number): number {
  return startMs + tick * everyMs
}

/**
 * The tick to fire after `last`: the next one, or the first that has not passed yet, where those
 * between were missed. One whose moment is now has not passed.
 */
export function nextTick(schedule: Schedule, last: number, nowMs: number): number {
  const next = last + 1
  if (schedule.catchUp || tickTime(schedule, next) >= nowMs) return next
  let tick = Math.max(next, Math.ceil((nowMs - schedule.startMs) / schedule.everyMs))
  // The quotient is rounded; what counts is the moment itself.
  while (tickTime(schedule, tick) < nowMs) tick++
  while (tick > next && tickTime(schedule, tick - 1) >= nowMs) tick--
  return tick
}
