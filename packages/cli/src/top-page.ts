import type { MapAnswer, MapServiceAnswer } from '@clew/collector/client'
import { columns, cut, padded, printable } from '@clew/render'
import { formatMs, formatShare } from 'clew/trace'
import type { ClewContext } from './command.ts'
import { isAsciiOnly } from './print-tree.ts'
import { wrap } from './wrap.ts'

export const SORTS = ['time', 'failures', 'rate', 'p99', 'name'] as const
export type Sort = (typeof SORTS)[number]

export interface TopStyle {
  readonly sort: Sort
  readonly ascii: boolean
  /** How far back was looked, milliseconds. */
  readonly overMs: number
  readonly filter: string
}

interface Column {
  readonly title: string
  readonly sort?: Sort
  readonly cell: (service: MapServiceAnswer) => string
  /** Left out where there is no room, the greatest first. */
  readonly rank: number
}

const failureShare = ({ calls, failed }: MapServiceAnswer) => (calls > 0 ? failed / calls : 0)

const COLUMNS: readonly Column[] = [
  { title: 'SERVICE', sort: 'name', cell: ({ service }) => service, rank: 0 },
  { title: 'CALLS/S', sort: 'rate', cell: ({ perSecond }) => rate(perSecond), rank: 2 },
  {
    title: 'FAILED',
    sort: 'failures',
    cell: (service) => (service.failed > 0 ? formatShare(failureShare(service)) : '-'),
    rank: 1,
  },
  { title: 'BEGAN HERE', cell: ({ origins }) => (origins > 0 ? rate(origins) : '-'), rank: 5 },
  { title: 'P50', cell: ({ total }) => formatMs(total.p50Ms), rank: 6 },
  { title: 'P99', sort: 'p99', cell: ({ total }) => formatMs(total.p99Ms), rank: 3 },
  {
    title: 'IN FLIGHT',
    cell: ({ inFlight }) => (inFlight === null ? '' : inFlight.toFixed(1)),
    rank: 4,
  },
  { title: 'TIME', sort: 'time', cell: ({ criticalShare }) => formatShare(criticalShare), rank: 1 },
]

const ORDERS: Readonly<Record<Sort, (a: MapServiceAnswer, b: MapServiceAnswer) => number>> = {
  time: (a, b) => b.criticalShare - a.criticalShare,
  failures: (a, b) => b.origins - a.origins || failureShare(b) - failureShare(a),
  rate: (a, b) => b.perSecond - a.perSecond,
  p99: (a, b) => b.total.p99Ms - a.total.p99Ms,
  name: (a, b) => (a.service < b.service ? -1 : 1),
}

const GAP = '  '
/** Share from which on one service is the answer. */
const CLEAR = 0.3
const BAR = 12

/** What services do now: a sentence that answers, then a line each. */
export function topLines(
  { output, env }: Pick<ClewContext, 'output' | 'env'>,
  { services, links }: MapAnswer,
  style: TopStyle,
  height = Number.POSITIVE_INFINITY,
): readonly string[] {
  const unicode = !(style.ascii || isAsciiOnly(env))
  const width = Math.max(40, Math.min(output.width, 120))
  const { bold, dim, red } = output.paint
  const safe = (text: string) => printable(text, unicode)
  const fit = (text: string) => {
    const shown = columns(text) > width ? cut(text, width) : text
    return unicode ? shown : shown.replaceAll('…', '~')
  }
  const about = `${requestRate(links)} over ${formatMs(style.overMs)}${style.filter === '' ? '' : ` · ${style.filter}`}`
  const lines = [bold(fit(safe(about)))]
  for (const line of wrap(safe(answerOf(services)), width)) lines.push(fit(line))
  if (services.length === 0) return lines
  const rows = services.toSorted((a, b) => ORDERS[style.sort](a, b) || ORDERS.name(a, b))
  const kept = fitting(rows, width - BAR - GAP.length, safe)
  const line = (cellOf: (column: Column) => string) =>
    kept
      .map(({ column, width: wide }, at) =>
        padded(cellOf(column), wide, at === 0 ? 'left' : 'right'),
      )
      .join(GAP)
  lines.push('')
  const title = ({ title: name, sort }: Column) => (sort === style.sort ? `${name}*` : name)
  lines.push(bold(fit(line(title))))
  const origins = services.reduce((sum, service) => sum + service.origins, 0)
  const room = Math.max(1, height - lines.length - 1)
  for (const row of rows.slice(0, room)) {
    const bar = (unicode ? '█' : '#').repeat(Math.round(row.criticalShare * BAR))
    const text = fit(`${line((column) => safe(column.cell(row)))}${GAP}${bar}`)
    lines.push(row.origins >= CLEAR * origins && origins > 0 ? red(text) : text)
  }
  if (rows.length > room) lines.push(dim(`and ${rows.length - room} more services`))
  return lines
}

function fitting(
  rows: readonly MapServiceAnswer[],
  room: number,
  safe: (text: string) => string,
): readonly { readonly column: Column; readonly width: number }[] {
  const sized = COLUMNS.map((column) => ({
    column,
    width: rows.reduce(
      (most, row) => Math.max(most, columns(safe(column.cell(row)))),
      column.title.length + 1,
    ),
  }))
  const kept = new Set(sized)
  const total = () => [...kept].reduce((sum, { width }) => sum + width + GAP.length, 0)
  for (const one of sized.toSorted((a, b) => b.column.rank - a.column.rank)) {
    if (total() > room && one.column.rank > 1) kept.delete(one)
  }
  const [name] = sized
  const excess = total() - room
  if (excess <= 0) return [...kept]
  return [...kept].map((one) =>
    one === name ? { ...one, width: Math.max(8, one.width - excess) } : one,
  )
}

/** Who fails, and where the time goes, now. */
function answerOf(services: readonly MapServiceAnswer[]): string {
  if (services.length === 0) return 'No call has come.'
  const [failing] = services.toSorted((a, b) => b.origins - a.origins)
  const [slow] = services.toSorted((a, b) => b.criticalShare - a.criticalShare)
  const origins = services.reduce((sum, service) => sum + service.origins, 0)
  const share = formatShare(failing!.origins / origins)
  const failed =
    origins <= 0
      ? 'Nothing fails.'
      : failing!.origins < CLEAR * origins
        ? `Failures begin in many services: the most, ${share}, in ${failing!.service}.`
        : `${share} of all failures begin in ${failing!.service}.`
  const time = formatShare(slow!.criticalShare)
  return slow!.criticalShare < CLEAR
    ? `${failed} No service takes most of the time: the most, ${time}, ${slow!.service}.`
    : `${failed} Answers wait most for ${slow!.service}: ${time} of the time.`
}

function requestRate(links: MapAnswer['links']): string {
  const [calls, failed] = links
    .filter(({ from }) => from === '')
    .reduce(([a, b], link) => [a + link.calls, b + link.failed], [0, 0])
  const bad = failed > 0 ? `, ${formatShare(failed / calls)} failed` : ''
  return `${calls.toLocaleString('en-US', { maximumFractionDigits: 0 })} requests${bad}`
}

const rate = (perSecond: number) =>
  perSecond >= 100 || Number.isInteger(perSecond)
    ? perSecond.toLocaleString('en-US', { maximumFractionDigits: 0 })
    : perSecond.toPrecision(2)
