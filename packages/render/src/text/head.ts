import { formatMs, verdict as verdictOf } from 'clew/trace'
import { doubtOf, factsOf } from '../facts.ts'
import { wrapText } from '../layout/measure.ts'
import { counted, foreignOf, utc } from '../words.ts'
import { columns, cut, printable } from './columns.ts'
import type { Page } from './page.ts'

/** The verdict's sentences and an empty line. */
export function answer({ tree, width, unicode, paint }: Page): readonly string[] {
  const lines = verdictOf(tree).sentences.flatMap((sentence) =>
    wrapText(printable(sentence, unicode), { width, lines: 6 }, columns),
  )
  return lines.length === 0 ? [] : [...lines.map((line) => paint('strong', line)), '']
}

/** Figures, and which trace it is. */
export function head({ tree, width, unicode, paint }: Page): readonly string[] {
  const facts = factsOf(tree)
  const say = (text: string) => printable(text, unicode)
  const doubt = doubtOf(facts)
  const figures = [
    formatMs(tree.totalMs),
    counted(facts.calls, 'call'),
    counted(facts.services, 'service'),
    counted(facts.failed, 'error'),
    doubt ?? 'complete',
  ].map(say)
  const roles = [
    'strong',
    undefined,
    undefined,
    facts.failed > 0 ? 'failure' : undefined,
    doubt === undefined ? undefined : 'doubt',
  ] as const
  const between = unicode ? ' · ' : ' - '
  const identity = [
    tree.traceId === '' ? '' : `trace ${tree.traceId}`,
    utc(tree.startedMs) ?? '',
    foreignOf(tree) ?? '',
  ]
    .filter((part) => part !== '')
    .map(say)
  return [
    ...joinedLines(figures, between, width).map((line) =>
      line.map((index) => paint(roles[index], figures[index]!)).join(paint('quiet', between)),
    ),
    ...joinedLines(identity, '  ', width).map((line) =>
      paint('quiet', cut(line.map((index) => identity[index]).join('  '), width)),
    ),
    '',
  ]
}

/** Which parts go on which line, so that no line is longer than the width. */
function joinedLines(
  parts: readonly string[],
  between: string,
  width: number,
): readonly (readonly number[])[] {
  const lines: number[][] = []
  let used = 0
  for (const [index, part] of parts.entries()) {
    const needed = columns(part) + columns(between)
    if (lines.length > 0 && used + needed <= width) {
      lines.at(-1)!.push(index)
      used += needed
    } else {
      lines.push([index])
      used = columns(part)
    }
  }
  return lines
}
