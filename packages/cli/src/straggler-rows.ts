import { callName, formatMs, type Straggler } from 'clew/trace'
import { REASONS, WAYS } from './analysis-words.ts'
import type { PageColumn, PageRow } from './page.ts'

const COLUMNS: readonly PageColumn[] = [
  { title: 'STRAGGLERS', least: 16 },
  { title: 'INSTANCE', least: 8, spare: true },
  { title: 'TOOK', side: 'right' },
  { title: 'MEDIAN', side: 'right', spare: true },
  { title: 'TIMES', side: 'right', spare: true },
  { title: 'OF', side: 'right', spare: true },
  { title: 'GAIN', side: 'right' },
  { title: 'BECAUSE OF', least: 12, spare: true },
]

/** What a table tells of stragglers. The gain is how much earlier the caller could have gone on. */
export function stragglerRows(
  found: readonly Straggler[],
): [columns: readonly PageColumn[], rows: readonly PageRow[]] {
  const rows = found.map((straggler): PageRow => {
    const { call, medianMs, times, siblings, impactMs, leg, way, cause, against } = straggler
    const reason = leg === undefined ? 'not known' : way === undefined ? REASONS[leg] : WAYS[way]
    const because = cause === undefined ? reason : callName(cause)
    const cells = [
      callName(call),
      instanceOf(call),
      formatMs(call.totalMs),
      formatMs(medianMs),
      Number.isFinite(times) ? `${times < 10 ? times.toFixed(1) : times.toFixed(0)}×` : '',
      `${siblings}${against === 'baseline' ? ' usual' : ''}`,
      formatMs(impactMs),
      because,
    ]
    return { cells }
  })
  return [COLUMNS, rows]
}

export function instanceOf({
  host,
  pid,
}: {
  readonly host: string | undefined
  readonly pid: number | undefined
}): string {
  if (host === undefined || host === '') return ''
  return pid === undefined ? host : `${host}:${pid}`
}
