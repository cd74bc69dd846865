import { callName, formatMs } from 'clew/trace'
import { harmless } from './harmless.ts'
import type { Output } from './output.ts'
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
  { title: 'ID', cell: ({ id }) => `…${harmless(id.slice(-ID_DIGITS))}`, side: 'left', rank: 1 },
]

const GAP = '  '

/** Prints a file's traces as a numbered list on stdout; how to see one is said on stderr. */
export function printList(output: Output, path: string, traces: readonly TraceSummary[]): void {
  const sized = COLUMNS.map((column) => {
    const cells = traces.map(column.cell)
    return { ...column, cells, width: Math.max(column.title.length, ...widths(cells)) }
  })
  const shown = new Set(sized)
  const total = () => [...shown].reduce((sum, { width }) => sum + width + GAP.length, -GAP.length)
  for (const column of sized.toSorted((a, b) => a.rank - b.rank)) {
    if (total() <= output.width || column.rank >= 7) break
    shown.delete(column)
  }
  const columns = [...shown]
  const row = (cellOf: (column: (typeof columns)[number]) => string) =>
    columns
      .map((column) => {
        const text = cellOf(column)
        return column.side === 'left' ? text.padEnd(column.width) : text.padStart(column.width)
      })
      .join(GAP)
      .trimEnd()
      .slice(0, Math.max(output.width, 40))
  output.print(output.paint.bold(row(({ title }) => title)))
  for (const [at, { failed }] of traces.entries()) {
    const line = row(({ cells }) => cells[at]!)
    output.print(failed > 0 ? output.paint.red(line) : line)
  }
  const file = path === '-' ? 'FILE' : nameOf(path)
  output.say(output.paintTalk.dim(`${traces.length} traces; clew show ${file} N shows one of them`))
}

/** Spreading a million cells into Math.max would overflow the stack. */
function widths(cells: readonly string[]): readonly number[] {
  return [cells.reduce((most, cell) => Math.max(most, cell.length), 0)]
}

function rootCall({ service, method, complete }: TraceSummary): string {
  const name = method === '' ? service : callName({ service, method })
  return `${harmless(name)}${complete ? '' : ' (partial)'}`
}

function time(ms: number): string {
  const isDate = ms > 86_400_000 && ms < 8.64e15
  return isDate ? new Date(ms).toISOString().slice(0, 23).replace('T', ' ') : ''
}
