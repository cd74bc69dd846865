import { runText } from '../harness/run-text.ts'
import { type Estimate, estimateText } from '../harness/statistics.ts'
import type { LoadResults, OverheadResults } from './results.ts'

/** The results as Markdown. @param figures where the picture lies, seen from the document, if it is there */
export function reportOf(results: OverheadResults, figures: string | undefined): string {
  const { broker, delivery, workers } = results
  return [
    runText(results, [
      `delivery \`${delivery}\``,
      `${workers} workers`,
      `RabbitMQ ${broker.version ?? 'of unknown version'}`,
    ]),
    '',
    ...(figures === undefined
      ? []
      : [`![What tracing every call costs](${figures}/overhead.svg)`, '']),
    'Against *off* in the same round: medians, and between which bounds they lie with 95 % confidence.',
    '',
    '| | calls under way | throughput | p50 | CPU a call, client and service | CPU a call, broker |',
    '|---|---:|---:|---:|---:|---:|',
    ...results.systems.flatMap(({ title, loads }) =>
      loads.flatMap((load) => (load.against === undefined ? [] : [againstRow(title, load)])),
    ),
    '',
    'And as such:',
    '',
    '| | calls under way | calls/s | p50, ms | p99, ms | CPU a call, µs | broker, µs |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...results.systems.flatMap(({ title, loads }) => loads.map((load) => plainRow(title, load))),
  ].join('\n')
}

function againstRow(title: string, { concurrency, against }: LoadResults): string {
  const { throughput, p50, cpu, brokerCpu } = against!
  const cells = [throughput, p50, cpu].map(bounded)
  const broker = brokerCpu === undefined ? '' : bounded(brokerCpu)
  return `| ${[title, concurrency, ...cells, broker].join(' | ')} |`
}

function bounded(estimate: Estimate): string {
  return estimateText(estimate, (value) => value.toFixed(3))
}

function plainRow(title: string, load: LoadResults): string {
  const ms = (us: number) => (us / 1000).toPrecision(3)
  const cells = [
    title,
    load.concurrency,
    Math.round(load.perS).toLocaleString('en-US'),
    ms(load.p50Us),
    ms(load.p99Us),
    load.cpuUs.toFixed(1),
    load.brokerUs === undefined ? '' : load.brokerUs.toFixed(0),
  ]
  return `| ${cells.join(' | ')} |`
}
