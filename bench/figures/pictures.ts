import type { Drawing } from '../charts/box.ts'
import { type ChartLine, type ChartPoint, type LineStyle, lineChart } from '../charts/line-chart.ts'
import { type Colour, drawPage } from '../charts/page.ts'
import type { Picture } from '../harness/outcome.ts'
import { counted } from '../harness/run-text.ts'
import type { FigureResults, Line, Point } from './results.ts'
import type { Shape } from './services.ts'
import type { SystemKey } from './systems.ts'

const STYLES: Readonly<Record<SystemKey, LineStyle & { readonly colour: Colour }>> = {
  off: {
    name: 'off',
    marker: 'circle',
    colour: { light: '#57606a', dark: '#a5b0bd' },
  },
  control: {
    name: 'control',
    marker: 'circle',
    dashes: '2 2',
    colour: { light: '#57606a', dark: '#a5b0bd' },
  },
  paper: {
    name: 'paper',
    marker: 'square',
    colour: { light: '#b54708', dark: '#ff9e64' },
  },
  paperFirst: {
    name: 'paper-first',
    marker: 'triangle',
    dashes: '7 3',
    colour: { light: '#9c2f7f', dark: '#f28fd0' },
  },
  clew: {
    name: 'clew',
    marker: 'diamond',
    colour: { light: '#0b62b8', dark: '#6cb6ff' },
  },
  spilling: {
    name: 'spilling',
    marker: 'ring',
    dashes: '3 3',
    colour: { light: '#00705a', dark: '#4fd1b0' },
  },
}

const HEIGHT = 268
const COLOURS = Object.fromEntries(
  Object.values(STYLES).map(({ name, colour }) => [name, colour]),
) as Readonly<Record<string, Colour>>

/** The paper's Figures 3 and 4, drawn anew. */
export function drawFigures(results: FigureResults): readonly Picture[] {
  const subtitle = describeRun(results)
  const depth = 'depth: services in the chain'
  const width = 'fan-out: services called'
  const figure3 = drawPage({
    title: 'Depth: a chain of services that call each other',
    subtitle,
    description: describeEnds(results, 'depth'),
    colours: COLOURS,
    rows: [
      {
        height: HEIGHT,
        charts: [
          timeChart(results, 'depth', 'Time of a call, ms', depth),
          ratioChart(results, 'depth', depth),
        ],
      },
      {
        height: HEIGHT,
        charts: [
          bytesChart(results, 'reply', 'Trace bytes in the reply to the client', depth),
          bytesChart(results, 'all', 'Trace bytes in all messages of a call', depth),
        ],
      },
    ],
  })
  const figure4 = drawPage({
    title: 'Fan-out: one service calls many',
    subtitle,
    description: `${describeEnds(results, 'together')} ${describeEnds(results, 'inSeries')}`,
    colours: COLOURS,
    rows: [
      {
        height: HEIGHT,
        charts: [
          timeChart(results, 'together', 'Asynchronous, all at once: time, ms', width),
          ratioChart(results, 'together', width),
        ],
      },
      {
        height: HEIGHT,
        charts: [
          timeChart(results, 'inSeries', 'Synchronous, one after the other: time, ms', width),
          ratioChart(results, 'inSeries', width),
        ],
      },
    ],
  })
  return [
    { file: 'fig-3-depth.svg', svg: figure3 },
    { file: 'fig-4-fanout.svg', svg: figure4 },
  ]
}

function describeRun({ broker, machine, rounds, delivery }: FigureResults): string {
  const transport = broker.name === 'memory' ? 'in memory' : `RabbitMQ ${broker.version ?? ''}`
  return `${transport.trim()}, delivery ${delivery}, Node ${machine.node.slice(1)}, ${machine.cores} cores; medians of ${counted(rounds, 'interleaved round')}, bars: 95 % confidence`
}

function describeEnds({ figures, systems }: FigureResults, shape: Shape): string {
  const parts = figures[shape].flatMap(({ system, points }) => {
    const last = points.findLast(({ measured }) => measured?.ratio !== undefined)
    if (last === undefined) return []
    const title = systems.find(({ key }) => key === system)?.title ?? system
    return [`${title} ${last.measured!.ratio!.median.toFixed(2)}`]
  })
  const largest = figures[shape][0]?.points.at(-1)?.size ?? 0
  return `Time against no profiling, ${shape} ${largest}: ${parts.join(', ')}.`
}

function timeChart(results: FigureResults, shape: Shape, title: string, across: string): Drawing {
  const lines = linesOf(results, shape, ({ measured }) => measured?.ms.median).filter(
    ({ system }) => system !== 'control',
  )
  return lineChart({ title, across, lines, scale: 'linear', format: short })
}

function ratioChart(results: FigureResults, shape: Shape, across: string): Drawing {
  const lines = linesOf(results, shape, ({ measured }) => measured?.ratio?.median)
  const bars = lines.map((line) => withBars(line, results.figures[shape]))
  return lineChart({
    title: 'Time against no profiling',
    note: '1 is as fast; both axes logarithmic',
    across,
    spacing: 'log',
    lines: bars,
    scale: 'log',
    include: { from: 0.9, to: 1.5 },
    reference: 1,
    format: (value) => `${value} ×`,
  })
}

function withBars(line: ChartLine & { readonly system: SystemKey }, all: readonly Line[]) {
  const measured = all.find(({ system }) => system === line.system)!.points
  const points = line.points.map((point): ChartPoint => {
    const ratio = measured.find(({ size }) => size === point.x)!.measured!.ratio!
    return { ...point, low: ratio.low, high: ratio.high }
  })
  return { ...line, points }
}

function bytesChart(
  results: FigureResults,
  kind: 'reply' | 'all',
  title: string,
  across: string,
): Drawing {
  const lines = linesOf(results, 'depth', ({ bytes }) => bytes?.[kind] || undefined)
  const note = 'both axes logarithmic'
  return lineChart({ title, note, across, spacing: 'log', lines, scale: 'log', format: bytesText })
}

function linesOf(
  results: FigureResults,
  shape: Shape,
  value: (point: Point) => number | undefined,
): readonly (ChartLine & { readonly system: SystemKey })[] {
  return results.figures[shape].flatMap(({ system, points }) => {
    const drawn = points.flatMap((point): ChartPoint[] => {
      const y = value(point)
      return y === undefined ? [] : [{ x: point.size, y }]
    })
    if (drawn.length === 0) return []
    const { title } = results.systems.find(({ key }) => key === system)!
    const failed = points.some(({ failure }) => failure !== undefined)
    const ends = failed ? `ends at ${drawn.at(-1)!.x}` : undefined
    return [{ system, style: STYLES[system], label: title, points: drawn, ends }]
  })
}

function short(value: number): string {
  return value >= 1000 ? `${value / 1000}k` : String(value)
}

function bytesText(value: number): string {
  if (value >= 1e6) return `${value / 1e6} MB`
  return value >= 1000 ? `${value / 1000} kB` : `${value} B`
}
