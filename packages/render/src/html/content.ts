import type { CallTree } from 'clew/trace'
import { factsOf } from '../facts.ts'
import { headerContent } from '../svg/header-content.ts'
import { criticalPathFigure } from '../svg/waterfall.ts'
import { visible } from '../visible.ts'
import { counted, grouped } from '../words.ts'
import { Dictionary, micros, type Rows, rowsOf } from './columns.ts'
import { KINDS, type PageContent, type PageTrace } from './format.ts'
import { unpacked } from './unpack.ts'

/** Notices about what was left out for room belong to still pictures; the page tells its own. */
const NOTHING_FOLDED = { foldedCalls: 0, calls: 0 }

/** Problems of one trace that are told. */
const MOST_PROBLEMS = 20

/** Everything the page shows, ready to be written as JSON. */
export function pageContent(
  trees: readonly CallTree[],
  limits: { readonly maxCalls: number; readonly maxTraces: number },
): PageContent {
  const shown = trees.slice(0, Math.max(1, limits.maxTraces))
  const shares = sharesOf(
    shown.map(({ calls }) => calls + 1),
    limits.maxCalls,
  )
  const dictionary = new Dictionary()
  const traces = shown.map((tree, index) => traceOf(tree, shares[index]!, dictionary))
  const left = trees.length - shown.length
  const notices =
    left > 0
      ? [
          `${grouped(shown.length)} of ${counted(trees.length, 'trace')} are here, the first of them`,
        ]
      : []
  return { version: 1, strings: dictionary.strings, traces, notices }
}

/** How many rows each may have, so that the small are whole and the large share what is left. */
function sharesOf(wanted: readonly number[], most: number): readonly number[] {
  const shares = wanted.map(() => 0)
  let left = most
  const order = [...wanted.keys()].sort((one, other) => wanted[one]! - wanted[other]!)
  for (const [at, index] of order.entries()) {
    const share = Math.max(1, Math.min(wanted[index]!, Math.floor(left / (order.length - at))))
    shares[index] = share
    left -= share
  }
  return shares
}

function traceOf(tree: CallTree, most: number, dictionary: Dictionary): PageTrace {
  const facts = factsOf(tree)
  const last = criticalPathFigure(tree)
  const header = headerContent(tree, { facts, outline: NOTHING_FOLDED, last, verdict: true })
  const rows = rowsOf(tree, most, dictionary)
  const { traceId: id, title, service, sentences } = header
  return {
    ...{ id, title, service, sentences, when: header.time ?? '' },
    startedMs: Number.isFinite(tree.startedMs) ? tree.startedMs : 0,
    totalUs: micros(tree.totalMs) ?? 0,
    ...extentOf(rows, micros(tree.totalMs) ?? 0),
    figures: header.figures.map(({ label, value, tone = 'plain' }) => ({ label, value, tone })),
    notices: noticesOf(tree, header.notices, rows),
    ...rows,
    ranking: facts.ranking.map((name) => dictionary.of(name)),
  }
}

function noticesOf(
  tree: CallTree,
  told: readonly { readonly text: string }[],
  { columns, rows }: Rows,
): readonly string[] {
  const notices = told.map(({ text }) => text)
  const more = tree.problems.slice(1, MOST_PROBLEMS).map(({ message }) => visible(message))
  if (unpacked(columns.kind, rows).includes(KINDS.indexOf('folded'))) {
    notices.push(
      `only the largest calls are here, of ${counted(tree.calls, 'call')}; rows with + stand for the rest`,
    )
  }
  return [...notices, ...more]
}

/** From the first beginning to the last end. */
function extentOf({ rows, columns }: Rows, totalUs: number): { fromUs: number; toUs: number } {
  let [fromUs, toUs] = [0, totalUs]
  const [offsets, totals] = [unpacked(columns.offset, rows), unpacked(columns.total, rows)]
  for (let row = 0; row < rows; row++) {
    const from = offsets[row]!
    fromUs = Math.min(fromUs, from)
    toUs = Math.max(toUs, from + (totals[row]! || 0))
  }
  return { fromUs, toUs: Math.max(toUs, fromUs + 1) }
}
