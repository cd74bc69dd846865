/** Siblings below which no straggler is told: the median of fewer says little. */
export const LEAST_SIBLINGS = 4

/** Modified z-score above which a time stands out (Iglewicz and Hoaglin's limit). */
export const STANDS_OUT = 3.5
/** Makes the median absolute deviation comparable to a standard deviation. */
const MAD_SCALE = 0.6745
/** Times within 5 % of each other never stand out. */
const LEAST_SPREAD = Math.log(1.05)
/** Nothing below this matters to anybody. */
export const LEAST_EXCESS_MS = 1
/** Zero has no logarithm: times are told apart down to the microsecond. */
const LEAST_MS = 0.001

/** Middle of sorted numbers; the mean of both middles where their count is even. */
export function medianOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2
}

const ascending = (a: number, b: number) => a - b

/**
 * Which of sibling times stand out to the long side: by logarithm, against the median absolute
 * deviation, and by more than `leastExcessMs`.
 * @returns the median, the positions of those that stand out, and the score of each of them
 */
export function standingOut(
  timesMs: readonly number[],
  leastExcessMs = LEAST_EXCESS_MS,
): {
  readonly medianMs: number
  readonly indices: readonly number[]
  readonly scores: readonly number[]
} {
  const medianMs = medianOf(timesMs.toSorted(ascending))
  if (timesMs.length < LEAST_SIBLINGS) return { medianMs, indices: [], scores: [] }
  const logs = timesMs.map((time) => Math.log(Math.max(time, LEAST_MS)))
  const middle = medianOf(logs.toSorted(ascending))
  const deviation = medianOf(logs.map((log) => Math.abs(log - middle)).sort(ascending))
  const scale = MAD_SCALE / Math.max(deviation, LEAST_SPREAD)
  const indices: number[] = []
  const scores: number[] = []
  for (const [index, log] of logs.entries()) {
    const excess = timesMs[index]! - medianMs
    const score = (log - middle) * scale
    if (!(score > STANDS_OUT && excess > leastExcessMs)) continue
    indices.push(index)
    scores.push(score)
  }
  return { medianMs, indices, scores }
}
