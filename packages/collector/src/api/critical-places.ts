import type { PathStatistics } from 'clew/trace'
import type { CriticalPathPlace } from './analysis-shapes.ts'

/** Paths that are told. */
const MOST = 1_000

/**
 * What call paths cost as an answer tells it: callers before whom they call, the costliest branch
 * first; what costs least is left out, with all below it.
 */
export function placesOf(paths: readonly PathStatistics[]): {
  readonly paths: readonly CriticalPathPlace[]
  readonly morePaths: number
} {
  const below = new Map<number, number>()
  for (const { path, share } of paths.toReversed()) {
    const sum = share + (below.get(path.index) ?? 0)
    below.set(path.index, sum)
    if (path.parent >= 0) below.set(path.parent, (below.get(path.parent) ?? 0) + sum)
  }
  const costs = ({ path }: PathStatistics) => below.get(path.index)!
  const inner = Map.groupBy(paths, ({ path }) => path.parent)
  // Of callers at most as many are told as of callees: none is told without its caller.
  const told = paths.toSorted((a, b) => costs(b) - costs(a) || a.path.index - b.path.index)
  const kept = new Set(told.slice(0, MOST).map(({ path }) => path.index))
  const ordered: CriticalPathPlace[] = []
  const left = lastFirst(inner.get(-1))
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (!kept.has(one.path.index)) continue
    ordered.push(placeOf(one, costs(one)))
    left.push(...lastFirst(inner.get(one.path.index)))
  }
  return { paths: ordered, morePaths: paths.length - ordered.length }

  function lastFirst(list: readonly PathStatistics[] = []): PathStatistics[] {
    return list.toSorted((a, b) => costs(a) - costs(b))
  }
}

function placeOf(statistics: PathStatistics, below: number): CriticalPathPlace {
  const { path, share, callsPerTrace, presence, failed, p50Ms, p95Ms, p99Ms, dragMs } = statistics
  const { index, parent, service, method } = path
  return {
    ...{ index, parent: parent < 0 ? null : parent, service, method, share, below },
    ...{ callsPerTrace, presence, failed, p50Ms, p95Ms, p99Ms, dragMs },
  }
}
