/** Numbers in [0, 1) that are the same for the same seed (Mulberry32): analyses repeat exactly. */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * Two-sided p of Mann and Whitney's rank-sum test, by the normal approximation with corrections for
 * ties and continuity: how likely two samples of one kind differ as much in where they lie.
 */
export function rankSumP(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [n, m] = [a.length, b.length]
  const total = n + m
  if (n === 0 || m === 0) return 1
  const all = new Float64Array(total)
  all.set(a)
  all.set(b, n)
  all.sort()
  const own = Float64Array.from(a).sort()
  let ranks = 0
  let ties = 0
  let taken = 0
  for (let from = 0; from < total; ) {
    let to = from
    while (to < total && all[to] === all[from]) to++
    let mine = 0
    while (taken < n && own[taken] === all[from]) {
      mine++
      taken++
    }
    ranks += mine * (from + (to - from + 1) / 2)
    ties += (to - from) ** 3 - (to - from)
    from = to
  }
  const shift = Math.abs(ranks - (n * (total + 1)) / 2)
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)))
  // Rounding leaves a little where all are equal.
  if (!(variance > 1e-9)) return 1
  return Math.min(1, 2 * normalTail(Math.max(0, shift - 0.5) / Math.sqrt(variance)))
}

/** Above z under the normal curve, for z >= 0 (Abramowitz and Stegun 26.2.17, error below 1e-7; far out by its bound). */
export function normalTail(z: number): number {
  if (z > 6) return Math.exp((-z * z) / 2) / (z * Math.sqrt(2 * Math.PI))
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
}

/**
 * Two-sided p of Fisher's exact test: how likely `hitsA` of `countA` and `hitsB` of `countB` differ as
 * much where both are of one kind.
 */
export function fisherP(hitsA: number, countA: number, hitsB: number, countB: number): number {
  const hits = hitsA + hitsB
  const total = countA + countB
  if (hits === 0 || hits === total || countA === 0 || countB === 0) return 1
  const constant = logChoose(total, hits)
  const log = (x: number) => logChoose(countA, x) + logChoose(countB, hits - x) - constant
  const limit = log(hitsA) + 1e-7
  const [least, most] = [Math.max(0, hits - countB), Math.min(hits, countA)]
  // Likelihoods rise to one peak and fall: from both ends inwards, until they are likelier.
  let p = 0
  let low = least
  for (; low <= most; low++) {
    const one = log(low)
    if (one > limit) break
    p += Math.exp(one)
  }
  for (let high = most; high > low; high--) {
    const one = log(high)
    if (one > limit) break
    p += Math.exp(one)
  }
  return Math.min(1, p)
}

const logFactorials: number[] = [0, 0]

function logFactorial(n: number): number {
  for (let next = logFactorials.length; next <= n; next++) {
    logFactorials.push(logFactorials[next - 1]! + Math.log(next))
  }
  return logFactorials[n]!
}

const logChoose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

/**
 * The greatest p that counts where `share` of what is reported may be chance (Benjamini and Hochberg,
 * 1995); 0 where nothing counts.
 */
export function discoveryLimit(ps: readonly number[], share: number): number {
  const sorted = Float64Array.from(ps).sort()
  for (let index = sorted.length - 1; index >= 0; index--) {
    if (sorted[index]! <= (share * (index + 1)) / sorted.length) return sorted[index]!
  }
  return 0
}

/** By nearest rank, in a list in order. 0 where it is empty. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length - 1e-9))
  return sorted[rank - 1] ?? 0
}

/** Within it lies the truth in 95 of 100 cases. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** From what was found in samples drawn again, in any order. */
export function intervalOf(drawn: readonly number[]): Interval {
  const sorted = Float64Array.from(drawn).sort()
  return { low: quantileOf(sorted, 0.025), high: quantileOf(sorted, 0.975) }
}
