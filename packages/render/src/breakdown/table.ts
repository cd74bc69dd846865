import { formatMs, formatShare, type RequestBreakdown } from 'clew/trace'
import { wrapText } from '../layout/measure.ts'
import { columns, cut, padded, printable } from '../text/columns.ts'
import { painter } from '../text/paint.ts'
import { counted } from '../words.ts'
import { breakdownSentences } from './sentence.ts'

export interface BreakdownTextOptions {
  /**
   * Columns of the terminal; no line is longer.
   * @default 100
   */
  readonly width?: number | undefined
  /**
   * Escape sequences for colours.
   * @default false
   */
  readonly color?: boolean | undefined
  /**
   * Bars of block characters; otherwise ASCII only, names included.
   * @default true
   */
  readonly unicode?: boolean | undefined
}

/** Columns of the longest bar. */
const WIDEST_BAR = 40
const LEAST_BAR = 8

/** Below, names of services are worth more. */
const LEAST_WITH_P99 = 50

/** The answer in words, then a line for each part of each kind of request. */
export function breakdownTable(
  requests: readonly RequestBreakdown[],
  options: BreakdownTextOptions,
): string {
  const { color = false, unicode = true } = options
  const width = Math.max(40, options.width ?? 100)
  const paint = painter(color)
  const say = (text: string) => printable(text, unicode)
  const lines = breakdownSentences(requests).flatMap((sentence) =>
    wrapText(say(sentence), { width, lines: 4 }, columns).map((line) => paint('strong', line)),
  )
  const parts = requests.flatMap(({ parts: some }) => some)
  const longest = parts.reduce((most, { service }) => Math.max(most, columns(say(service))), 7)
  const p99 = width >= LEAST_WITH_P99
  const fixed = 2 + 2 + 5 + 2 + 8 + (p99 ? 2 + 8 : 0) + 2 + 7
  const service = Math.max(7, Math.min(longest, width - fixed))
  const left = width - fixed - service - 2
  const bar = left < LEAST_BAR ? 0 : Math.min(WIDEST_BAR, left)
  const row = (...[name, layer, median, slow, share]: [string, string, string, string, string]) =>
    `  ${padded(say(name), service)}  ${padded(layer, 5)}  ${padded(say(median), 8, 'right')}  ` +
    `${p99 ? `${padded(say(slow), 8, 'right')}  ` : ''}${padded(say(share), 7, 'right')}`
  for (const [
    index,
    { request, requests: count, p50Ms, p99Ms, parts: some },
  ] of requests.entries()) {
    const about = `${counted(count, 'request')}, median ${formatMs(p50Ms)}, p99 ${formatMs(p99Ms)}`
    const name = cut(say(request), width)
    const beside = columns(name) + 2 + columns(say(about)) <= width
    lines.push('', beside ? `${paint('strong', name)}  ${paint('quiet', say(about))}` : name)
    if (!beside) lines.push(paint('quiet', cut(say(about), width)))
    if (index === 0) lines.push(paint('quiet', row('SERVICE', 'LAYER', 'P50', 'P99', 'SHARE')))
    for (const [rank, part] of some.entries()) {
      const times = [formatMs(part.p50Ms), formatMs(part.p99Ms)] as const
      const cells = row(part.service, part.layer, ...times, formatShare(part.share))
      const drawn = bar === 0 ? '' : `  ${barOf(part.share, bar, unicode)}`
      lines.push(cells + paint(rank === 0 ? 'path' : 'bar', drawn))
    }
  }
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('')
  return unicode ? text : text.replaceAll('…', '~')
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

function barOf(share: number, width: number, unicode: boolean): string {
  const eighths = Math.max(1, Math.round(Math.min(1, Math.max(0, share)) * width * 8))
  if (!unicode) return '#'.repeat(Math.max(1, Math.round(eighths / 8)))
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]
}
