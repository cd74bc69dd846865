import type { LoadPlan } from './plan.ts'

export type Arrivals = 'poisson' | 'even'

/**
 * When each request begins, milliseconds from the first: `even`ly, or at random as many independent
 * users would ask (`poisson`). The same random numbers give the same times.
 */
export function* schedule(
  plan: LoadPlan,
  arrivals: Arrivals,
  random: () => number = Math.random,
): Generator<number> {
  // Both are the same walk along the sum of all requests: by 1, or by an exponentially distributed step.
  const step = () => (arrivals === 'even' ? 1 : -Math.log(1 - random()))
  let next = arrivals === 'even' ? 0 : step()
  let [before, fromMs] = [0, 0]
  for (const { fromRate, toRate, ms } of plan) {
    const whole = ((fromRate + toRate) / 2) * (ms / 1000)
    while (next < before + whole - 1e-9) {
      yield fromMs + timeOf(next - before, fromRate, toRate, ms)
      next += step()
    }
    before += whole
    fromMs += ms
  }
}

/** When so many requests are reached: r·t + (r' − r)·t²/2T, solved for t. */
function timeOf(requests: number, fromRate: number, toRate: number, ms: number): number {
  const slope = (toRate - fromRate) / ms
  // In the form that also holds for a slope of zero.
  const root = Math.sqrt(fromRate ** 2 + 2 * slope * requests * 1000)
  return (2 * requests * 1000) / (fromRate + root)
}
