import {
  discoveryLimit,
  type Interval,
  intervalOf,
  quantileOf,
  rankSumP,
  seeded,
} from './chance.ts'

/** An instance that takes longer for a method than the others that answer it. */
export interface SlowInstance {
  readonly service: string
  readonly method: string
  /** `host:pid`. */
  readonly instance: string
  readonly calls: number
  /** Of the other instances. */
  readonly others: number
  readonly medianMs: number
  readonly othersMedianMs: number
  /** Of both medians, and within which it lies in 95 of 100 cases. */
  readonly ratio: number
  readonly ratios: Interval
  /** Which part of its calls explains most of that; `downstream` is waiting for calls of its own. */
  readonly leg: 'self' | 'queue' | 'network' | 'downstream' | undefined
  readonly p: number
}

interface Tested {
  readonly service: string
  readonly method: string
  readonly instance: string | undefined
  readonly calls: readonly Readonly<
    Record<'total' | 'handle' | 'self' | 'queue' | 'network', number>
  >[]
}

type Call = Tested['calls'][number]

/** An instance must have answered so many calls, and the others together. */
const LEAST_CALLS = 5
/** Slower by less is nobody's concern. */
const LEAST_RATIO = 1.1
const CHANCE = 0.05
const DRAWS = 200

/**
 * Of every method, each of its instances is tested against the others by rank; of those that are told
 * one in twenty at most is chance (Benjamini and Hochberg over all tests).
 * @param methods the instances of each
 */
export function slowInstances(methods: readonly (readonly Tested[])[]): readonly SlowInstance[] {
  const tests: { one: Tested; others: readonly Call[]; p: number }[] = []
  for (const instances of methods) {
    if (instances.length < 2) continue
    for (const one of instances) {
      const others = instances.flatMap((each) => (each === one ? [] : each.calls))
      if (one.calls.length < LEAST_CALLS || others.length < LEAST_CALLS) continue
      tests.push({ one, others, p: rankSumP(timesOf(one.calls), timesOf(others)) })
    }
  }
  const limit = discoveryLimit(
    tests.map(({ p }) => p),
    CHANCE,
  )
  const found: SlowInstance[] = []
  for (const { one, others, p } of tests) {
    if (p > limit) continue
    const [own, rest] = [timesOf(one.calls).sort(), timesOf(others).sort()]
    const [medianMs, othersMedianMs] = [quantileOf(own, 0.5), quantileOf(rest, 0.5)]
    const ratios = ratiosOf(own, rest)
    if (medianMs < othersMedianMs * LEAST_RATIO || ratios.low <= 1) continue
    const { service, method, instance = '' } = one
    found.push({
      ...{ service, method, instance, calls: one.calls.length, others: others.length },
      ...{ medianMs, othersMedianMs, ratio: medianMs / Math.max(othersMedianMs, 1e-6), ratios },
      ...{ leg: legOf(one.calls, others), p },
    })
  }
  return found.sort((a, b) => b.ratio - a.ratio)
}

/** How long the callee took, and its way: what the caller waited for, where that is known. */
function timesOf(calls: readonly Call[]): Float64Array {
  return Float64Array.from(calls, ({ total, handle }) =>
    Number.isNaN(total) ? handle : total,
  ).filter((ms) => !Number.isNaN(ms))
}

/** Bootstrap of the ratio of both medians. */
function ratiosOf(own: Float64Array, others: Float64Array): Interval {
  const lot = seeded(4)
  const drawn = (from: Float64Array) =>
    quantileOf(from.map(() => from[Math.floor(lot() * from.length)]!).sort(), 0.5)
  return intervalOf(Array.from({ length: DRAWS }, () => drawn(own) / Math.max(drawn(others), 1e-6)))
}

function legOf(own: readonly Call[], others: readonly Call[]): SlowInstance['leg'] {
  const legs = {
    self: ({ self }: Call) => self,
    queue: ({ queue }: Call) => queue,
    network: ({ network }: Call) => network,
    downstream: ({ handle, self, queue }: Call) => handle - self - (queue > 0 ? queue : 0),
  }
  let best: SlowInstance['leg']
  let most = 0
  for (const leg of Object.keys(legs) as (keyof typeof legs)[]) {
    const median = (calls: readonly Call[]) =>
      quantileOf(
        Float64Array.from(calls, legs[leg])
          .filter((ms) => !Number.isNaN(ms))
          .sort(),
        0.5,
      )
    const excess = median(own) - median(others)
    if (excess <= most) continue
    most = excess
    best = leg
  }
  return best
}
