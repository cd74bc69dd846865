import { fisherP, quantileOf, rankSumP } from './chance.ts'
import type { PathTable } from './path-table.ts'
import type { Kind } from './sides.ts'
import { criticalMsOf, type PathUse, type TraceProfile } from './trace-profile.ts'

/**
 * In what a call path differs. `critical`: its time that requests waited for; `self`: its own time,
 * and `way`: its time there and back, waited for or not; `presence`: how many of its caller's traces
 * call it; `calls`: how often they do; `failures`: how often a failure begins there; `unseen`: how
 * often its callee leaves no entries.
 */
export type Trait = 'critical' | 'self' | 'way' | 'presence' | 'calls' | 'failures' | 'unseen'

/** What one path did on one side, per trace of its kind of request. */
export interface PathSide {
  /** Traces in which it was called. */
  readonly traces: number
  /** Share of the traces in which its caller was called, from 0 to 1. */
  readonly presence: number
  /** Per trace in which it was called. */
  readonly callsPerTrace: number
  /** Mean over all traces of its kind of request. */
  readonly criticalMs: number
  readonly workMs: number
  readonly queueMs: number
  readonly wayMs: number
  /** In the methods themselves and on the way, waited for or not. */
  readonly selfMs: number
  readonly awayMs: number
  /** Share of the traces with it in which a failure began in it. */
  readonly failures: number
  /** Share of the traces with it in which a callee left no entries. */
  readonly unseen: number
}

/** One path of one kind of request, compared. */
export interface PathTest {
  readonly path: number
  readonly kind: Kind
  readonly before: PathSide
  readonly after: PathSide
  /** How likely a difference as great is by chance, trait by trait. */
  readonly p: Readonly<Record<Trait, number>>
}

interface Uses {
  readonly before: PathUse[]
  readonly after: PathUse[]
}

/** Tests every path of a kind of request. */
export function testPaths(kind: Kind, table: PathTable): readonly PathTest[] {
  const paths = new Map<number, Uses>()
  gather(kind.before, 'before', paths)
  gather(kind.after, 'after', paths)
  const [n, m] = [kind.before.length, kind.after.length]
  return [...paths].map(([path, { before: a, after: b }]) => {
    const above = paths.get(table.at(path).parent)
    const [over, under] = [above?.before.length ?? n, above?.after.length ?? m]
    const share = (list: readonly PathUse[], of: (use: PathUse) => number) =>
      list.reduce((sum, use) => sum + (of(use) > 0 ? 1 : 0), 0)
    // Of the traces with it alone: how many there are is a trait of its own.
    const times = (of: (use: PathUse) => number) => timesP(a.map(of), b.map(of))
    const traces = (of: (use: PathUse) => number) =>
      fisherP(share(a, of), a.length, share(b, of), b.length)
    const p = {
      critical: times(criticalMsOf),
      self: times((use) => use.selfMs),
      way: times((use) => use.awayMs),
      // Where its caller was not called it could not be either: that is the caller's difference.
      presence: above === undefined ? 1 : fisherP(a.length, over, b.length, under),
      calls: rankSumP(a.map(callsOf), b.map(callsOf)),
      failures: traces((use) => use.origins),
      unseen: traces((use) => use.unseen),
    }
    return { path, kind, before: sideOf(a, n, over), after: sideOf(b, m, under), p }
  })
}

const callsOf = (use: PathUse) => use.calls

function gather(
  profiles: readonly TraceProfile[],
  side: 'before' | 'after',
  paths: Map<number, Uses>,
): void {
  for (const { uses } of profiles) {
    for (const use of uses) {
      const both = paths.get(use.path) ?? { before: [], after: [] }
      paths.set(use.path, both)
      both[side].push(use)
    }
  }
}

/** Shares of all durations above which the two sides are counted. */
const TAILS = [0.8, 0.9, 0.975]

/**
 * How likely it is that durations differ as much by chance: the least of a test by rank, and of tests
 * of how many are among the slowest of both sides, times their number (Bonferroni).
 */
export function timesP(a: readonly number[], b: readonly number[]): number {
  const all = Float64Array.from([...a, ...b]).sort()
  let least = rankSumP(a, b)
  for (const share of TAILS) {
    const limit = quantileOf(all, share)
    const over = (list: readonly number[]) =>
      list.reduce((sum, ms) => sum + (ms > limit ? 1 : 0), 0)
    least = Math.min(least, fisherP(over(a), a.length, over(b), b.length))
  }
  return Math.min(1, least * (1 + TAILS.length))
}

function sideOf(uses: readonly PathUse[], all: number, over: number): PathSide {
  const sums = { calls: 0, work: 0, queue: 0, way: 0, self: 0, away: 0, failures: 0, unseen: 0 }
  for (const use of uses) {
    sums.calls += use.calls
    sums.work += use.workMs
    sums.queue += use.queueMs
    sums.way += use.wayMs
    sums.self += use.selfMs
    sums.away += use.awayMs
    if (use.origins > 0) sums.failures++
    if (use.unseen > 0) sums.unseen++
  }
  const per = (sum: number, count: number) => (count > 0 ? sum / count : 0)
  const { length } = uses
  return {
    ...{ traces: length, presence: per(length, over), callsPerTrace: per(sums.calls, length) },
    criticalMs: per(sums.work + sums.queue + sums.way, all),
    ...{ workMs: per(sums.work, all), queueMs: per(sums.queue, all), wayMs: per(sums.way, all) },
    ...{
      selfMs: per(sums.self, all),
      awayMs: per(sums.away, all),
      failures: per(sums.failures, length),
    },
    unseen: per(sums.unseen, length),
  }
}
