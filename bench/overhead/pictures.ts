import type { Bar, BarChart } from '../charts/bar-chart.ts'
import { type Colour, drawPage } from '../charts/page.ts'
import type { Estimate } from '../harness/statistics.ts'
import type { LoadResults, OverheadResults } from './results.ts'
import type { SystemKey } from './systems.ts'

const COLOURS: Readonly<Record<SystemKey, Colour>> = {
  off: { light: '#57606a', dark: '#a5b0bd' },
  control: { light: '#57606a', dark: '#a5b0bd' },
  installed: { light: '#00705a', dark: '#4fd1b0' },
  traced: { light: '#0b62b8', dark: '#6cb6ff' },
  kept: { light: '#9c2f7f', dark: '#f28fd0' },
}

type Against = NonNullable<LoadResults['against']>

/** What tracing leaves of the throughput, and what it adds to the processor time, as one SVG. */
export function drawOverhead(results: OverheadResults): string {
  const { broker, machine, rounds } = results
  const concurrencies = results.systems[0]?.loads.map(({ concurrency }) => concurrency) ?? []
  return drawPage({
    title: 'Every call traced, against the same service without a profiler',
    subtitle: `RabbitMQ ${broker.version ?? ''}, Node ${machine.node.slice(1)}, ${machine.cores} cores; 1 is without; medians of ${rounds} interleaved rounds with 95 % intervals`,
    description: descriptionOf(results),
    colours: COLOURS,
    rows: concurrencies.map((concurrency) => {
      const loaded = `${concurrency} ${concurrency === 1 ? 'call' : 'calls'} at a time`
      return [
        chartOf(results, concurrency, `Throughput, ${loaded}`, ({ throughput }) => throughput),
        chartOf(results, concurrency, `Processor time a call, ${loaded}`, ({ cpu }) => cpu),
      ]
    }),
  })
}

function chartOf(
  { systems }: OverheadResults,
  concurrency: number,
  title: string,
  of: (against: Against) => Estimate,
): BarChart {
  const bars = systems.flatMap(({ key, title: name, loads }): Bar[] => {
    const against = loads.find((load) => load.concurrency === concurrency)?.against
    if (against === undefined) return []
    const { median, low, high } = of(against)
    return [{ label: plain(name), value: median, low, high, style: key, pale: key === 'control' }]
  })
  return { title, bars, format: (value) => value.toFixed(2) }
}

function descriptionOf({ systems }: OverheadResults): string {
  const parts = systems.flatMap(({ title, loads }) =>
    loads.flatMap(({ concurrency, against }) =>
      against === undefined
        ? []
        : [`${plain(title)}, ${concurrency} at a time: ${against.throughput.median.toFixed(2)}`],
    ),
  )
  return `Throughput as a share of that without a profiler. ${parts.join('; ')}.`
}

/** Titles are Markdown; pictures are not. */
function plain(title: string): string {
  return title.replaceAll('`', '')
}
