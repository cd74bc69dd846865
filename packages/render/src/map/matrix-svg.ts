import type { MapPlace, SystemMap } from 'clew/trace'
import { formatMs } from 'clew/trace'
import { fitText, textWidth } from '../layout/measure.ts'
import { svgDocument } from '../svg/document.ts'
import { type Band, MARGIN } from '../svg/header.ts'
import { bolt, drum, type Icon, letter, question, warning } from '../svg/icons.ts'
import { drawLegend, type LegendItem } from '../svg/legend.ts'
import { number, path, rect, text, titled } from '../svg/markup.ts'
import { COLOR, inkOn, paler } from '../svg/palette.ts'
import { visible } from '../visible.ts'
import { counted, grouped, percent } from '../words.ts'
import type { MapChoice } from './choose-map.ts'
import { mapHeader } from './map-header.ts'
import { failing, mapSentences, observedSeconds, volume } from './map-words.ts'
import { type MapMatrix, type MatrixCell, type MatrixEnd, mapMatrix } from './matrix.ts'

const CELL = { width: 32, height: 20 } as const
const LABEL = 11.5
/** Room of the longest name. */
const MOST_LABEL = 210
/** From so many rows or columns on, names are repeated on the other side. */
const REPEAT_FROM = 24
const SHADE = '#0072b2'
/** Most shades: for 1, 10, 100, … calls; the last one for all above. */
const MOST_SHADES = 7
const MOST_FAILURES = 12
const LINE = 20

export const PLACE_ICONS: Partial<Readonly<Record<MapPlace['kind'], Icon>>> = {
  db: drum,
  cache: bolt,
  event: letter,
}

/** Where everything lies. */
interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly labelRoom: number
  readonly headRoom: number
}

/**
 * Draws who calls whom as a matrix: rows call columns, darker where there are more calls, with their
 * number; failures have a corner and, below, words. For systems that cards and lines cannot show.
 * The same map and options give the same bytes.
 */
export function renderMapMatrixSvg(
  map: SystemMap,
  options: MapChoice & { readonly width?: number | undefined } = {},
): string {
  const matrix = mapMatrix(map, options)
  const { rows, columns, cells } = matrix
  const labelRoom = roomOf(rows)
  const headRoom = roomOf(columns)
  const [width, height] = [columns.length * CELL.width, rows.length * CELL.height]
  const right = columns.length >= REPEAT_FROM ? labelRoom : 0
  const foot = rows.length >= REPEAT_FROM ? headRoom : 0
  const whole = Math.max(options.width ?? 900, MARGIN * 2 + labelRoom + width + right)
  // In the middle, where it is narrower than the picture.
  const left = (whole - labelRoom - width - right) / 2 + labelRoom
  const frame: Frame = { left, top: 34 + headRoom, width, height, labelRoom, headRoom }
  const style = { frame, seconds: observedSeconds(map), shades: shadesFor(classesOf(matrix)) }
  const failures = drawFailures(matrix, frame.top + height + foot + 26, whole)
  const total = frame.top + height + foot + failures.height + 30
  const bands: readonly Band[] = [
    mapHeader(map, matrix.leftOut, whole),
    {
      height: total,
      markup: [
        rect({ x: 0, y: 0, width: whole, height: total }, { fill: COLOR.ground }),
        drawGrid(matrix, frame),
        ...rows.flatMap((end, at) => drawRowName(end, at, frame, right > 0)),
        ...columns.flatMap((end, at) => drawColumnName(end, at, frame, foot > 0)),
        ...cells.map((cell) => drawCell(cell, matrix, style)),
        failures.markup,
      ].join('\n'),
    },
    drawLegend(legend(matrix), whole),
  ]
  return svgDocument(
    { title: 'Layout of the system', description: mapSentences(map).join(' ') },
    whole,
    bands,
  )
}

function nameOf({ place, places }: MatrixEnd): string {
  return place === undefined ? counted(places, 'other') : visible(place.name)
}

function iconOf({ place }: MatrixEnd): Icon | undefined {
  if (place === undefined || place.kind === 'outside') return undefined
  return PLACE_ICONS[place.kind] ?? (place.profiled ? undefined : question)
}

function roomOf(ends: readonly MatrixEnd[]): number {
  const longest = ends.reduce((most, end) => {
    const icon = iconOf(end) === undefined ? 0 : 17
    return Math.max(most, textWidth(nameOf(end), 'inter500', LABEL) + icon)
  }, 40)
  return Math.min(MOST_LABEL, Math.ceil(longest)) + 10
}

/** A ground, and every fifth line, by which the eye follows rows and columns. */
function drawGrid({ rows, columns }: MapMatrix, { left, top, width, height }: Frame): string {
  const lines: string[] = []
  for (let row = 0; row <= rows.length; row++) {
    const y = top + row * CELL.height
    lines.push(
      `<path d="M${number(left)} ${number(y)}h${width}" stroke="${tone(row, rows.length)}"/>`,
    )
  }
  for (let column = 0; column <= columns.length; column++) {
    const x = left + column * CELL.width
    lines.push(
      `<path d="M${number(x)} ${number(top)}v${height}" stroke="${tone(column, columns.length)}"/>`,
    )
  }
  return rect({ x: left, y: top, width, height }, { fill: COLOR.paper }) + lines.join('')
}

const tone = (at: number, last: number) => (at % 5 === 0 || at === last ? COLOR.link : COLOR.grid)

function drawRowName(
  end: MatrixEnd,
  at: number,
  frame: Frame,
  repeated: boolean,
): readonly string[] {
  const y = frame.top + at * CELL.height + CELL.height / 2
  const drawn = [drawName(end, frame.left - 8, y, { anchor: 'end', room: frame.labelRoom - 10 })]
  if (repeated) {
    const x = frame.left + frame.width + 8
    drawn.push(drawName(end, x, y, { anchor: 'start', room: frame.labelRoom - 10 }))
  }
  return drawn
}

function drawColumnName(
  end: MatrixEnd,
  at: number,
  frame: Frame,
  repeated: boolean,
): readonly string[] {
  const x = frame.left + at * CELL.width + CELL.width / 2
  const turned = (y: number, anchor: 'start' | 'end') =>
    `<g transform="translate(${number(x)} ${number(y)}) rotate(-90)">${drawName(end, 0, 0, { anchor, room: frame.headRoom - 10 })}</g>`
  const drawn = [turned(frame.top - 8, 'start')]
  if (repeated) drawn.push(turned(frame.top + frame.height + 8, 'end'))
  return drawn
}

function drawName(
  end: MatrixEnd,
  x: number,
  y: number,
  { anchor, room }: { readonly anchor: 'start' | 'end'; readonly room: number },
): string {
  const icon = iconOf(end)
  const shift = icon === undefined ? 0 : 17
  const words = fitText(nameOf(end), 'inter500', LABEL, room - shift)
  const isPlain = end.place === undefined || end.place.kind === 'outside'
  const fill = isPlain ? COLOR.quiet : COLOR.text
  const begin = anchor === 'start' ? x : x - textWidth(words, 'inter500', LABEL) - shift
  return titled(
    nameOf(end),
    (icon === undefined ? '' : icon(begin, y - 6)) +
      text(
        {
          ...{ x: anchor === 'start' ? x + shift : x, y: y + 4, anchor },
          ...{ face: 'inter500', size: LABEL, fill },
        },
        words,
      ),
  )
}

interface CellStyle {
  readonly frame: Frame
  readonly seconds: number | undefined
  readonly shades: readonly string[]
}

function drawCell(
  { row, column, calls, failed, isEvent, link, links }: MatrixCell,
  { rows, columns }: MapMatrix,
  { frame, seconds, shades }: CellStyle,
): string {
  const [x, y] = [frame.left + column * CELL.width, frame.top + row * CELL.height]
  const fill = shades[classOf(calls)]!
  const told = [
    links === 1 ? volume(calls, seconds) : counted(calls, 'call'),
    ...(links === 1 && link.p50Ms !== undefined ? [formatMs(link.p50Ms)] : []),
    ...(failed > 0 ? [failureWords({ calls, failed, link, links })] : []),
    ...(isEvent ? ['events'] : []),
  ]
  const box = { x: x + 1, y: y + 1, width: CELL.width - 2, height: CELL.height - 2 }
  return titled(
    `${nameOf(rows[row]!)} → ${nameOf(columns[column]!)}: ${told.join(' · ')}`,
    rect(box, {
      rx: 2,
      fill,
      stroke: isEvent ? COLOR.text : undefined,
      'stroke-dasharray': isEvent ? '3 2' : undefined,
    }) +
      text(
        {
          ...{ x: x + CELL.width / 2, y: y + CELL.height / 2 + 3.3, anchor: 'middle' },
          ...{ face: 'inter500', size: 9.5, fill: inkOn(fill) },
        },
        short(calls),
      ) +
      (failed > 0 ? corner(x + CELL.width - 1, y + 1) : ''),
  )
}

/** Failures: the corner at the upper right, which nothing else has. */
const corner = (x: number, y: number) =>
  path(`M${number(x - 9)} ${number(y)}h9v9Z`, { fill: COLOR.failure, stroke: COLOR.paper })

const classOf = (calls: number) =>
  Math.min(MOST_SHADES - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, calls)) + 1e-9)))

/** Of how many classes the matrix has shades. */
const classesOf = ({ cells }: MapMatrix) =>
  classOf(cells.reduce((most, { calls }) => Math.max(most, calls), 1)) + 1

/** Colours of classes: the palest for single calls, the full one for the most calls that there are. */
const shadesFor = (classes: number): readonly string[] =>
  Array.from({ length: classes }, (_, at) =>
    paler(SHADE, 0.9 - (0.9 * at) / Math.max(1, classes - 1)),
  )

/** `950`, `1.2k`, `34k`, `5.6M`: at most four signs. */
function short(calls: number): string {
  let [value, unit] = [calls, 0]
  while (value >= 999.5 && unit < 4) {
    value /= 1000
    unit++
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1).replace('.0', '') : value.toFixed(0)
  return `${digits}${['', 'k', 'M', 'G', 'T'][unit]}`
}

function failureWords({
  calls,
  failed,
  link,
  links,
}: Pick<MatrixCell, 'calls' | 'failed' | 'link' | 'links'>): string {
  const [error] = link.errors
  if (links === 1)
    return `${failing(link)}${error === undefined ? '' : ` (${visible(error.error)})`}`
  return `${percent(failed, calls)} fail`
}

/** Which calls fail, in words, most first. */
function drawFailures({ rows, columns, cells }: MapMatrix, top: number, width: number): Band {
  const failing = cells.filter(({ failed }) => failed > 0)
  if (failing.length === 0) return { markup: '', height: 0 }
  const most = failing.toSorted((a, b) => b.failed - a.failed).slice(0, MOST_FAILURES)
  const [x, room] = [MARGIN, width - MARGIN * 2]
  const title = { x, y: top + 10, face: 'inter600', size: 12.5, fill: COLOR.ink } as const
  const lines = most.map((cell, at) => {
    const y = top + 32 + at * LINE
    const words = `${nameOf(rows[cell.row]!)} → ${nameOf(columns[cell.column]!)}: of ${counted(cell.calls, 'call')}, ${failureWords(cell)}`
    return (
      warning(x, y - 10) +
      text(
        { x: x + 18, y, face: 'inter500', size: LABEL, fill: COLOR.failure },
        fitText(words, 'inter500', LABEL, room - 18),
      )
    )
  })
  const more = failing.length - most.length
  const rest =
    more > 0
      ? text(
          {
            ...{ x: x + 18, y: top + 32 + most.length * LINE },
            ...{ face: 'inter400', size: LABEL, fill: COLOR.quiet },
          },
          `and ${grouped(more)} more`,
        )
      : ''
  return {
    markup: [text(title, 'What fails, most first'), ...lines, rest].join(''),
    height: 44 + (most.length + (more > 0 ? 1 : 0)) * LINE,
  }
}

function legend(matrix: MapMatrix): readonly LegendItem[] {
  const { rows, columns, cells } = matrix
  const box = (attributes: Parameters<typeof rect>[1]) => (x: number, y: number) =>
    rect({ x, y: y - 7, width: 22, height: 14 }, { rx: 2, ...attributes })
  const ends = [...rows, ...columns]
  const has = (kind: MapPlace['kind']) => ends.some(({ place }) => place?.kind === kind)
  const mark = (icon: Icon) => (x: number, y: number) => icon(x, y - 6)
  const items: readonly (LegendItem & { readonly when: boolean })[] = [
    {
      ...{ when: true, width: 0, draw: () => '' },
      label: 'rows call columns; calls:',
    },
    ...shadesFor(classesOf(matrix)).map((fill, at) => ({
      ...{ when: true, label: `${grouped(10 ** at)}+`, width: 22 },
      draw: box({ fill, stroke: COLOR.border }),
    })),
    {
      when: cells.some(({ failed }) => failed > 0),
      ...{ label: 'some fail', width: 12 },
      draw: (x, y) => corner(x + 11, y - 5),
    },
    {
      when: cells.some(({ isEvent }) => isEvent),
      ...{ label: 'events: nobody waits', width: 22 },
      draw: box({ fill: COLOR.paper, stroke: COLOR.text, 'stroke-dasharray': '3 2' }),
    },
    { when: has('db'), label: 'database', width: 12, draw: mark(drum) },
    { when: has('cache'), label: 'cache', width: 12, draw: mark(bolt) },
    { when: has('event'), label: 'published event', width: 12, draw: mark(letter) },
    {
      when: ends.some((end) => iconOf(end) === question),
      ...{ label: 'keeps no records', width: 12, draw: mark(question) },
    },
  ]
  return items.filter(({ when }) => when)
}
