import type { TraceRow, TraceSummary } from '../summary.ts'
import {
  type Column,
  hexIds,
  nameLists,
  names,
  numberLists,
  numbers,
  repeatedNumber,
  wholeNumbers,
} from './native-block.ts'
import { HOUR_S } from './schema.ts'

const HOUR_US = HOUR_S * 1_000_000
/** What is not known, where only numbers from 0 on are. */
export const UNKNOWN = -1

/** Columns of the table of traces. */
export function traceColumns(
  summaries: readonly TraceSummary[],
  version: number,
): readonly Column[] {
  const rows = summaries.map(({ row }) => row)
  const text = (name: string, of: (row: TraceRow) => string) => names(name, rows.map(of))
  const small = (name: string, of: (row: TraceRow) => number) =>
    numbers(
      name,
      Uint16Array.from(rows, (row) => Math.min(of(row), 65_535)),
    )
  return [
    names(
      'tenant',
      summaries.map(({ tenant }) => tenant),
    ),
    numbers(
      'hour',
      Uint32Array.from(rows, ({ startUs }) => hourOf(startUs)),
    ),
    hexIds(
      'trace_id',
      16,
      rows.map(({ traceId }) => traceId),
    ),
    wholeNumbers(
      'start',
      'UInt64',
      rows.map(({ startUs }) => startUs),
    ),
    wholeNumbers(
      'total',
      'Int64',
      rows.map(({ totalUs }) => totalUs ?? UNKNOWN),
    ),
    text('service', ({ service }) => service),
    text('method', ({ method }) => method),
    text('host', ({ host }) => host),
    text('status', ({ status }) => status),
    text('error', ({ error }) => error),
    numbers(
      'calls',
      Uint32Array.from(rows, ({ calls }) => calls),
    ),
    numbers(
      'missing',
      Uint32Array.from(rows, ({ missingCalls }) => missingCalls),
    ),
    small('services', ({ services }) => services),
    small('depth', ({ depth }) => depth),
    text('failed_service', ({ failedService }) => failedService),
    text('failed_method', ({ failedMethod }) => failedMethod),
    text('bottleneck_service', ({ bottleneckService }) => bottleneckService),
    text('bottleneck_method', ({ bottleneckMethod }) => bottleneckMethod),
    numbers(
      'bottleneck_share',
      Float32Array.from(rows, (row) => row.bottleneckShare),
    ),
    numbers(
      'complete',
      Uint8Array.from(rows, ({ complete }) => (complete ? 1 : 0)),
    ),
    text('source', ({ source }) => source ?? ''),
    numbers(
      'weight',
      Float64Array.from(rows, ({ weight }) => weight),
    ),
    numbers(
      'packets',
      Uint32Array.from(summaries, ({ packets }) => packets),
    ),
    ...partColumns(summaries),
    ...lives(rows.length, version),
  ]
}

/** Critical time by service and layer, side by side. */
function partColumns(summaries: readonly TraceSummary[]): readonly Column[] {
  const parts = summaries.map((summary) => summary.parts)
  return [
    nameLists(
      'part_service',
      parts.map((list) => list.map(({ service }) => service)),
    ),
    nameLists(
      'part_layer',
      parts.map((list) => list.map(({ layer }) => layer)),
    ),
    numberLists(
      'part_us',
      parts.map((list) => list.map(({ us }) => us)),
    ),
  ]
}

/** Rows that count, of that version. */
export const lives = (rows: number, version: number): readonly Column[] => [
  repeatedNumber('version', version, rows),
  numbers('sign', new Int8Array(rows).fill(1)),
]

/** Hours since 1970. */
export const hourOf = (startUs: number) => Math.floor(startUs / HOUR_US)
