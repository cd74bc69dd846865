import type { FoundTrace } from '@clew/collector/client'
import { formatMs, formatShare } from 'clew/trace'
import type { PageColumn, PageRow } from './page.ts'

const COLUMNS: readonly PageColumn[] = [
  { title: 'BEGAN' },
  { title: 'TRACE' },
  { title: 'REQUEST', least: 16 },
  { title: 'TOTAL', side: 'right' },
  { title: 'CALLS', side: 'right', spare: true },
  { title: 'FAILED IN', least: 16, spare: true },
  { title: 'ERROR', least: 12, spare: true },
  { title: 'MOST TIME IN', least: 12, spare: true },
]

/** Last digits of an id that tell it from all others, almost surely: the first ones tell its process. */
const SHORT_ID = 10

/** A table of traces. */
export function foundTable(
  traces: readonly FoundTrace[],
): [columns: readonly PageColumn[], rows: readonly PageRow[]] {
  const oneDay = sameDay(traces)
  return [COLUMNS, traces.map((trace) => ({ cells: cellsOf(trace, oneDay), red: isFailed(trace) }))]
}

function cellsOf(trace: FoundTrace, oneDay: boolean): readonly string[] {
  const { id, startMs, type, totalMs, calls, missingCalls, failed, bottleneck, error, weight } =
    trace
  const where = failed === null ? '' : `${failed.service}.${failed.method}`
  const stands = weight > 1 ? ` (${Math.round(weight)}×)` : ''
  return [
    momentOf(startMs, oneDay),
    id.slice(-SHORT_ID),
    `${type}${stands}`,
    totalMs === null ? 'not ended' : formatMs(totalMs),
    `${calls}${missingCalls > 0 ? `+${missingCalls}?` : ''}`,
    where,
    error ?? '',
    bottleneck === null
      ? ''
      : `${formatShare(bottleneck.share)} ${bottleneck.service}.${bottleneck.method}`,
  ]
}

/** A line of a tail. */
export function tailLine(trace: FoundTrace): string {
  const [began, id, request, total, calls, failed, error, most] = cellsOf(trace, true)
  const beside = isFailed(trace) ? `failed in ${failed} ${error}` : (most ?? '')
  return `${began}  ${id}  ${total!.padStart(9)}  ${calls!.padStart(5)} calls  ${request}  ${beside}`
}

export const isFailed = ({ status }: FoundTrace) => status !== 'ok' && status !== 'pending'

function sameDay(traces: readonly FoundTrace[]): boolean {
  const days = new Set(traces.map(({ startMs }) => new Date(startMs).toDateString()))
  days.add(new Date().toDateString())
  return days.size === 1
}

/** Local time; with the date where there are several. */
function momentOf(ms: number, oneDay: boolean): string {
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
  return oneDay ? time : `${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`
}
