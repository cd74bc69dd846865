import { type Bar, barChart, barChartHeight } from '../charts/bar-chart.ts'
import { type Colour, drawPage } from '../charts/page.ts'
import { counted } from '../harness/run-text.ts'
import type { Estimate } from '../harness/statistics.ts'
import type { Family, Group } from './kinds.ts'
import type { PeerFigures, PeerResults } from './results.ts'

const COLOURS: Readonly<Record<Family, Colour>> = {
  clew: { light: '#0b62b8', dark: '#6cb6ff' },
  amqplib: { light: '#57606a', dark: '#a5b0bd' },
  nestjs: { light: '#9c2f7f', dark: '#f28fd0' },
  moleculer: { light: '#00705a', dark: '#4fd1b0' },
  nameko: { light: '#b54708', dark: '#ff9e64' },
}

const GROUPS: Readonly<Record<Group, string>> = {
  fast: 'transient',
  confirmed: 'persistent, confirmed',
}

/** Calls a second and processor time a call, of everybody, as one SVG. */
export function drawPeers(results: PeerResults): string {
  const { broker, machine, rounds } = results
  const groups = (Object.keys(GROUPS) as Group[]).filter((group) =>
    results.peers.some((peer) => peer.group === group && peer.measured !== null),
  )
  return drawPage({
    title: 'RPC over RabbitMQ, 100 calls at a time',
    subtitle: `RabbitMQ ${broker.version ?? ''}, Node ${machine.node.slice(1)}, ${machine.cores} cores; medians of ${counted(rounds, 'interleaved round')} with 95 % confidence intervals; pale: every call traced`,
    description: descriptionOf(results),
    colours: COLOURS,
    rows: groups.map((group) => {
      const perS = barsOf(results, group, (measured) => measured.perS[100])
      const cpuUs = barsOf(results, group, (measured) => measured.cpuUsPerCall)
      const what = GROUPS[group]
      return {
        height: barChartHeight(perS),
        charts: [
          barChart({
            title: 'Calls a second',
            note: `${what}; more is better`,
            bars: perS,
            format,
          }),
          barChart({
            title: 'Processor time of a call, µs',
            note: `${what}; less is better`,
            bars: cpuUs,
            format,
          }),
        ],
      }
    }),
  })
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function barsOf(
  { peers }: PeerResults,
  group: Group,
  of: (measured: PeerFigures) => Estimate,
): readonly Bar[] {
  return peers.flatMap(({ group: its, family, title: name, tracer, measured }): Bar[] => {
    if (its !== group || measured === null) return []
    const { median, low, high } = of(measured)
    // What is traced stands below the same untraced.
    const label = tracer === null ? plain(name) : `traced by ${plain(tracer)}`
    return [{ label, value: median, low, high, style: family, pale: tracer !== null }]
  })
}

function descriptionOf({ peers }: PeerResults): string {
  const parts = peers.flatMap(({ title, tracer, group, measured }) => {
    if (measured === null) return []
    const traced = tracer === null ? '' : ', traced'
    return [`${plain(title)}${traced}, ${GROUPS[group]}: ${Math.round(measured.perS[100].median)}`]
  })
  return `Calls a second at 100 at a time. ${parts.join('; ')}.`
}

/** Titles are Markdown; pictures are not. */
function plain(title: string): string {
  return title.replaceAll('`', '')
}
