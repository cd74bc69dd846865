import { runText } from '../harness/run-text.ts'
import { type Estimate, estimateText } from '../harness/statistics.ts'
import type { Group } from './kinds.ts'
import type { Comparison, PeerResult, PeerResults } from './results.ts'

const GROUPS: Readonly<Record<Group, string>> = {
  fast: 'Transient messages: beside Clew’s delivery `fast`',
  confirmed: 'Persistent and confirmed messages: beside Clew’s delivery `nameko`',
}

/** Those by which people know what was measured. */
const MAIN_PACKAGES = [
  ...['moleculer', '@nestjs/microservices', 'amqplib', '@opentelemetry/sdk-node'],
  '@opentelemetry/instrumentation-amqplib',
]

/** The results as Markdown: how they came about, the figures, and the numbers in them. */
export function reportOf(results: PeerResults, figures: string | undefined): string {
  return [
    circumstances(results),
    figures === undefined
      ? ''
      : `![Calls a second and processor time a call](${figures}/peers.svg)`,
    figuresOf(results, 'fast'),
    figuresOf(results, 'confirmed'),
    ratiosOf(results),
    tracingOf(results),
    skippedOf(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function circumstances(results: PeerResults): string {
  const { broker, windows, versions } = results
  const packages = Object.values(versions).map((pinned) =>
    MAIN_PACKAGES.flatMap((name) => (pinned[name] === undefined ? [] : `${name} ${pinned[name]}`)),
  )
  const ran = runText(results, [
    `${windows[100]} seconds at 100 calls at a time, ${windows[1]} at 1 and ${windows[500]} at 500`,
    `RabbitMQ ${broker.version ?? 'of unknown version'}`,
  ])
  if (packages.length === 0) return ran
  return `${ran} Packages: ${packages.map((names) => names.join(' with ')).join('; ')}.`
}

function figuresOf({ peers }: PeerResults, group: Group): string {
  const rows = peers.flatMap(({ group: its, title, tracer, measured, arrived }) => {
    if (its !== group || measured === null) return []
    const { sequentialP50Us, perS, cpuUsPerCall, brokerCpuUsPerCall } = measured
    return [
      [
        title,
        tracer ?? '',
        ...[sequentialP50Us, perS[1], perS[100], perS[500], cpuUsPerCall].map(whole),
        brokerCpuUsPerCall === null ? '–' : whole(brokerCpuUsPerCall),
        arrived === null
          ? ''
          : `${arrived.perCall.toFixed(2)} of ${arrived.expectedPerCall} ${arrived.unit}`,
      ],
    ]
  })
  if (rows.length === 0) return ''
  const head = ['', 'traced by', 'p50 of one at a time, µs', 'calls/s at 1', 'at 100', 'at 500']
  const more = ['CPU of both processes, µs a call', 'of the broker', 'arrived, a call']
  return [`### ${GROUPS[group]}`, tableOf([...head, ...more], 2, rows)].join('\n\n')
}

const DELIVERIES = {
  fast: '`fast`',
  confirmed: '`nameko`',
} as const

function ratiosOf({ ratios, peers }: PeerResults): string {
  const rows = Object.entries(DELIVERIES).flatMap(([group, delivery]) =>
    Object.entries(ratios.clew[group as keyof typeof DELIVERIES]).map(
      ([key, { untraced, traced }]) => [
        titleOf(peers, key),
        delivery,
        ...comparisonCells(untraced),
        ...comparisonCells(traced),
      ],
    ),
  )
  if (rows.length === 0) return ''
  const head = [
    'Clew against',
    'delivery',
    'calls/s',
    'CPU',
    'calls/s, both traced',
    'CPU, both traced',
  ]
  return [
    '### Clew against each',
    'At 100 calls at a time: medians of the rounds’ ratios with their 95 % confidence intervals. Calls a second above 1 and processor time (of caller and service) below 1 are in Clew’s favour.',
    tableOf(head, 2, rows),
  ].join('\n\n')
}

function tracingOf({ ratios, peers }: PeerResults): string {
  const rows = Object.entries(ratios.tracing).map(([key, comparison]) => [
    titleOf(peers, key),
    peers.find((peer) => peer.key === key && peer.tracer !== null)?.tracer ?? '',
    ...comparisonCells(comparison),
  ])
  if (rows.length === 0) return ''
  return [
    '### What tracing every call costs each',
    'Traced against the same peer untraced, at 100 calls at a time.',
    tableOf(['', 'traced by', 'calls/s kept', 'CPU'], 2, rows),
  ].join('\n\n')
}

function skippedOf({ peers }: PeerResults): string {
  const lines = peers.flatMap(({ title, tracer, skipped }) =>
    skipped === null
      ? []
      : [`- ${title}${tracer === null ? '' : ` with ${tracer}`} was left out: ${skipped}.`],
  )
  return lines.join('\n')
}

function titleOf(peers: readonly PeerResult[], wanted: string): string {
  return peers.find(({ key }) => key === wanted)?.title ?? wanted
}

function comparisonCells(comparison: Comparison | undefined): readonly string[] {
  if (comparison === undefined) return ['–', '–']
  return [ratio(comparison.throughput100), ratio(comparison.cpuPerCall)]
}

function tableOf(
  head: readonly string[],
  texts: number,
  rows: readonly (readonly string[])[],
): string {
  const line = head.map((_, column) => (column < texts ? '---' : '---:'))
  return [head, line, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function ratio(estimate: Estimate): string {
  return estimateText(estimate, (value) => value.toFixed(2))
}

function whole({ median }: Estimate): string {
  return Math.round(median).toLocaleString('en-US')
}
