import { type Interval, intervalChart } from '../charts/interval-chart.ts'
import type { Mark } from '../charts/mark.ts'
import { type Colour, drawPage } from '../charts/page.ts'
import type { Range } from '../charts/scale.ts'
import { counted } from '../harness/run-text.ts'
import type { Estimate } from '../harness/statistics.ts'
import type { LoadResults, OverheadResults, SystemResults } from './results.ts'
import type { SystemKey } from './systems.ts'

type Drawn = Exclude<SystemKey, 'off'>
type Against = NonNullable<LoadResults['against']>

const MARKS: Readonly<Record<Drawn, Mark>> = {
  control: { name: 'control', marker: 'ring' },
  installed: { name: 'installed', marker: 'square' },
  traced: { name: 'traced', marker: 'diamond' },
  kept: { name: 'kept', marker: 'triangle' },
}

const COLOURS: Readonly<Record<Drawn, Colour>> = {
  control: { light: '#57606a', dark: '#a5b0bd' },
  installed: { light: '#00705a', dark: '#4fd1b0' },
  traced: { light: '#0b62b8', dark: '#6cb6ff' },
  kept: { light: '#9c2f7f', dark: '#f28fd0' },
}

const HEIGHT = 300
/** Ends of the axis are multiples of it, and numbers beside bars have room before them. */
const STEP = 0.05
const ROOM = 0.025
/** At least on the axis, so that noise does not look like much. */
const USUAL: Range = { from: 0.9, to: 1.1 }

/** What tracing changes, as one SVG: throughput, p50 and processor time, on the same axis. */
export function drawOverhead(results: OverheadResults): string {
  const { broker, machine, rounds } = results
  const range = rangeOf(results)
  const chart = (title: string, note: string, of: (against: Against) => Estimate) =>
    intervalChart({
      title,
      note,
      across: 'calls at a time',
      groups: groupsOf(results, of),
      range,
      reference: 1,
      format: (value) => value.toFixed(2),
    })
  return drawPage({
    title: 'What it costs to trace every call: ratios to the same service without a profiler',
    subtitle: `RabbitMQ ${broker.version ?? ''}, Node ${machine.node.slice(1)}, ${machine.cores} cores; medians of ${counted(rounds, 'interleaved round')}, bars: 95 % confidence. The axes go from ${range.from.toFixed(2)} to ${range.to.toFixed(2)}${range.from > 0 ? ', not from 0' : ''}.`,
    description: descriptionOf(results),
    legend: drawnOf(results).map(({ key, mark, title }) => ({
      mark,
      label: key === 'control' ? `${title}: noise` : title,
    })),
    colours: COLOURS,
    rows: [
      {
        height: HEIGHT,
        charts: [
          chart('Calls a second', 'below 1: fewer', ({ throughput }) => throughput),
          chart('Median time of a call', 'above 1: longer', ({ p50 }) => p50),
          chart('Processor time of a call', 'above 1: more', ({ cpu }) => cpu),
        ],
      },
    ],
  })
}

/** All that are held against `off`, with how they are drawn. */
function drawnOf({ systems }: OverheadResults) {
  return systems.flatMap(({ key, title, loads }) =>
    key === 'off' ? [] : [{ key, title: plain(title), mark: MARKS[key], loads }],
  )
}

function groupsOf(results: OverheadResults, of: (against: Against) => Estimate) {
  const [first] = results.systems
  return (first?.loads ?? []).map(({ concurrency }) => ({
    label: String(concurrency),
    intervals: drawnOf(results).flatMap(({ key, mark, loads }): Interval[] => {
      const against = againstAt(loads, concurrency)
      if (against === undefined) return []
      const { median, low, high } = of(against)
      return [{ mark, value: median, low, high, told: key === 'traced' }]
    }),
  }))
}

function againstAt(loads: SystemResults['loads'], concurrency: number): Against | undefined {
  return loads.find((load) => load.concurrency === concurrency)?.against
}

/** One for all charts: they are compared with each other. */
function rangeOf({ systems }: OverheadResults): Range {
  const estimates = systems.flatMap(({ loads }) =>
    loads.flatMap(({ against }) =>
      against === undefined ? [] : [against.throughput, against.p50, against.cpu],
    ),
  )
  const lowest = Math.min(USUAL.from, ...estimates.map(({ low }) => low))
  const highest = Math.max(USUAL.to, ...estimates.map(({ high }) => high))
  const hundredths = (value: number) => Math.round(value * 100) / 100
  return {
    from: hundredths(Math.max(0, Math.floor((lowest - ROOM) / STEP) * STEP)),
    to: hundredths(Math.ceil((highest + ROOM) / STEP) * STEP),
  }
}

function descriptionOf(results: OverheadResults): string {
  const two = ({ median }: Estimate) => median.toFixed(2)
  const parts = drawnOf(results).flatMap(({ title, loads }) =>
    loads.flatMap(({ concurrency, against }) =>
      against === undefined
        ? []
        : [
            `${title}, ${concurrency} at a time: ${[against.throughput, against.p50, against.cpu].map(two).join(', ')}`,
          ],
    ),
  )
  return `Throughput, median time and processor time of a call as multiples of those without a profiler. ${parts.join('; ')}.`
}

/** Titles are Markdown; pictures are not. */
function plain(title: string): string {
  return title.replaceAll('`', '')
}
