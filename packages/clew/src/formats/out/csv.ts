import { type CallNode, callTree, type Trace } from '../../trace/index.ts'
import { pieces, type TraceWriter } from './writer.ts'

interface Row {
  readonly trace: string
  readonly call: CallNode
  readonly parent: CallNode | undefined
  readonly depth: number
}

type Cell = string | number | boolean | undefined

/** Columns and how they are filled. Times in milliseconds. */
const COLUMNS: readonly (readonly [name: string, of: (row: Row) => Cell])[] = [
  ['trace', ({ trace }) => trace],
  ['id', ({ call }) => call.id],
  ['parent', ({ parent }) => parent?.id],
  ['depth', ({ depth }) => depth],
  ['edge', ({ call }) => call.edge],
  ['service', ({ call }) => call.service],
  ['method', ({ call }) => call.method],
  ['status', ({ call }) => call.status],
  ['error', ({ call }) => call.error],
  ['host', ({ call }) => call.host],
  ['pid', ({ call }) => call.pid],
  ['version', ({ call }) => call.version],
  ['callerHost', ({ call }) => call.callerHost],
  ['attempt', ({ call }) => call.attempt],
  ['inFlight', ({ call }) => call.inFlight],
  ['presence', ({ call }) => call.presence],
  ['requestMs', ({ call }) => micros(call.requestMs)],
  ['receiveMs', ({ call }) => micros(call.receiveMs)],
  ['respondMs', ({ call }) => micros(call.respondMs)],
  ['finishMs', ({ call }) => micros(call.finishMs)],
  ['offsetMs', ({ call }) => micros(call.offsetMs)],
  ['totalMs', ({ call }) => micros(call.totalMs)],
  ['handleMs', ({ call }) => micros(call.handleMs)],
  ['selfMs', ({ call }) => micros(call.selfMs)],
  ['networkMs', ({ call }) => micros(call.networkMs)],
  ['missingCalls', ({ call }) => call.missingCalls],
]

/**
 * One call a line, callers before callees, with a line of names first (RFC 4180). Text that a spreadsheet
 * would take for a formula has an apostrophe in front; numbers stay numbers.
 */
export function csvWriter(): TraceWriter {
  let headed = false
  function* head(): Generator<string> {
    if (headed) return
    headed = true
    yield lineOf(COLUMNS.map(([name]) => name))
  }
  return {
    *write(trace, tree = callTree(trace)) {
      yield* head()
      const open: Row[] = [{ trace: tree.traceId, call: tree.root, parent: undefined, depth: 0 }]
      for (let row = open.pop(); row !== undefined; row = open.pop()) {
        const { call, depth } = row
        if (!call.placeholder) yield lineOf(COLUMNS.map(([, of]) => of(row!)))
        const below = call.placeholder ? row.parent : call
        for (let at = call.calls.length - 1; at >= 0; at--) {
          const next = {
            call: call.calls[at]!,
            parent: below,
            depth: depth + (call.placeholder ? 0 : 1),
          }
          open.push({ trace: row.trace, ...next })
        }
      }
    },
    end: head,
  }
}

export const encodeCsv = (traces: Iterable<Trace>): Generator<string> => pieces(csvWriter(), traces)

/** Whole microseconds: what differences of doubles have behind is nobody's measurement. */
const micros = (ms: number | undefined) =>
  ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000

const lineOf = (cells: readonly Cell[]) => `${cells.map(cellOf).join(',')}\r\n`

/** First characters that spreadsheets take for a formula (OWASP, CSV injection); full-width ones too. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/

function cellOf(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return Number.isNaN(value) ? '' : String(value)
  const safe = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
