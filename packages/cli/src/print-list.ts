import { columns, cut, padded, printable } from '@clew/render'
import { callName, formatMs } from 'clew/trace'
import type { ClewContext } from './command.ts'
import { isAsciiOnly } from './print-tree.ts'
import { nameOf, type TraceSummary } from './trace-file.ts'

/** Digits of an id that are shown: the last ones, as all traces of a process begin alike. */
const ID_DIGITS = 8

interface Column {
  readonly title: string
  readonly cell: (trace: TraceSummary) => string
  readonly side: 'left' | 'right'
  /** Columns of lesser rank give way first where the terminal is narrow. */
  readonly rank: number
}

const COLUMNS: readonly Column[] = [
  { title: 'N', cell: ({ number }) => String(number), side: 'right', rank: 9 },
  { title: 'STARTED (UTC)', cell: ({ startedMs }) => time(startedMs), side: 'left', rank: 2 },
  { title: 'TOTAL', cell: ({ totalMs }) => formatMs(totalMs), side: 'right', rank: 8 },
  { title: 'CALLS', cell: ({ calls }) => String(calls), side: 'right', rank: 4 },
  {
    title: 'ERRORS',
    cell: ({ failed }) => (failed === 0 ? '-' : String(failed)),
    side: 'right',
    rank: 6,
  },
  { title: 'ROOT CALL', cell: rootCall, side: 'left', rank: 7 },
  {
    title: 'ID',
    cell: ({ id }) => (id.length > ID_DIGITS ? `…${id.slice(-ID_DIGITS)}` : id),
    side: 'left',
    rank: 1,
  },
]

const GAP = '  '

export interface ListStyle {
  /** The files, as they were named. */
  readonly paths: readonly string[]
  /** Columns; by default those of the terminal. */
  readonly width?: number | undefined
  /** No characters beyond ASCII. */
  readonly ascii: boolean
}

/** Prints the traces of files as a numbered list on stdout; how to see one is said on stderr. */
export function printList(
  { output, env }: ClewContext,
  traces: readonly TraceSummary[],
  { paths, width = output.width, ascii }: ListStyle,
): void {
  const unicode = !(ascii || isAsciiOnly(env))
  const sized = COLUMNS.map((column) => {
    const cells = traces.map((trace) => printable(column.cell(trace), unicode))
    const widest = cells.reduce((most, cell) => Math.max(most, columns(cell)), column.title.length)
    return { ...column, cells, width: widest }
  })
  const shown = new Set(sized)
  const total = () => [...shown].reduce((sum, each) => sum + each.width + GAP.length, -GAP.length)
  for (const column of sized.toSorted((a, b) => a.rank - b.rank)) {
    if (total() <= width || column.rank >= 7) break
    shown.delete(column)
  }
  const kept = [...shown]
  const row = (cellOf: (column: (typeof kept)[number]) => string) => {
    const line = kept.map((column) => padded(cellOf(column), column.width, column.side))
    const text = cut(line.join(GAP).trimEnd(), Math.max(width, 40))
    // What shortens a line is no ASCII character.
    return unicode ? text : text.replaceAll('…', '~')
  }
  output.print(output.paint.bold(row(({ title }) => title)))
  for (const [at, { failed }] of traces.entries()) {
    const line = row(({ cells }) => cells[at]!)
    output.print(failed > 0 ? output.paint.red(line) : line)
  }
  const files = paths.includes('-') ? 'FILE' : paths.map((path) => nameOf([path])).join(' ')
  output.say(
    output.paintTalk.dim(`${traces.length} traces; clew show ${files} N shows one of them`),
  )
}

function rootCall({ service, method, complete }: TraceSummary): string {
  const name = method === '' ? service : callName({ service, method })
  return `${name}${complete ? '' : ' (partial)'}`
}

function time(ms: number): string {
  const isDate = ms > 86_400_000 && ms < 8.64e15
  return isDate ? new Date(ms).toISOString().slice(0, 23).replace('T', ' ') : ''
}
