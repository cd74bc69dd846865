import { formatMs } from 'clew/trace'
import type { Place } from '../outline/place.ts'
import { type Cells, cellsOf } from './cells.ts'
import { columns, cut, padded, printable } from './columns.ts'
import type { Page } from './page.ts'
import { strip } from './strip.ts'
import { type Trunk, trunks } from './trunk.ts'

interface Line {
  readonly place: Place
  readonly trunk: Trunk
  readonly cells: Cells
}

interface Widths {
  readonly name: number
  readonly host: number
  readonly total: number
  readonly self: number
  readonly strip: number
  readonly note: number
}

/** A heading, and a line a place with its times aligned. */
export function table(page: Page): readonly string[] {
  const { paint, unicode } = page
  const lines = linesOf(page)
  const widths = widthsOf(lines, page.width)
  const heading = row(
    [
      padded('CALL', widths.name),
      padded('HOST', widths.host),
      padded('TOTAL', widths.total, 'right'),
      padded('SELF', widths.self, 'right'),
      padded(axis(page, widths.strip), widths.strip),
    ],
    widths,
  )
  return [
    paint('quiet', heading.trimEnd()),
    ...lines.map(({ place, trunk, cells }) => {
      const { name, count, host, total, self } = cells
      const role = cells.nameRole
      const heavy = trunk.text.length - trunk.heavy
      const room = widths.name - columns(trunk.text) - columns(count)
      const words = cut(name, Math.max(1, room))
      const space = ' '.repeat(Math.max(0, room - columns(words)))
      const bar = strip(place, page.outline, { width: widths.strip, unicode })
      return row(
        [
          paint('quiet', trunk.text.slice(0, heavy)) +
            paint('path', trunk.text.slice(heavy)) +
            paint(role, words) +
            paint('strong', count) +
            space,
          paint('quiet', padded(host, widths.host)),
          paint(role ?? 'strong', padded(total, widths.total, 'right')),
          paint('quiet', padded(self, widths.self, 'right')),
          paint(barRole(place, cells), bar),
          paint(cells.noteRole, noteOf(cells, widths.note)),
        ],
        widths,
      )
    }),
  ]
}

function linesOf({ tree, outline, levels, unicode }: Page): readonly Line[] {
  const trunkOf = trunks(levels, unicode)
  const siblings: (readonly Place[])[] = [[outline.root]]
  return outline.places.map(({ place, level }) => {
    const cells = cellsOf(place, tree.totalMs, { isRoot: level === 0, unicode })
    const say = (text: string) => printable(text, unicode)
    const line = {
      place,
      trunk: trunkOf(place, level, siblings[level]!),
      cells: {
        ...cells,
        name: say(cells.name),
        count: say(cells.count),
        host: say(cells.host),
        total: say(cells.total),
        self: say(cells.self),
        note: say(cells.note),
        detail: say(cells.detail),
      },
    }
    siblings[level + 1] = place.places
    return line
  })
}

/** Room for a name at least, lines of the tree included. */
const LEAST_NAME = 22

/** Shares the width out: times first, then names, what became of calls, hosts, and the strip. */
function widthsOf(lines: readonly Line[], width: number): Widths {
  const widest = (of: (line: Line) => number) =>
    lines.reduce((most, line) => Math.max(most, of(line)), 0)
  const total = Math.max(
    7,
    widest(({ cells }) => columns(cells.total)),
  )
  const self =
    width < 64
      ? 0
      : Math.max(
          7,
          widest(({ cells }) => columns(cells.self)),
        )
  const names = lines
    .map(({ trunk, cells: { name, count } }) => columns(trunk.text + name + count))
    .sort((one, other) => one - other)
  const wanted = Math.max(columns('CALL'), names.at(-1) ?? 0)
  // Hosts are not given up for the sake of a few long names.
  const most = names[Math.floor(names.length * 0.8)] ?? 0
  const hosts = widest(({ cells }) => columns(cells.host))
  // As wide as its own heading at least, where there are any.
  const hosted = hosts === 0 ? 0 : Math.min(20, Math.max(columns('HOST'), hosts))
  const noted = widest(({ cells }) => columns(cells.note === '' ? cells.detail : cells.note))
  let left = width - total - 2 - (self > 0 ? self + 2 : 0)
  const fair = Math.min(Math.max(12, Math.floor(left * 0.35)), left - LEAST_NAME - 2)
  const note = noted === 0 || fair < 4 ? 0 : Math.min(noted, fair) + 2
  const least = Math.min(wanted, Math.max(LEAST_NAME, most))
  const host = hosted > 0 && left - note - hosted - 2 >= least ? hosted : 0
  left -= host > 0 ? host + 2 : 0
  const name = Math.min(wanted, left - note)
  left -= name
  const strip = left - note - 2 >= 12 ? Math.min(40, left - note - 2) : 0
  left -= strip > 0 ? strip + 2 : 0
  // The last column: a note may go on to the end of the line.
  return { name, host, total, self, strip, note: Math.max(0, left - 2) }
}

function noteOf({ note, detail }: Cells, width: number): string {
  const whole = [note, detail].filter((part) => part !== '').join(', ')
  return columns(whole) <= width || note === '' ? cut(whole, width) : cut(note, width)
}

function row(cells: readonly string[], widths: Widths): string {
  const shown = [widths.name, widths.host, widths.total, widths.self, widths.strip, widths.note]
  return cells.filter((_, index) => shown[index]! > 0).join('  ')
}

function axis({ outline, unicode }: Page, width: number): string {
  const end = printable(formatMs(outline.toMs - outline.fromMs), unicode)
  const line = (unicode ? '─' : '-').repeat(Math.max(0, width - columns(end) - 4))
  return width < columns(end) + 6 ? '' : `0 ${line} ${end}`
}

function barRole(place: Place, cells: Cells): 'path' | 'failure' | 'bar' | 'quiet' {
  if (place.onPath) return 'path'
  if (place.kind === 'folded') return 'quiet'
  return cells.noteRole === 'failure' ? 'failure' : 'bar'
}
