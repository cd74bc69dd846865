import { runText } from '../harness/run-text.ts'
import type { Taken } from './measuring.ts'
import { STEPS } from './measuring.ts'
import type { AnalysisResults, TraceMeasured } from './results.ts'

/** The results as Markdown: how they came about, and the numbers. */
export function reportOf(results: AnalysisResults): string {
  const parts = [circumstances(results), timesOf(results), memoryOf(results)]
  if (results.populations.length > 0) parts.push(populationsOf(results))
  const failures = results.traces.flatMap(({ format, shape, calls, failure }) =>
    failure === undefined ? [] : [`- ${format}, ${shape}, ${count(calls)} calls: ${failure}`],
  )
  if (failures.length > 0) parts.push(failures.join('\n'))
  return parts.join('\n\n')
}

function circumstances(results: AnalysisResults): string {
  const { heapLimitBytes, idleBytes } = results
  return [
    runText(results, [`a heap of at most ${megabytes(heapLimitBytes)} MB`]),
    `A process that has done nothing yet takes ${megabytes(idleBytes)} MB, which is part of every peak.`,
  ].join(' ')
}

function timesOf({ traces }: AnalysisResults): string {
  const rows = traces.map((trace) => {
    const { calls, parse, steps } = trace
    const each = (taken: Taken | undefined) =>
      taken === undefined ? '–' : short((taken.ms * 1000) / calls)
    const built = steps === undefined ? Number.NaN : steps.read.ms + steps.tree.ms
    const all = STEPS.reduce((sum, step) => sum + (steps?.[step].ms ?? Number.NaN), 0)
    const told = STEPS.map((step) => each(steps?.[step]))
    return [
      ...[...nameOf(trace), each(parse), ...told],
      ...[times(built, parse?.ms), times(all, parse?.ms)],
    ]
  })
  const heads = ['JSON.parse', 'read', 'tree', 'verdict', 'credits', 'read + tree', 'all']
  return `### Time of one trace\n\nMicroseconds a call; the last two as multiples of JSON.parse.\n\n${table(heads, rows)}`
}

function memoryOf({ traces }: AnalysisResults): string {
  const rows = traces.map((trace) => {
    const { parse, steps } = trace
    const each = (taken: Taken | undefined) =>
      taken === undefined ? '–' : megabytes(taken.peakBytes)
    const most = steps?.credits.peakBytes ?? Number.NaN
    const told = STEPS.map((step) => each(steps?.[step]))
    return [
      ...[...nameOf(trace), megabytes(trace.fileBytes), each(parse), ...told],
      ...[times(most, parse?.peakBytes), Number.isNaN(most) ? '–' : count(most / trace.calls)],
    ]
  })
  const heads = ['file', 'JSON.parse', 'read', 'tree', 'verdict', 'credits', 'all', 'bytes a call']
  return `### Memory of one trace\n\nMost megabytes the process had up to the end of each step; *all* as a multiple of JSON.parse.\n\n${table(heads, rows)}`
}

function populationsOf({ populations }: AnalysisResults): string {
  const lines = populations.map(({ traces, calls, fileBytes, stream }) => {
    const cells = [count(traces), count(calls), megabytes(fileBytes), short(stream.ms / 1000)]
    return `| ${[...cells, short((stream.ms * 1000) / calls), megabytes(stream.peakBytes)].join(' | ')} |`
  })
  const head = '| traces | calls | file, MB | seconds | µs a call | peak, MB |'
  return `### Many traces\n\nRead, built, and added to findings, breakdown and statistics one by one.\n\n${head}\n${'| ---: '.repeat(6)}|\n${lines.join('\n')}`
}

const nameOf = ({ format, shape, calls }: TraceMeasured) => [format, shape, count(calls)]

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = `| format | shape | calls | ${heads.join(' | ')} |`
  const rule = `| --- | --- ${'| ---: '.repeat(heads.length + 1)}|`
  return [head, rule, ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n')
}

const times = (value: number, of: number | undefined) =>
  of === undefined || Number.isNaN(value) ? '–' : (value / of).toFixed(2)
const megabytes = (bytes: number) =>
  bytes < 10_000_000 ? (bytes / 1e6).toFixed(1) : count(bytes / 1e6)
const count = (value: number) => Math.round(value).toLocaleString('en-US')
const short = (value: number) => (value < 100 ? value.toPrecision(2) : count(value))
