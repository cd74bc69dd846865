/** Whole microseconds since 1970, as far as a double has them; 0 for what no clock shows. */
export function microsOf(ms: number): number {
  const micros = Math.round(ms * 1_000)
  return Number.isSafeInteger(micros) && micros > 0 ? micros : 0
}

/** How long, in whole microseconds: what is negative in the trace is told as 0, which others take. */
export const microsBetween = (startMs: number, endMs: number): number =>
  Math.max(0, microsOf(endMs) - microsOf(startMs))
