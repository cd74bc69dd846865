/** What was measured at one load. */
export interface LoadPoint {
  /** Requests in flight, averaged over time. */
  readonly inFlight: number
  /** Requests answered a second. */
  readonly rate: number
  /** Requests behind it: its weight. */
  readonly requests: number
}

/** Where a system stops answering more by being asked more. */
export interface Scalability {
  /** The most that it answers in a second, and half the width of its 95 % interval. */
  readonly peakRate: number
  readonly peakError: number
  /** The load went so far beyond the knee that the most was seen; otherwise the law tells it. */
  readonly measured: boolean
  /** Requests in flight at which one request's share of the system would reach the peak. */
  readonly kneeInFlight: number
  /** Beyond this many in flight it answers less; undefined where it does not. */
  readonly declinesBeyond: number | undefined
  /** Gunther's coefficients: requests a second of one in flight, contention, coherency. */
  readonly gamma: number
  readonly alpha: number
  readonly beta: number
}

/** Why no limit is told. */
export type NoScalability = 'few_points' | 'steady_load' | 'not_reached'

/** Loads below are too few to tell three coefficients from chance. */
const FEWEST_POINTS = 5
/** The most in flight has to be so many times the least. */
const LEAST_SPREAD = 2
/** A limit further above what was answered is a guess. */
const FURTHEST = 1.5
/** A tenth of the points has to lie so far beyond the knee, or the law makes limits out of chance. */
const BEYOND = 3
/** How far the law was from the limits of simulated queues with 1 to 8 workers. */
const LAW_ERROR = 0.1
/** Loads so many times that of the knee, and so many of them, show the limit without the law. */
const FAR_BEYOND = 4
const FEWEST_BEYOND = 4
/** A decline that is no more than this is none. */
const LEAST_DECLINE = 0.9
const RESAMPLES = 200

/**
 * The Universal Scalability Law (Gunther, *Guerrilla Capacity Planning*, 2007):
 * X(N) = γN / (1 + α(N − 1) + βN(N − 1)), by least squares on N/X, which is linear in its unknowns, none
 * of them negative; what is made small are errors of the rate. Of N the average over time is taken, so it may be below 1. The
 * error is that of 200 bootstrap samples of the points, with the same random numbers each time.
 */
export function scalability(points: readonly LoadPoint[]): Scalability | NoScalability {
  const usable = points.filter(
    ({ inFlight, rate, requests }) =>
      inFlight > 0 && rate > 0 && requests > 0 && Number.isFinite(inFlight * rate * requests),
  )
  if (usable.length < FEWEST_POINTS) return 'few_points'
  let [least, most, fastest] = [Number.POSITIVE_INFINITY, 0, 0]
  for (const { inFlight, rate } of usable) {
    least = Math.min(least, inFlight)
    most = Math.max(most, inFlight)
    fastest = Math.max(fastest, rate)
  }
  if (most < least * LEAST_SPREAD) return 'steady_load'
  const whole = fit(usable, most)
  if (whole === undefined || whole.peakRate > fastest * FURTHEST) return 'not_reached'
  const tenth = usable.map(({ inFlight }) => inFlight).sort((a, b) => b - a)
  if (tenth[Math.floor(tenth.length / 10)]! < whole.kneeInFlight * BEYOND) return 'not_reached'
  const random = generator(usable.length)
  const peaks: number[] = []
  for (let sample = 0; sample < RESAMPLES; sample++) {
    const again = usable.map(() => usable[Math.floor(random() * usable.length)]!)
    peaks.push(fit(again, most)?.peakRate ?? Number.POSITIVE_INFINITY)
  }
  peaks.sort((a, b) => a - b)
  const [low, high] = [
    peaks[Math.floor(RESAMPLES * 0.025)]!,
    peaks[Math.ceil(RESAMPLES * 0.975) - 1]!,
  ]
  const peakError = Math.max(
    ...[whole.peakRate - low, high - whole.peakRate, misfit(usable, whole)],
    whole.peakRate * LAW_ERROR,
  )
  if (!(peakError < whole.peakRate / 2)) return 'not_reached'
  const beyond = usable.filter(({ inFlight }) => inFlight >= whole.kneeInFlight * FAR_BEYOND)
  if (beyond.length < FEWEST_BEYOND || whole.declinesBeyond !== undefined) {
    return { ...whole, peakError, measured: false }
  }
  const seen = meanRate(beyond)
  const apart = Math.abs(seen.peakRate - whole.peakRate)
  return {
    ...whole,
    peakRate: seen.peakRate,
    peakError: Math.max(seen.error, apart),
    measured: true,
  }
}

/**
 * Far beyond the knee what is answered is the limit itself, mostly: no shape has to be believed for it.
 * How far the law is from it is part of its error.
 */
function meanRate(points: readonly LoadPoint[]) {
  const all = points.reduce((sum, { requests }) => sum + requests, 0)
  const peakRate = points.reduce((sum, { rate, requests }) => sum + rate * requests, 0) / all
  const spread = points.reduce(
    (sum, { rate, requests }) => sum + (rate - peakRate) ** 2 * requests,
    0,
  )
  // Normal for many points; Student's for few would be at most a third wider.
  return { peakRate, error: (1.96 * 1.33 * Math.sqrt(spread / all)) / Math.sqrt(points.length - 1) }
}

type Fit = Omit<Scalability, 'peakError' | 'measured'>

function fit(points: readonly LoadPoint[], most: number): Fit | undefined {
  // Unknowns: 1/γ, α/γ, β/γ. A negative one is left out and the rest fitted again: the best that has none.
  let best: { readonly left: number; readonly values: readonly number[] } | undefined
  for (const chosen of [[0, 1, 2], [0, 1], [0, 2], [0], [1, 2], [1]]) {
    const values = solve(points, chosen)
    if (values === undefined || values.some((value) => value < 0)) continue
    const left = points.reduce(
      (sum, point) => sum + residual(point, values) ** 2 * weight(point),
      0,
    )
    if (best === undefined || left < best.left * (1 - 1e-9)) best = { left, values }
  }
  if (best === undefined) return undefined
  const [first, second, third] = best.values as [number, number, number]
  const rateAt = (n: number) => n / (first + second * (n - 1) + third * n * (n - 1))
  // d/dN of N/X = 0 for N·X': the peak lies where first − second = third·N².
  const turn = third > 0 && first > second ? Math.sqrt((first - second) / third) : undefined
  const near = turn !== undefined && turn <= most * 10 ? Math.max(1, turn) : undefined
  const peakRate =
    near === undefined ? (second > 0 ? 1 / second : Number.POSITIVE_INFINITY) : rateAt(near)
  if (!Number.isFinite(peakRate)) return undefined
  // With one in flight a request takes first; Little's law tells how many make the peak at that pace.
  const gamma = 1 / Math.max(first, Number.MIN_VALUE)
  return {
    ...{ peakRate, kneeInFlight: peakRate * first, gamma },
    ...{ alpha: second * gamma, beta: third * gamma },
    declinesBeyond:
      near !== undefined && rateAt(most) < peakRate * LEAST_DECLINE ? near : undefined,
  }
}

const terms = ({ inFlight: n }: LoadPoint) => [1, n - 1, n * (n - 1)]

/** With relative errors this makes them those of the rate itself: near the limit is where they matter. */
const weight = ({ rate, requests }: LoadPoint) => requests * rate * rate

/** Relative to what was measured. */
function residual(point: LoadPoint, values: readonly number[]): number {
  const measured = point.inFlight / point.rate
  const told = terms(point).reduce((sum, term, at) => sum + term * values[at]!, 0)
  return told / measured - 1
}

/** The law is a shape, and systems have others: how far the busiest third of the points lies from it. */
function misfit(points: readonly LoadPoint[], { gamma, alpha, beta }: Fit): number {
  const busiest = points.toSorted((a, b) => b.inFlight - a.inFlight)
  const some = busiest.slice(0, Math.max(1, Math.floor(points.length / 3)))
  const sum = some.reduce((all, { inFlight: n, rate }) => {
    return all + rate - (gamma * n) / (1 + alpha * (n - 1) + beta * n * (n - 1))
  }, 0)
  return Math.abs(sum / some.length)
}

/** Weighted least squares for some of the three unknowns by the normal equations; the others are 0. */
function solve(
  points: readonly LoadPoint[],
  chosen: readonly number[],
): readonly number[] | undefined {
  const size = chosen.length
  const rows = chosen.map(() => new Array<number>(size + 1).fill(0))
  for (const point of points) {
    const measured = point.inFlight / point.rate
    const all = terms(point)
    for (let row = 0; row < size; row++) {
      const scaled = (all[chosen[row]!]! * weight(point)) / measured ** 2
      for (let column = 0; column < size; column++)
        rows[row]![column]! += scaled * all[chosen[column]!]!
      rows[row]![size]! += scaled * measured
    }
  }
  for (let at = 0; at < size; at++) {
    const pivot = rows[at]![at]!
    if (!(Math.abs(pivot) > 1e-12)) return undefined
    for (let row = 0; row < size; row++) {
      if (row === at) continue
      const times = rows[row]![at]! / pivot
      for (let column = at; column <= size; column++)
        rows[row]![column]! -= times * rows[at]![column]!
    }
  }
  const values = [0, 0, 0]
  for (const [row, unknown] of chosen.entries())
    values[unknown] = rows[row]![size]! / rows[row]![row]!
  return values.every(Number.isFinite) ? values : undefined
}

/** Random numbers from 0 to 1 that are the same for the same seed (mulberry32, by Tommy Ettinger). */
function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
