import { formatMs, formatShare } from 'clew/trace'
import { grouped } from '../words.ts'
import { make } from './dom.ts'
import { type Group, methods, spreadOf } from './groups.ts'
import { rowName } from './names.ts'
import type { Scene, TraceView } from './view.ts'

/** Rows that are shown; who has more methods searches. */
const MOST = 500

interface Row extends Group {
  readonly spread: { readonly least: number; readonly median: number; readonly most: number }
}

interface Column {
  readonly title: string
  readonly of: (row: Row) => number
  readonly show: (row: Row, totalUs: number) => string
}

const time = (us: number) => (Number.isNaN(us) ? '–' : formatMs(us / 1000))

const COLUMNS: readonly Column[] = [
  { title: 'Calls', of: ({ count }) => count, show: ({ count }) => grouped(count) },
  {
    title: 'Errors',
    of: ({ errors }) => errors,
    show: ({ errors }) => (errors ? `▲ ${errors}` : '–'),
  },
  {
    title: 'Critical path',
    of: ({ critical }) => critical,
    show: ({ critical }, total) =>
      critical > 0 ? `${time(critical)} · ${formatShare(total > 0 ? critical / total : 0)}` : '–',
  },
  { title: 'Self', of: ({ self }) => self, show: ({ self }) => time(self) },
  { title: 'Total', of: ({ total }) => total, show: ({ total }) => time(total) },
  { title: 'Median', of: ({ spread }) => spread.median, show: ({ spread }) => time(spread.median) },
  { title: 'Most', of: ({ spread }) => spread.most, show: ({ spread }) => time(spread.most) },
]

const UNKNOWN = { least: Number.NaN, median: Number.NaN, most: Number.NaN }

/** Every method with what it cost; sorted by what is asked for. */
export function methodTable(scene: Scene): TraceView {
  const { calls } = scene
  const rows: Row[] = methods(calls).map((group) => ({
    ...group,
    spread: spreadOf(calls, group.rows) ?? UNKNOWN,
  }))
  let sorted: { readonly by: Column; readonly down: boolean } = { by: COLUMNS[2]!, down: true }
  const host = make('div', {
    class: 'scroller sheet',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Methods',
  })
  let chosen = 0
  let shown: readonly Row[] = []
  const draw = () => {
    const { by, down } = sorted
    const value = (row: Row) => (Number.isNaN(by.of(row)) ? -1 : by.of(row))
    shown = rows
      .toSorted((one, other) => (value(other) - value(one)) * (down ? 1 : -1))
      .slice(0, MOST)
    const heads = COLUMNS.map((column) => {
      const isSorted = column === by
      const sign = isSorted ? (down ? ' ▾' : ' ▴') : ''
      const act = make('button', { type: 'button' }, `${column.title}${sign}`)
      act.addEventListener('click', () => {
        sorted = { by: column, down: isSorted ? !down : true }
        scene.redraw()
      })
      const order = isSorted ? (down ? 'descending' : 'ascending') : 'none'
      return make('th', { scope: 'col', 'aria-sort': order }, act)
    })
    const lines = shown.map((row) => {
      const isChosen = row.rows.includes(scene.selected())
      const line = make('tr', {
        'aria-selected': String(isChosen),
        class: isChosen ? 'selected' : '',
      })
      line.append(make('th', { scope: 'row' }, ...rowName(calls, row.row, scene.paint())))
      for (const column of COLUMNS)
        line.append(make('td', {}, column.show(row, calls.trace.totalUs)))
      line.addEventListener('click', () => scene.select(row.row))
      return line
    })
    const note =
      rows.length > MOST
        ? [
            make(
              'p',
              { class: 'quiet' },
              `${MOST} of ${grouped(rows.length)} methods; search for others`,
            ),
          ]
        : []
    host.replaceChildren(
      make(
        'table',
        {},
        make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'Method'), ...heads)),
        make('tbody', {}, ...lines),
      ),
      ...note,
    )
  }
  return {
    host,
    timed: false,
    draw,
    reveal() {
      host.querySelector('.selected')?.scrollIntoView({ block: 'nearest' })
    },
    move(step) {
      const at = shown.findIndex((row) => row.rows.includes(scene.selected()))
      chosen = Math.min(
        shown.length - 1,
        Math.max(0, at + (step === 'down' || step === 'in' ? 1 : -1)),
      )
      const row = shown[at < 0 ? 0 : chosen]
      if (row !== undefined) scene.select(row.row)
    },
  }
}
