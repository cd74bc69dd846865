import { formatMs, formatShare, type LoadReport, loadNumber, utilisationOf } from 'clew/trace'
import { wrapText } from '../layout/measure.ts'
import { columns, padded, printable } from '../text/columns.ts'
import { painter } from '../text/paint.ts'
import { grouped } from '../words.ts'
import { nameOfBottleneck } from './words.ts'

export interface LoadTextOptions {
  /**
   * Columns of the terminal, at least 76; no line is longer.
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

const LEAST_WIDTH = 76
const MOST_STATIONS = 8
const WIDEST_BAR = 16
const LEAST_BAR = 6

/** The answer in words, a line for each load, and the services at the greatest of them. */
export function loadTable(report: LoadReport, options: LoadTextOptions): string {
  const { color = false, unicode = true } = options
  const width = Math.max(LEAST_WIDTH, options.width ?? 100)
  const paint = painter(color)
  const say = (text: string) => printable(text, unicode)
  const lines = report.sentences.flatMap((sentence) =>
    wrapText(say(sentence), { width, lines: 8 }, columns).map((line) => paint('strong', line)),
  )
  const { bands, by } = report
  if (bands.length === 0) return text(lines, unicode)
  const fixed = 10 + 10 + 8 + 8 + 9 + 9 + 2 + 6 + 1
  const bar = Math.min(WIDEST_BAR, width - fixed - 26)
  const name = Math.max(12, width - fixed - (bar < LEAST_BAR ? 0 : bar + 2))
  const row = (cells: readonly string[], held: string, share: string) =>
    [10, 10, 8, 8, 9, 9].map((wide, at) => padded(say(cells[at]!), wide, 'right')).join('') +
    `  ${padded(say(held), name)}${padded(say(share), 6, 'right')}`
  const heads = ['ASKED', 'ANSWERED', 'AT ONCE', 'FAILED', 'P50', 'P99']
  lines.push('', paint('quiet', row(heads, by === 'rate' ? 'HELD UP BY' : 'HELD UP BY', 'SHARE')))
  for (const band of bands) {
    const { bottleneck, failed } = band
    const cells = [
      ...[
        `${loadNumber(band.rate)}/s`,
        `${loadNumber(band.answered)}/s`,
        loadNumber(band.inFlight),
      ],
      ...[failed === 0 ? '0' : formatShare(failed), formatMs(band.p50Ms), formatMs(band.p99Ms)],
    ]
    const share = bottleneck.kind === 'unclear' ? '' : formatShare(bottleneck.share)
    const drawn = bar < LEAST_BAR ? '' : `  ${barOf(bottleneck.share, bar, unicode)}`
    const waits = bottleneck.kind === 'workers' || bottleneck.kind === 'event-loop'
    lines.push(
      row(cells, nameOfBottleneck(bottleneck), share) + paint(waits ? 'path' : 'bar', drawn),
    )
  }
  lines.push('', ...stationLines(report, width, say, paint))
  return text(lines, unicode)
}

function stationLines(
  { bands }: LoadReport,
  width: number,
  say: (text: string) => string,
  paint: ReturnType<typeof painter>,
): readonly string[] {
  const last = bands.at(-1)!
  const shown = last.stations.slice(0, MOST_STATIONS)
  if (shown.length === 0) return []
  const name = Math.max(12, Math.min(40, width - 58))
  const row = (service: string, cells: readonly string[]) =>
    `  ${padded(say(service), name)}` +
    [10, 10, 11, 11].map((wide, at) => padded(say(cells[at]!), wide, 'right')).join('') +
    `  ${cells[4]!}`
  const title = `SERVICES AT ${loadNumber(last.rate)}/s`
  const head = row(title, ['CALLS/S', 'AT ONCE', 'HANDLE', 'WAIT', 'TAKEN'])
  const lines = shown.map((station) => {
    const used = utilisationOf(station)
    return row(station.service, [
      ...[loadNumber(station.rate), loadNumber(station.inFlight)],
      ...[formatMs(station.handleMs), formatMs(station.waitMs)],
      used === undefined ? '' : formatShare(used),
    ])
  })
  const more = last.stations.length - shown.length
  const rest =
    more > 0 ? [paint('quiet', `  and ${grouped(more)} services that were waited for less`)] : []
  return [paint('quiet', head), ...lines, ...rest]
}

function text(lines: readonly string[], unicode: boolean): string {
  const whole = lines.map((line) => `${line.trimEnd()}\n`).join('')
  return unicode ? whole : whole.replaceAll('…', '~')
}

function barOf(share: number, width: number, unicode: boolean): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return (unicode ? '█' : '#').repeat(Math.max(share > 0 ? 1 : 0, full))
}
