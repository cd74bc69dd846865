import { type CallTree, verdict } from 'clew/trace'
import type { Facts } from '../facts.ts'
import {
  type CallCard,
  countText,
  countWidth,
  fullName,
  marksWidth,
  type SmallCard,
} from '../layout/card-content.ts'
import { fitText, shorten, textWidth } from '../layout/measure.ts'
import type { PlacedRow, WaterfallLayout } from '../layout/waterfall-layout.ts'
import { legsText } from '../outline/legs.ts'
import { visible } from '../visible.ts'
import { percent } from '../words.ts'
import { barPatterns, drawBar } from './bars.ts'
import type { KeyFigure } from './header-content.ts'
import { CONDITION_ICONS, OPERATION_ICONS } from './icons.ts'
import { path, rect, text, titled } from './markup.ts'
import { COLOR, inkOn, serviceColors } from './palette.ts'
import { pill } from './pill.ts'

export const RULER_HEIGHT = 40
/** Between the ruler and the first row, and below the last. */
const PADDING = 6
const SQUARE = 10
const NAME = 13

/** Ruler and rows, `left` pixels from the left side of a picture of a width. */
export function drawWaterfall(
  layout: WaterfallLayout,
  facts: Facts,
  frame: { readonly left: number; readonly width: number },
): string {
  const colorOf = serviceColors(facts.ranking)
  const top = RULER_HEIGHT + PADDING
  const rows = layout.rows.map((row) => drawRow(layout, row, colorOf))
  return [
    barPatterns(layout, colorOf),
    rect(
      { x: 0, y: 0, width: frame.width, height: waterfallHeight(layout) },
      { fill: COLOR.paper },
    ),
    `<g transform="translate(0 ${top})">`,
    ...stripes(layout, frame.width),
    '</g>',
    `<g transform="translate(${frame.left} 0)">`,
    drawRuler(layout, frame),
    `<g transform="translate(0 ${top})">`,
    ...layout.rows.map((row) => guides(layout, row)),
    ...rows,
    '</g></g>',
  ].join('\n')
}

export function waterfallHeight(layout: WaterfallLayout): number {
  return RULER_HEIGHT + PADDING * 2 + layout.height
}

const INTO = { work: 'in', wait: 'on the way to', start: 'before' } as const

/** `22% in acquirer-adapter Capture`: where the verdict finds most of the critical path. */
export function criticalPathFigure(tree: CallTree): KeyFigure {
  const { bottleneck } = verdict(tree)
  const figure = { label: 'CRITICAL PATH', tone: 'path' } as const
  if (bottleneck === undefined) return { ...figure, value: '–' }
  const { service, method, where, shareOfTotal } = bottleneck
  const into = INTO[where]
  const name = shorten(visible(`${service} ${method}`), 44, (text) => text.length)
  return { ...figure, value: `${percent(shareOfTotal, 1)} ${into} ${name}` }
}

/** Every other row on a light ground, over the whole width. */
function stripes(layout: WaterfallLayout, width: number): readonly string[] {
  const height = layout.rowHeight
  return layout.rows
    .filter((_, index) => index % 2 === 1)
    .map(({ y }) => rect({ x: 0, y, width, height }, { fill: COLOR.stripe }))
}

function drawRuler(
  layout: WaterfallLayout,
  { left, width }: { readonly left: number; readonly width: number },
): string {
  const bottom = waterfallHeight(layout)
  const heading = { y: 25, face: 'inter600', size: 9.5, fill: COLOR.label, spacing: 0.75 } as const
  const ticks = layout.ticks.map(
    ({ x, label }) =>
      path(`M${x} ${RULER_HEIGHT}V${bottom}`, { stroke: COLOR.grid, 'stroke-width': 1 }) +
      path(`M${x} ${RULER_HEIGHT - 8}V${RULER_HEIGHT}`, { stroke: COLOR.gap, 'stroke-width': 1 }) +
      tickLabel(layout, x, label),
  )
  const answered = layout.answeredX
  return [
    rect({ x: -left, y: 0, width, height: RULER_HEIGHT }, { fill: COLOR.ground }),
    rect({ x: -left, y: RULER_HEIGHT - 1, width, height: 1 }, { fill: COLOR.rule }),
    text({ ...heading, x: 0 }, 'SERVICE · METHOD'),
    text({ ...heading, x: layout.width, anchor: 'end' }, 'SELF'),
    ...ticks,
    answered === undefined
      ? ''
      : path(`M${answered} ${RULER_HEIGHT - 8}V${bottom}`, {
          stroke: COLOR.quiet,
          'stroke-width': 1.25,
          'stroke-dasharray': '3 3',
        }),
  ].join('\n')
}

/** Beside its mark; at the end of the axis on the side where there is room. */
function tickLabel(layout: WaterfallLayout, x: number, label: string): string {
  const atEnd = x > layout.axis.x + layout.axis.width - 24
  const side = atEnd ? ({ x: x - 4, anchor: 'end' } as const) : { x: x + 4 }
  return text({ ...side, y: 24, face: 'inter400', size: 11.5, fill: COLOR.text }, label)
}

/** The lines of the tree from a row down to its callees. */
function guides(layout: WaterfallLayout, row: PlacedRow): string {
  const x = layout.indent(row.level) + SQUARE / 2
  const half = layout.rowHeight / 2
  const line = { fill: 'none', stroke: COLOR.rule, 'stroke-width': 1.25 }
  const down =
    row.lastCalleeY === undefined
      ? ''
      : path(`M${x} ${row.y + half + SQUARE / 2 + 2}V${row.lastCalleeY + half}`, line)
  const across =
    row.level === 0
      ? ''
      : path(`M${layout.indent(row.level - 1) + SQUARE / 2} ${row.y + half}H${x - 9}`, line)
  return down + across
}

function drawRow(
  layout: WaterfallLayout,
  row: PlacedRow,
  colorOf: (service: string) => string,
): string {
  const { content } = row
  const color = content.kind === 'calls' ? colorOf(content.service) : COLOR.gap
  const name =
    content.kind === 'calls'
      ? callName(layout, row, content, color)
      : smallName(layout, row, content)
  const self = text(
    {
      x: layout.width,
      y: row.y + 18.5,
      face: row.selfMatters ? 'inter700' : 'inter400',
      size: 12,
      fill: row.selfMatters ? COLOR.pathText : COLOR.label,
      anchor: 'end',
    },
    row.self,
  )
  return titled(titleOf(row), [name, drawBar(row, color), barLabel(row, color), self].join(''))
}

function titleOf({ content, place }: PlacedRow): string {
  if (content.kind === 'small') return `${content.title}: ${content.detail}`
  return [
    `${fullName(content)}${content.count > 1 ? ` ${countText(content)}` : ''}`,
    content.host,
    ...content.figures.map(({ label, value }) => `${label.toLowerCase()} ${value}`),
    place.kind === 'call' ? legsText(place.call) : '',
    ...content.marks,
    content.condition.detail,
  ]
    .filter((words) => words !== '')
    .join(' · ')
}

function callName(
  layout: WaterfallLayout,
  row: PlacedRow,
  content: CallCard,
  color: string,
): string {
  const left = layout.indent(row.level)
  const middle = row.y + layout.rowHeight / 2
  const icon = CONDITION_ICONS[content.condition.kind]
  const extras = countWidth(content) + marksWidth(content.marks) + (icon === undefined ? 0 : 20)
  const x = left + 18
  const room = Math.max(40, layout.gutter - x - extras)
  const methodNeeds = textWidth(content.method, 'inter400', NAME) + 8
  const service = fitText(
    content.service,
    'inter600',
    NAME,
    Math.max(room * 0.5, room - methodNeeds),
  )
  const serviceWidth = textWidth(service, 'inter600', NAME)
  const method = fitText(content.method, 'inter400', NAME, room - serviceWidth - 8)
  const y = row.y + 18.5
  const hollow = content.condition.kind === 'unprofiled' || content.condition.kind === 'placeholder'
  const square = hollow
    ? { fill: COLOR.paper, stroke: COLOR.gap, 'stroke-width': 1.25, 'stroke-dasharray': '2 1.5' }
    : { fill: color }
  let at = x + serviceWidth + 8 + textWidth(method, 'inter400', NAME)
  const badges: string[] = []
  if (content.count > 1) {
    at += countWidth(content)
    badges.push(
      pill(at, row.y + 6, { ground: COLOR.pillDark, ink: COLOR.paper }, countText(content)),
    )
  }
  for (const mark of content.marks) {
    at += marksWidth([mark])
    badges.push(pill(at, row.y + 6, { ground: COLOR.pill, ink: COLOR.pillDark }, mark))
  }
  if (icon !== undefined) badges.push(icon(at + 8, middle - 6))
  return [
    content.operation === undefined
      ? rect(
          { x: left, y: middle - SQUARE / 2, width: SQUARE, height: SQUARE },
          { rx: 3, ...square },
        )
      : OPERATION_ICONS[content.operation](left - 1, middle - 6),
    text(
      { x, y, face: 'inter600', size: NAME, fill: content.operation ? COLOR.pillDark : COLOR.ink },
      service,
    ),
    text({ x: x + serviceWidth + 8, y, face: 'inter400', size: NAME, fill: COLOR.text }, method),
    ...badges,
  ].join('')
}

function smallName(layout: WaterfallLayout, row: PlacedRow, content: SmallCard): string {
  const left = layout.indent(row.level)
  const y = row.y + layout.rowHeight / 2
  const missing = row.place.kind === 'missing'
  const fill = missing ? COLOR.doubt : row.place.onPath ? COLOR.pathText : COLOR.quiet
  const sign = missing
    ? text({ x: left + 5, y: y + 4.5, face: 'inter700', size: NAME, fill, anchor: 'middle' }, '?')
    : [-3.5, 0, 3.5]
        .map((by) => rect({ x: left + 1, y: y + by - 0.75, width: 8, height: 1.5 }, { fill }))
        .join('')
  const words = fitText(content.title, 'inter600', 12.5, layout.gutter - left - 18)
  return sign + text({ x: left + 18, y: row.y + 18.5, face: 'inter600', size: 12.5, fill }, words)
}

function barLabel(row: PlacedRow, color: string): string {
  const { label, content } = row
  if (label === undefined) return ''
  const failed =
    content.kind === 'calls' &&
    (content.condition.kind === 'failed' || content.condition.kind === 'unanswered')
  const quiet = content.kind === 'small'
  const inside = label.side === 'inside'
  const plain = failed ? COLOR.failure : quiet ? COLOR.quiet : COLOR.ink
  const solid = inside && row.work.length > 0 && !failed
  const width = textWidth(label.text, 'inter600', 12) + 12
  // Hatching behind letters would make both unreadable.
  const plate = { x: label.x - width / 2, y: row.y + 7.5, width, height: 11 }
  const behind = inside && failed ? rect(plate, { rx: 2, fill: COLOR.paper }) : ''
  return (
    behind +
    text(
      {
        x: label.x,
        y: row.y + (inside ? 17 : 17.5),
        face: quiet ? 'inter500' : 'inter600',
        size: quiet ? 11.5 : 12,
        fill: solid ? inkOn(color) : plain,
        anchor: label.side === 'right' ? 'start' : label.side === 'left' ? 'end' : 'middle',
      },
      label.text,
    )
  )
}
