import { type SketchJson, sketchBinMiddle } from 'clew/trace'

/** The bin of what is too short to be told from 0. */
export const ZERO_BIN = -32_768

/** How many there are in each bin; fractions where traces stand for others. */
export type Bins = ReadonlyMap<number, number>

/** What is left where as much was taken out as was put in, but for the last digits. */
const NOTHING = 1e-6

/** A sketch of durations that were counted in bins, and their sum in microseconds. */
export function sketchOf(bins: Bins, sumUs: number): SketchJson {
  const there = [...bins].filter(([, times]) => times > NOTHING).sort(([a], [b]) => a - b)
  const zeros = there[0]?.[0] === ZERO_BIN ? there.shift()![1] : 0
  const count = there.reduce((sum, [, times]) => sum + times, zeros)
  if (count === 0) return { count: 0, sum: 0, min: 0, max: 0, values: [] }
  const first = there[0]?.[0] ?? 0
  const last = there.at(-1)?.[0] ?? -1
  const counts = new Array<number>(Math.max(0, last - first + 1)).fill(0)
  for (const [bin, times] of there) counts[bin - first] = times
  const least = zeros > 0 || there.length === 0 ? 0 : sketchBinMiddle(first)
  const most = there.length === 0 ? 0 : sketchBinMiddle(last)
  return { count, sum: sumUs / 1000, min: least, max: most, zeros, first, bins: counts }
}
