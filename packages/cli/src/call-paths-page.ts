import { type CallPaths, formatMs, formatShare, type PathStatistics } from 'clew/trace'
import { toMicroseconds } from './analysis-json.ts'
import { counted, spokenPlace } from './analysis-words.ts'
import type { Page, PageRow } from './page.ts'

const MOST_LINES = 40
const MOST_JSON = 2_000
/** Share of all critical time, of a path with all below it, that is worth a line. */
const LEAST_SHARE = 0.005

interface Line {
  readonly path: PathStatistics
  /** With everything below it. */
  readonly below: number
}

/** Paths with their callers, the costliest branch first; what costs little is left out and counted. */
function linesOf(paths: readonly PathStatistics[], most: number, least: number) {
  const below = new Map<number, number>()
  for (const { path, share } of paths.toReversed()) {
    const sum = share + (below.get(path.index) ?? 0)
    below.set(path.index, sum)
    if (path.parent >= 0) below.set(path.parent, (below.get(path.parent) ?? 0) + sum)
  }
  const inner = Map.groupBy(paths, ({ path }) => path.parent)
  const costly = (list: readonly PathStatistics[] = []) =>
    list.toSorted((a, b) => below.get(a.path.index)! - below.get(b.path.index)!)
  const left = costly(inner.get(-1))
  const lines: Line[] = []
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    const all = below.get(path.path.index)!
    if (lines.length >= most || all < least) continue
    lines.push({ path, below: all })
    for (const child of costly(inner.get(path.path.index))) left.push(child)
  }
  return { lines, left: paths.length - lines.length }
}

/** The population's critical path as a tree, for a terminal. */
export function tellCallPaths(page: Page, population: CallPaths): void {
  const { lines, left } = linesOf(population.paths, MOST_LINES, LEAST_SHARE)
  const first = lines.reduce<Line | undefined>(
    (most, line) => (most === undefined || line.path.share > most.path.share ? line : most),
    undefined,
  )
  const of = population.traces === 1 ? '1 request' : `${population.traces} requests`
  if (first !== undefined) {
    const told = `${formatShare(first.path.share)} of the time of ${of} was spent in ${spokenPath(first.path)} itself and on the way there.`
    page.sentence(told, 'bold', '')
  }
  page.table(
    [
      { title: 'CALL PATH', least: 16 },
      { title: 'WITH BELOW', side: 'right' },
      { title: 'ITSELF', side: 'right' },
      { title: 'P50', side: 'right', spare: true },
      { title: 'P99', side: 'right', spare: true },
      { title: 'CALLS', side: 'right', spare: true },
      { title: 'FAILED', side: 'right' },
      { title: 'DRAG', side: 'right', spare: true },
      { title: 'SLACK', side: 'right', spare: true },
    ],
    lines.map(rowOf),
  )
  if (left > 0)
    page.sentence(`and ${counted(left, 'path that costs', 'paths that cost')} little`, 'dim')
  page.sentence('Itself: without its own calls, the way there and back included.', 'dim')
  page.sentence('Drag: what the mean would gain at most without its own time.', 'dim')
  if (lines.some((line) => slackOf(line) !== '')) {
    page.sentence('Slack: how much longer it could take before anything waits for it.', 'dim')
  }
}

const spokenPath = ({ path: { service, method }, name }: PathStatistics) =>
  method === '' ? name : spokenPlace({ service, method })

const slackOf = ({ path: { slackMs } }: Line) =>
  slackMs === undefined || slackMs < 0.001 ? '' : formatMs(slackMs)

function rowOf(line: Line): PageRow {
  const { path, below } = line
  const { callsPerTrace, presence, failed, dragMs } = path
  const indent = '  '.repeat(Math.min(path.path.depth, 12))
  return {
    cells: [
      `${indent}${path.name}`,
      formatShare(below),
      formatShare(path.share),
      formatMs(path.p50Ms),
      formatMs(path.p99Ms),
      (callsPerTrace * presence).toFixed(1),
      failed === 0 ? '' : `${failed}`,
      dragMs > 0 ? formatMs(dragMs) : '',
      slackOf(line),
    ],
  }
}

/** The same as programs read it; callers stand before whom they call. */
export function callPathsJson(population: CallPaths): object {
  const { lines, left } = linesOf(population.paths, MOST_JSON, 0)
  const tree = lines.map(({ path: { path, name, ...told }, below }) => {
    const { index, parent, service, method, depth } = path
    return {
      index,
      parent: parent < 0 ? null : parent,
      service,
      method,
      name,
      depth,
      below,
      ...told,
    }
  })
  return toMicroseconds({ tree, morePaths: left, passedOver: population.passedOver })
}
