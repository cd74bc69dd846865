import type { Drawing } from './box.ts'
import { heading } from './heading.ts'
import { type Mark, marks } from './mark.ts'
import { element, text } from './markup.ts'
import { linearScale, type Range, type Scale } from './scale.ts'

/** A value as a mark on a bar that tells how sure it is. */
export interface Interval {
  readonly mark: Mark
  readonly value: number
  readonly low: number
  readonly high: number
  /** Whether its number stands beside it. @default false */
  readonly told?: boolean
}

/** Groups of values side by side, all on one axis. */
export interface IntervalChart {
  readonly title: string
  /** Behind the title: how to read it. @default nothing */
  readonly note?: string
  /** What the groups' labels are. */
  readonly across: string
  readonly groups: readonly { readonly label: string; readonly intervals: readonly Interval[] }[]
  /** Ends of the axis. Marks have no length, so it need not begin at 0. */
  readonly range: Range
  /** Value drawn as a line of its own. */
  readonly reference: number
  readonly format: (value: number) => string
}

const MARGIN = { left: 46, right: 8, top: 34, bottom: 40 } as const
const WIDEST_STEP = 17
const MARK_SIZE = 1.25
const TICKS = 10

export function intervalChart(chart: IntervalChart): Drawing {
  return (box) => {
    const across: Range = { from: box.x + MARGIN.left, to: box.x + box.width - MARGIN.right }
    const down: Range = { from: box.y + box.height - MARGIN.bottom, to: box.y + MARGIN.top }
    const y = linearScale(chart.range, down, TICKS)
    const width = (across.to - across.from) / Math.max(1, chart.groups.length)
    const groups = chart.groups.map(({ label, intervals }, index) => {
      const left = across.from + index * width
      const step = Math.min(WIDEST_STEP, width / (intervals.length + 0.5))
      const first = left + width / 2 - (step * (intervals.length - 1)) / 2
      return [
        text(label, { x: left + width / 2, y: down.from + 16, class: 'tick middle' }),
        ...intervals.map((one, rank) => drawInterval(one, first + rank * step, y, chart)),
      ].join('')
    })
    const middle = { x: (across.from + across.to) / 2, y: down.from + 32, class: 'axis middle' }
    return element(
      'g',
      {},
      heading(chart.title, chart.note, across.from, box.y + 16),
      ...groups.map((_, index) =>
        index === 0 ? '' : separator(across.from + index * width, down),
      ),
      ...rows(chart, y, across),
      ...groups,
      text(chart.across, middle),
    )
  }
}

function rows({ reference, format }: IntervalChart, y: Scale, across: Range): readonly string[] {
  return y.ticks.map((tick) => {
    const at = y.place(tick)
    const name = tick === reference ? 'reference' : 'grid'
    return (
      element('line', { x1: across.from, x2: across.to, y1: at, y2: at, class: name }) +
      text(format(tick), { x: across.from - 8, y: at + 3.5, class: 'tick end' })
    )
  })
}

function separator(x: number, down: Range): string {
  return element('line', { x1: x, x2: x, y1: down.from, y2: down.to, class: 'grid' })
}

function drawInterval(
  { mark, value, low, high, told = false }: Interval,
  x: number,
  y: Scale,
  { reference, format }: IntervalChart,
): string {
  const [top, bottom] = [y.place(high), y.place(low)]
  // Away from the reference, where the bars of others seldom are, and off the next one's.
  const beside = value < reference ? bottom + 13 : top - 6
  return (
    element('line', { x1: x, x2: x, y1: top, y2: bottom, class: `line ${mark.name}` }) +
    marks(mark, [[x, y.place(value)]], MARK_SIZE) +
    (told ? text(format(value), { x: x - 3, y: beside, class: `label middle ${mark.name}` }) : '')
  )
}
