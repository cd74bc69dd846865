import type { CallTree } from '../call-node.ts'
import { quantileOf, seeded } from './chance.ts'
import { type CallPath, PathTable, pathName } from './path-table.ts'
import { Sketch } from './sketch.ts'
import { criticalMsOf, type PathUse, profileOf, type TraceProfile } from './trace-profile.ts'

/** What the calls of one path did over a population. Sums are over all traces. */
export interface PathStatistics {
  readonly path: CallPath
  readonly name: string
  /** Traces in which it was called. */
  readonly traces: number
  /** Share of the traces of its kind of request, from 0 to 1. */
  readonly presence: number
  /** Calls per trace in which there was one. */
  readonly callsPerTrace: number
  /** Critical time of the calls themselves, each moment of a request counted once. */
  readonly criticalMs: number
  /** Of the critical time of all requests, from 0 to 1. */
  readonly share: number
  readonly workMs: number
  readonly queueMs: number
  readonly wayMs: number
  readonly selfMs: number
  readonly failed: number
  /** Calls in which a failure began. */
  readonly origins: number
  /** Critical time per trace in which it was called. */
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** Mean critical time in requests about as slow as the median, as 95 and as 99 of 100 of their kind. */
  readonly windows: { readonly p50: number; readonly p95: number; readonly p99: number }
  /** How much the mean of all requests would fall at most without these calls' own time. */
  readonly dragMs: number
  /** Median over traces of the least any of the calls could have taken longer unnoticed. */
  readonly slackMs: number | undefined
}

/** Traces of which every path's use is kept, drawn by lot from all. */
export interface Sample {
  readonly table: PathTable
  readonly profiles: readonly TraceProfile[]
  /** How many there are in all. */
  readonly of: number
}

export interface CallPathsOptions {
  /** Seed of the lot. @default 1 */
  readonly seed?: number
  /** Traces kept at most. @default 4_000 */
  readonly mostTraces?: number
}

interface Sums extends PathUse {
  traces: number
  readonly critical: Sketch
  readonly slack: Sketch
}

/** Uses kept at most, whatever the number of traces. */
const MOST_USES = 400_000

/**
 * The population's critical path: what each call path of many traces costs, as one tree of calls by
 * path. Add trees one by one: what is kept are sums and sketches per path, and a sample of traces.
 */
export class CallPaths {
  readonly table = new PathTable()
  /** Traces added. */
  traces = 0
  /** Trees that are no request with a known duration. */
  passedOver = 0
  readonly #sums: Sums[] = []
  readonly #lot: () => number
  readonly #mostTraces: number
  #profiles: TraceProfile[] = []
  #rate = 1
  #uses = 0

  constructor({ seed = 1, mostTraces = 4_000 }: CallPathsOptions = {}) {
    this.#lot = seeded(seed)
    this.#mostTraces = mostTraces
  }

  add(tree: CallTree): void {
    const profile = profileOf(tree, this.table)
    if (profile === undefined) {
      this.passedOver++
      return
    }
    this.traces++
    for (const use of profile.uses) this.#sum(use)
    if (this.#lot() >= this.#rate) return
    this.#profiles.push(profile)
    this.#uses += profile.uses.length
    while (this.#profiles.length > this.#mostTraces || this.#uses > MOST_USES) {
      if (this.#profiles.length <= 1) break
      this.#rate /= 2
      this.#profiles = this.#profiles.filter(() => this.#lot() < 0.5)
      this.#uses = this.#profiles.reduce((sum, { uses }) => sum + uses.length, 0)
    }
  }

  get sample(): Sample {
    return { table: this.table, profiles: this.#profiles, of: this.traces }
  }

  /** Every path, callers before whom they call. */
  get paths(): readonly PathStatistics[] {
    const windows = new Windows(this.#profiles)
    let all = 0
    for (const sums of this.#sums) if (sums !== undefined) all += criticalMsOf(sums)
    const told: PathStatistics[] = []
    for (let index = 0; index < this.table.size; index++) {
      const sums = this.#sums[index]
      if (sums === undefined) continue
      const path = this.table.at(index)
      const kind = this.#sums[path.root]!.traces
      told.push(this.#tell(path, sums, { all, kind, windows: windows.of(path) }))
    }
    return told
  }

  #sum(use: PathUse): void {
    const { path } = use
    const critical = criticalMsOf(use)
    const before = this.#sums[path]
    if (before === undefined) {
      this.#sums[path] = { ...use, traces: 1, critical: new Sketch(), slack: new Sketch() }
    } else {
      before.traces++
      for (const key of SUMMED) before[key] += use[key]
    }
    const sums = this.#sums[path]!
    sums.critical.add(critical)
    if (use.slackMs !== undefined) sums.slack.add(use.slackMs)
  }

  #tell(
    path: CallPath,
    sums: Sums,
    { all, kind, windows }: { all: number; kind: number; windows: PathStatistics['windows'] },
  ): PathStatistics {
    const { traces, calls, workMs, queueMs, wayMs, selfMs, failed, origins, critical, slack } = sums
    const criticalMs = criticalMsOf(sums)
    return {
      ...{ path, name: pathName(path), traces, presence: traces / kind },
      ...{ callsPerTrace: calls / traces, criticalMs, share: all > 0 ? criticalMs / all : 0 },
      ...{ workMs, queueMs, wayMs, selfMs, failed, origins },
      ...{ p50Ms: critical.quantile(0.5), p95Ms: critical.quantile(0.95) },
      ...{ p99Ms: critical.quantile(0.99), windows },
      ...{
        dragMs: sums.dragMs / this.traces,
        slackMs: slack.count > 0 ? slack.quantile(0.5) : undefined,
      },
    }
  }
}

const SUMMED = [
  ...(['calls', 'workMs', 'queueMs', 'wayMs', 'selfMs'] as const),
  ...(['awayMs', 'failed', 'origins', 'unseen', 'dragMs'] as const),
]

const WINDOWS = { p50: [0.4, 0.6], p95: [0.93, 0.97], p99: [0.98, 1] } as const

/** Mean use of each path among the requests of a kind that are about as slow as a quantile. */
class Windows {
  readonly #means = new Map<keyof typeof WINDOWS, Map<number, number>>()

  constructor(profiles: readonly TraceProfile[]) {
    const kinds = [...Map.groupBy(profiles, ({ root }) => root).values()]
    for (const name of Object.keys(WINDOWS) as (keyof typeof WINDOWS)[]) {
      const means = new Map<number, number>()
      for (const kind of kinds) addMeans(means, kind, WINDOWS[name])
      this.#means.set(name, means)
    }
  }

  of({ index }: CallPath): PathStatistics['windows'] {
    const mean = (name: keyof typeof WINDOWS) => this.#means.get(name)!.get(index) ?? 0
    return { p50: mean('p50'), p95: mean('p95'), p99: mean('p99') }
  }
}

function addMeans(
  means: Map<number, number>,
  kind: readonly TraceProfile[],
  [low, high]: readonly [number, number],
): void {
  const totals = Float64Array.from(kind, ({ totalMs }) => totalMs).sort()
  const [from, to] = [quantileOf(totals, low), quantileOf(totals, high)]
  const inside = kind.filter(({ totalMs }) => totalMs >= from && totalMs <= to)
  for (const { uses } of inside) {
    for (const use of uses) {
      means.set(use.path, (means.get(use.path) ?? 0) + criticalMsOf(use) / inside.length)
    }
  }
}
