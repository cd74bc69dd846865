import type { Drawing } from './box.ts'
import { heading } from './heading.ts'
import { type Mark, marks } from './mark.ts'
import { element, rounded, text } from './markup.ts'
import { linearScale, logScale, type Range, type Scale, spreadOut } from './scale.ts'

export interface LineStyle extends Mark {
  readonly dashes?: string | undefined
}

export interface ChartPoint {
  readonly x: number
  readonly y: number
  /** Ends of the bar through the point. */
  readonly low?: number
  readonly high?: number
}

export interface ChartLine {
  readonly style: LineStyle
  readonly label: string
  readonly points: readonly ChartPoint[]
  /** A mark where the line ends before the others do: there was nothing to measure. */
  readonly ends?: string | undefined
}

export interface Chart {
  readonly title: string
  /** Behind the title: how to read it. @default nothing */
  readonly note?: string
  readonly across: string
  /** How values across are spaced; logarithmic ones are above 0. @default 'linear' */
  readonly spacing?: 'linear' | 'log'
  readonly lines: readonly ChartLine[]
  readonly scale: 'linear' | 'log'
  /** Values that must be on the axis. @default none on a logarithmic one, 0 on a linear one */
  readonly include?: Range | undefined
  /** Value drawn as a line of its own. @default none */
  readonly reference?: number | undefined
  readonly format: (value: number) => string
}

const MARGIN = { left: 52, right: 134, top: 34, bottom: 40 } as const
const LABEL_HEIGHT = 14
const BAR_WIDTH = 1.4
const MARKER_ROOM = 6
/** Above and below what is on a logarithmic axis, as a factor. */
const ROOM = 1.03
/** Ticks at most. */
const ROWS = 8
const COLUMNS = 9

/** Lines carry their labels at their ends. */
export function lineChart(chart: Chart): Drawing {
  return (box) => {
    const across: Range = { from: box.x + MARGIN.left, to: box.x + box.width - MARGIN.right }
    const down: Range = { from: box.y + box.height - MARGIN.bottom, to: box.y + MARGIN.top }
    const xs = chart.lines.flatMap(({ points }) => points.map(({ x }) => x))
    const least = xs.length === 0 ? 1 : Math.min(...xs)
    const widest = Math.max(2 * least, ...xs)
    const x =
      chart.spacing === 'log'
        ? logScale({ from: least, to: widest }, across, COLUMNS)
        : linearScale({ from: 0, to: widest }, across)
    const y = verticalScale(chart, down)
    const clip = `plot-${Math.round(box.x)}-${Math.round(box.y)}`
    return element(
      'g',
      {},
      heading(chart.title, chart.note, across.from, box.y + 16),
      element('clipPath', { id: clip }, clipOf(across, down)),
      ...axes(chart, x, y, across, down, least),
      element(
        'g',
        { 'clip-path': `url(#${clip})` },
        ...chart.lines.map((line, rank) => bars(line, x, y, aside(rank, chart.lines.length))),
        ...chart.lines.map((line) => curve(line, x, y)),
      ),
      ...labels(chart.lines, x, y, across, down),
    )
  }
}

function verticalScale({ lines, scale, include }: Chart, pixels: Range): Scale {
  const values = lines.flatMap(({ points }) =>
    points.flatMap(({ y, low = y, high = y }) => [y, low, high]),
  )
  const highest = Math.max(include?.to ?? 0, ...values)
  if (scale === 'log') {
    const lowest = Math.min(include?.from ?? highest, ...values.filter((value) => value > 0))
    return logScale({ from: lowest / ROOM, to: highest * ROOM }, pixels, ROWS)
  }
  const lowest = Math.min(include?.from ?? 0, ...values)
  return linearScale({ from: lowest, to: highest + (highest - lowest) * 0.06 }, pixels)
}

function row(at: number, across: Range, name: string): string {
  return element('line', { x1: across.from, x2: across.to, y1: at, y2: at, class: name })
}

/** A little wider than the plot, so that markers on its edge are whole. */
function clipOf(across: Range, down: Range): string {
  return element('rect', {
    x: across.from - MARKER_ROOM,
    y: down.to - MARKER_ROOM,
    width: across.to - across.from + 2 * MARKER_ROOM,
    height: down.from - down.to + 2 * MARKER_ROOM,
  })
}

function axes(
  chart: Chart,
  x: Scale,
  y: Scale,
  across: Range,
  down: Range,
  least: number,
): readonly string[] {
  const { reference } = chart
  const rows = y.ticks.map((tick) => {
    const at = y.place(tick)
    const number = { x: across.from - 8, y: at + 3.5, class: 'tick end' }
    // Beside the reference's own number there is no room for another.
    const crowded = reference !== undefined && Math.abs(y.place(reference) - at) < LABEL_HEIGHT
    return row(at, across, 'grid') + (crowded ? '' : text(chart.format(tick), number))
  })
  if (reference !== undefined) {
    const at = y.place(reference)
    const number = { x: across.from - 8, y: at + 3.5, class: 'tick end' }
    rows.push(row(at, across, 'reference') + text(chart.format(reference), number))
  }
  // Calls come whole.
  const columns = [least, ...x.ticks.filter((tick) => tick > least && Number.isInteger(tick))].map(
    (tick) => text(String(tick), { x: x.place(tick), y: down.from + 16, class: 'tick middle' }),
  )
  const below = { x: (across.from + across.to) / 2, y: down.from + 32, class: 'axis middle' }
  return [...rows, ...columns, text(chart.across, below)]
}

/** Bars of different lines at one place stand beside each other. */
function aside(rank: number, lines: number): number {
  return (rank - (lines - 1) / 2) * BAR_WIDTH
}

function bars({ points, style }: ChartLine, x: Scale, y: Scale, offset: number): string {
  const path = points
    .filter(({ low, high }) => low !== undefined && high !== undefined)
    .map(({ x: at, low, high }) => {
      const column = rounded(x.place(at) + offset)
      return `M${column} ${rounded(y.place(low!))}V${rounded(y.place(high!))}`
    })
  return path.length === 0 ? '' : element('path', { d: path.join(''), class: `bar ${style.name}` })
}

function curve({ points, style, ends }: ChartLine, x: Scale, y: Scale): string {
  const places = points.map((point) => [x.place(point.x), y.place(point.y)] as const)
  const path = places.map(([px, py]) => `${rounded(px)} ${rounded(py)}`).join('L')
  const last = places.at(-1)
  return element(
    'g',
    {},
    path === ''
      ? ''
      : element('path', {
          d: `M${path}`,
          class: `line ${style.name}`,
          'stroke-dasharray': style.dashes,
        }),
    marks(style, places),
    ends === undefined || last === undefined ? '' : cross(last[0], last[1], style.name),
  )
}

/** Where a system gives up. */
function cross(x: number, y: number, name: string): string {
  const [px, py] = [rounded(x - 5), rounded(y - 5)]
  return element('path', { d: `M${px} ${py}l10 10m0 -10l-10 10`, class: `line ${name}` })
}

function labels(
  lines: readonly ChartLine[],
  x: Scale,
  y: Scale,
  across: Range,
  down: Range,
): readonly string[] {
  const drawn = lines.filter(({ points }) => points.length > 0)
  const ends = drawn.map(({ points }) => points.at(-1)!)
  const wanted = ends.map((end) => Math.max(down.to, y.place(end.y)))
  const room = drawn.map(({ ends: note }, index) => {
    return { at: wanted[index]!, height: note === undefined ? LABEL_HEIGHT : 2 * LABEL_HEIGHT }
  })
  // Places are of the middles of lines: the lowest may be as low as the axis.
  const places = spreadOut(room, { from: down.to, to: down.from + LABEL_HEIGHT })
  const left = across.to + 22
  return drawn.map(({ label, style, ends: note }, index) => {
    const [from, to] = [wanted[index]!, places[index]!]
    const start = x.place(ends[index]!.x) + 6
    const path = `M${rounded(start)} ${rounded(from)}L${rounded(left - 4)} ${rounded(to)}`
    // Dotted where the line has ended before, lest it look as if it went on.
    const dots = note === undefined ? undefined : '1 3'
    const below = { x: left, y: to + 3.8 + LABEL_HEIGHT - 2, class: `label note ${style.name}` }
    return (
      element('path', { d: path, class: `leader ${style.name}`, 'stroke-dasharray': dots }) +
      text(label, { x: left, y: to + 3.8, class: `label ${style.name}` }) +
      (note === undefined ? '' : text(note, below))
    )
  })
}
