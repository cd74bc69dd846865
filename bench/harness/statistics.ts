/** A median with the middle half of the values around it. */
export interface Spread {
  readonly median: number
  /** A quarter of the values are below. */
  readonly low: number
  /** A quarter of the values are above. */
  readonly high: number
}

/** The value below which a share of the values lies, interpolated between neighbours; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function spread(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  }
}

/** The same things in another order, each order as likely. */
export function shuffled<T>(things: readonly T[], random: () => number = Math.random): T[] {
  const order = [...things]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const moved = order[last]!
    order[last] = order[other]!
    order[other] = moved
  }
  return order
}

/** A median with bounds between which the true one lies in 95 of 100 runs, as far as chance goes. */
export interface Estimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** `1.08 (1.02–1.14)`; where there was one value only, and so no bounds, that alone. */
export function estimateText(
  { median, low, high }: Estimate,
  format: (value: number) => string,
): string {
  if (low === high) return format(median)
  return `${format(median)} (${format(low)}–${format(high)})`
}

const RESAMPLES = 2000

/**
 * The median of independent values, and its 95 % confidence interval by bootstrap: the medians of
 * values drawn anew from the given ones, as many, with replacement.
 */
export function estimate(values: readonly number[], random: () => number = Math.random): Estimate {
  const medians = Array.from({ length: RESAMPLES }, () =>
    quantile(
      values.map(() => values[Math.floor(random() * values.length)]!),
      0.5,
    ),
  )
  return {
    median: quantile(values, 0.5),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
  }
}
