import {
  type Contribution,
  type Difference,
  formatMs,
  formatShare,
  type PathChange,
  type Reason,
  type TraceDifference,
} from 'clew/trace'
import { counted, placeName } from './analysis-words.ts'
import type { Page, PageRow } from './page.ts'

const MOST_ROWS = 12

/** What differs between two populations, for a terminal. */
export function tellPopulations(
  page: Page,
  found: Difference,
  [before, after]: readonly [string, string],
): void {
  const [first, ...others] = found.sentences
  page.sentence(first!, 'bold', '')
  for (const sentence of others) page.sentence(sentence, 'plain', '')
  const of = (side: Difference['before']) =>
    side.of > side.traces
      ? `${side.traces} of ${counted(side.of, 'trace')}`
      : counted(side.traces, 'trace')
  page.sentence(`${before}: ${of(found.before)}, ${after}: ${of(found.after)}`, 'dim', '')
  if (found.total !== undefined) tellTotals(page, found, [before, after])
  if (found.suspects.length > 0) tellSuspects(page, found)
  if (found.contributions.length > 0) tellContributions(page, found.contributions)
  if (found.paths.length > 0) tellPaths(page, found.paths, [before, after])
  if (found.attributes.length > 0) {
    page.table(
      [
        { title: 'STANDS OUT', least: 20 },
        { title: before.toUpperCase(), side: 'right' },
        { title: after.toUpperCase(), side: 'right' },
      ],
      found.attributes
        .slice(0, MOST_ROWS)
        .map((lift) => row(lift.attribute, formatShare(lift.before), formatShare(lift.after))),
    )
  }
}

const row = (...cells: readonly string[]): PageRow => ({ cells })

const signed = (ms: number) => `${ms >= 0 ? '+' : ''}${formatMs(ms)}`

function tellTotals(
  page: Page,
  { total, failures }: Difference,
  [before, after]: readonly [string, string],
): void {
  const { medians, p95s } = total!
  const times = (name: string, a: number, b: number) =>
    row(name, formatMs(a), formatMs(b), signed(b - a))
  page.table(
    [
      { title: 'REQUESTS' },
      { title: before.toUpperCase(), side: 'right' },
      { title: after.toUpperCase(), side: 'right' },
      { title: 'DIFFERENCE', side: 'right' },
    ],
    [
      times('median', medians.beforeMs, medians.afterMs),
      times('95 of 100 within', p95s.beforeMs, p95s.afterMs),
      row('failed', formatShare(failures.before), formatShare(failures.after), ''),
    ],
  )
}

const REASONS: Readonly<Record<Reason['kind'], string>> = {
  failures: 'failures begin there',
  work: 'its own work takes longer',
  queue: 'requests wait there for a worker',
  way: 'the way there and back takes longer',
  missing: 'calls or their entries are missing',
}

function tellSuspects(page: Page, { suspects }: Difference): void {
  page.table(
    [
      { title: 'SUSPECTS', least: 20 },
      { title: 'WEIGHT', side: 'right' },
      { title: 'WHY', least: 16, spare: true },
    ],
    suspects
      .slice(0, 5)
      .map(({ service, method, weight, reasons }) =>
        row(
          placeName({ service, method }),
          formatShare(weight),
          reasons.map(({ kind }) => REASONS[kind]).join('; '),
        ),
      ),
  )
}

function tellContributions(page: Page, contributions: readonly Contribution[]): void {
  const percent = (share: number) => `${Math.round(share * 100)}`
  page.table(
    [
      { title: 'EXPLAINED BY', least: 16 },
      { title: 'TIME', side: 'right' },
      { title: 'SHARE', side: 'right' },
      { title: '95 % SURE', spare: true },
      { title: '', spare: true },
    ],
    contributions.slice(0, MOST_ROWS).map(({ names, ms, share, shares }) => {
      const sure = `${percent(shares.low)} to ${percent(shares.high)} %`
      const bar = share > 0 ? page.bar(share) : ''
      return row(names.slice(-2).join(' → '), signed(ms), `${percent(share)} %`, sure, bar)
    }),
  )
}

function tellPaths(
  page: Page,
  paths: readonly PathChange[],
  [before, after]: readonly [string, string],
): void {
  const rows = paths.slice(0, MOST_ROWS).map(({ names, differs, before: a, after: b }) => {
    const more = differs.filter((trait) => trait !== 'critical' && trait !== 'self')
    return row(
      names.slice(-2).join(' → '),
      formatMs(a.criticalMs),
      formatMs(b.criticalMs),
      [...new Set(more.map((trait) => TRAITS[trait]({ a, b })))].join(', '),
    )
  })
  page.table(
    [
      { title: 'PATHS THAT DIFFER', least: 16 },
      { title: before.toUpperCase(), side: 'right' },
      { title: after.toUpperCase(), side: 'right' },
      { title: 'ALSO', least: 16, spare: true },
    ],
    rows,
  )
  const left = paths.length - rows.length
  if (left > 0) page.sentence(`and ${left} more`, 'dim')
}

type Sides = { readonly a: PathChange['before']; readonly b: PathChange['after'] }

const change = (a: number, b: number) => `${formatShare(a)} → ${formatShare(b)}`

const TRAITS: Readonly<Record<PathChange['differs'][number], (sides: Sides) => string>> = {
  critical: () => '',
  self: () => '',
  way: () => 'way',
  new: () => 'new',
  missing: () => 'gone',
  presence: ({ a, b }) => `called in ${change(a.presence, b.presence)}`,
  calls: ({ a, b }) => `calls ${a.callsPerTrace.toFixed(1)} → ${b.callsPerTrace.toFixed(1)}`,
  failures: ({ a, b }) => `failures ${change(a.failures, b.failures)}`,
  unseen: ({ a, b }) => `no entries ${change(a.unseen, b.unseen)}`,
}

/** What differs between two traces, for a terminal. */
export function tellTraces(page: Page, found: TraceDifference): void {
  const [first, ...others] = found.sentences
  page.sentence(first!, 'bold', '')
  for (const sentence of others) page.sentence(sentence, 'plain', '')
  const shown = found.calls.slice(0, 20)
  if (shown.length === 0) return
  page.table(
    [
      { title: 'CALLS THAT DIFFER', least: 16 },
      { title: 'BEFORE', side: 'right' },
      { title: 'AFTER', side: 'right' },
      { title: 'DIFFERENCE', side: 'right' },
      { title: '', spare: true },
    ],
    shown.map(({ what, names, beforeMs, afterMs, deltaMs }) =>
      row(
        names.slice(-2).join(' → '),
        what === 'added' ? '' : formatMs(beforeMs),
        what === 'removed' ? '' : formatMs(afterMs),
        signed(deltaMs),
        what === 'retimed' ? '' : what,
      ),
    ),
  )
  const left = found.calls.length - shown.length
  if (left > 0) page.sentence(`and ${left} more`, 'dim')
}
