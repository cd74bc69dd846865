import { runText } from '../harness/run-text.ts'
import { type Estimate, estimateText } from '../harness/statistics.ts'
import type { FigureResults, Point } from './results.ts'
import type { Shape } from './services.ts'
import { type SystemKey, systemOf } from './systems.ts'

const TITLES: Readonly<Record<Shape, string>> = {
  depth: 'Depth',
  together: 'Fan-out, asynchronous: all calls at once',
  inSeries: 'Fan-out, synchronous: one call after the other',
}

type Cell = (point: Point, system: SystemKey) => string

/** The results as Markdown: how they came about, the figures, and the numbers in them. */
export function reportOf(results: FigureResults, figures: string | undefined): string {
  return [
    circumstances(results),
    figures === undefined ? '' : `![Figure 3: depth](${figures}/fig-3-depth.svg)`,
    figures === undefined ? '' : `![Figure 4: fan-out](${figures}/fig-4-fanout.svg)`,
    ...(Object.keys(results.figures) as Shape[]).map((shape) => timesOf(results, shape)),
    bytesOf(results),
    processorOf(results),
    failuresOf(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function circumstances(results: FigureResults): string {
  const { broker, delivery } = results
  const transport = broker.name === 'memory' ? 'in memory' : `RabbitMQ ${broker.version ?? ''}`
  const ran = runText(results, [`delivery \`${delivery}\``, transport.trim()])
  return `${ran} The column *off, again* shows how much the figures mean.`
}

function timesOf(results: FigureResults, shape: Shape): string {
  const cell: Cell = ({ measured }, system) => {
    if (measured === undefined) return '–'
    const ratio = system === 'off' ? undefined : measured.ratio
    return ratio === undefined ? milliseconds(measured.ms.median) : bounded(ratio)
  }
  const named = (title: string, key: SystemKey) => (key === 'off' ? 'off, ms' : title)
  const size = shape === 'depth' ? 'depth' : 'services'
  return [
    `### ${TITLES[shape]}`,
    'Milliseconds without profiling; the others as multiples of it, with 95 % confidence intervals of the medians.',
    tableOf(results, shape, size, keysOf(results), named, cell),
  ].join('\n\n')
}

function bytesOf(results: FigureResults): string {
  const keys = keysOf(results).filter((key) => key !== 'off' && key !== 'control')
  const cell: Cell = ({ bytes }) =>
    bytes === undefined ? '–' : `${count(bytes.reply)} / ${count(bytes.all)}`
  return [
    '### Bytes',
    'Trace metadata at each depth: in the reply to the client / in all requests and replies of the call. The same on every machine, to a few bytes.',
    tableOf(results, 'depth', 'depth', keys, (title) => title, cell),
  ].join('\n\n')
}

function processorOf(results: FigureResults): string {
  const cell: Cell = ({ measured }) =>
    measured === undefined ? '–' : measured.processorUs.median.toFixed(0)
  return [
    '### Processor time',
    'Microseconds of client and services together for each call in the chain, as the operating system counts them; the broker’s are not in it.',
    tableOf(results, 'depth', 'depth', keysOf(results), (title) => title, cell),
  ].join('\n\n')
}

function failuresOf({ figures, systems }: FigureResults): string {
  const lines = (Object.keys(figures) as Shape[]).flatMap((shape) =>
    figures[shape].flatMap(({ system, points }) => {
      const failed = points.filter(({ failure }) => failure !== undefined)
      if (failed.length === 0) return []
      const title = systems.find(({ key }) => key === system)?.title
      const sizes = failed.map(({ size }) => size).join(', ')
      return [`- ${TITLES[shape]}, ${title}, at ${sizes}: ${failed[0]!.failure}.`]
    }),
  )
  return lines.length === 0 ? '' : ['### What failed', ...lines].join('\n\n')
}

function keysOf({ systems }: FigureResults): readonly SystemKey[] {
  return systems.map(({ key }) => key)
}

function tableOf(
  results: FigureResults,
  shape: Shape,
  size: string,
  keys: readonly SystemKey[],
  named: (title: string, key: SystemKey) => string,
  cell: Cell,
): string {
  const columns = keys.map((key) => ({
    key,
    title: systemOf(key).title,
    points: results.figures[shape].find((line) => line.system === key)?.points ?? [],
  }))
  const sizes = columns[0]?.points.map((point) => point.size) ?? []
  const rows = sizes.map((one, row) => [
    String(one),
    ...columns.map(({ key, points }) => cell(points[row]!, key)),
  ])
  const head = [size, ...columns.map(({ title, key }) => named(title, key))]
  return [head, head.map(() => '---:'), ...rows]
    .map((texts) => `| ${texts.join(' | ')} |`)
    .join('\n')
}

function milliseconds(value: number): string {
  return value.toPrecision(3).replace(/e.*$/, '')
}

function bounded(estimate: Estimate): string {
  return estimateText(estimate, (value) => value.toFixed(2))
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
