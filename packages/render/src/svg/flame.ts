import type { Facts } from '../facts.ts'
import { type CallCard, countText, fullName } from '../layout/card-content.ts'
import type { FlameLayout, PlacedBlock } from '../layout/flame-layout.ts'
import { fitText, textWidth } from '../layout/measure.ts'
import type { Extent } from '../layout/waterfall-layout.ts'
import { AXIS_HEIGHT, drawAxis } from './axis.ts'
import { warning } from './icons.ts'
import type { LegendItem } from './legend.ts'
import { element, path, rect, text, titled } from './markup.ts'
import { COLOR, paler, serviceColors } from './palette.ts'

/** A lane: the block's name, the strip of its own work, and the critical path below. */
const LANE = 34
const BLOCK = 27
const STRIP = 5
const PADDING = 12
const NAME = 11.5

type ColorOf = (service: string) => string

export function flameHeight(layout: FlameLayout): number {
  return AXIS_HEIGHT + PADDING * 2 + layout.lanes * LANE
}

/** Blocks below a time axis, `left` pixels from the left side of a picture of a width. */
export function drawFlame(
  layout: FlameLayout,
  facts: Facts,
  frame: { readonly left: number; readonly width: number },
): string {
  const colorOf = serviceColors(facts.ranking)
  const height = flameHeight(layout)
  return [
    element('defs', {}, HATCH),
    rect({ x: 0, y: 0, width: frame.width, height }, { fill: COLOR.paper }),
    drawAxis(layout, { ...frame, bottom: height }),
    `<g transform="translate(${frame.left} ${AXIS_HEIGHT + PADDING})">`,
    ...layout.blocks.map((block) => drawBlock(block, colorOf)),
    '</g>',
  ].join('\n')
}

const FAILED = 'clew-flame-failed'
const HATCH = element(
  'pattern',
  {
    ...{ id: FAILED, width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
    patternTransform: 'rotate(45)',
  },
  rect({ x: 0, y: 0, width: 2, height: 6 }, { fill: COLOR.failure }),
)

function drawBlock(block: PlacedBlock, colorOf: ColorOf): string {
  const y = block.lane * LANE
  const shape = shapeOf(block, y, colorOf)
  return titled(titleOf(block), shape + nameOf(block, y))
}

function shapeOf(block: PlacedBlock, y: number, colorOf: ColorOf): string {
  const { content, extent } = block
  // A gap of a pixel between neighbours, as long as something is left.
  const box = { x: extent.x, y, width: Math.max(1, extent.width - 1), height: BLOCK }
  const rx = Math.min(3, box.width / 2)
  if (content.kind === 'small') {
    return rect(inner(box), dashed(COLOR.gap, COLOR.gapGround, rx))
  }
  const color = colorOf(content.service)
  const { kind } = content.condition
  if (kind === 'pending' || kind === 'placeholder') {
    return rect(inner(box), dashed(COLOR.gap, COLOR.gapGround, rx))
  }
  const ground = kind === 'unprofiled' ? COLOR.paper : paler(color, content.operation ? 0.8 : 0.7)
  const failed = isFailed(content)
  const outline = failed
    ? rect(inner(box), { rx, fill: 'none', stroke: COLOR.failure, 'stroke-width': 1.5 })
    : content.detached || kind === 'unprofiled' || kind === 'partial'
      ? rect(inner(box), dashed(kind === 'unprofiled' ? COLOR.gap : color, 'none', rx))
      : ''
  return [
    rect(box, { rx, fill: ground }),
    ...strip(block, y + BLOCK - STRIP, STRIP, color, failed),
    outline,
    ...block.critical.map((part) =>
      rect({ ...part, y: y + BLOCK + 1.5, height: 3 }, { rx: 1.5, fill: COLOR.path }),
    ),
  ].join('')
}

/** Own work along the lower side; of operations, all of it. */
function strip(
  block: PlacedBlock,
  y: number,
  height: number,
  color: string,
  failed: boolean,
): readonly string[] {
  const { content, extent } = block
  const isOperation = content.kind === 'calls' && content.operation !== undefined
  const parts = isOperation
    ? [{ x: extent.x, width: Math.max(1, extent.width - 1) }]
    : merged(block.own)
  const fill = failed ? `url(#${FAILED})` : color
  return parts.map((part) => rect({ ...part, y, height }, { rx: 1, fill }))
}

/** Thousands of stretches within a pixel are one. */
function merged(parts: readonly Extent[]): readonly Extent[] {
  const whole: { x: number; width: number }[] = []
  for (const { x, width } of parts) {
    const last = whole.at(-1)
    if (last !== undefined && x - (last.x + last.width) < 0.5) {
      last.width = Math.max(last.width, x + width - last.x)
    } else whole.push({ x, width })
  }
  return whole
}

const isFailed = ({ condition }: CallCard) =>
  condition.kind === 'failed' || condition.kind === 'unanswered'

function inner(box: { x: number; y: number; width: number; height: number }) {
  return { x: box.x + 0.75, y: box.y + 0.75, width: box.width - 1.5, height: box.height - 1.5 }
}

const dashed = (stroke: string, fill: string, rx: number) => ({
  ...{ rx, fill, stroke, 'stroke-width': 1.25 },
  'stroke-dasharray': '4 3',
})

/** Who it was, and how long it took where there is room. */
function nameOf({ content, extent }: PlacedBlock, y: number): string {
  const room = extent.width - 11
  if (room < 12) return ''
  const textY = y + 15
  const left = extent.x + 5
  if (content.kind === 'small') {
    const words = fitText(content.title, 'inter500', NAME, room)
    return text({ x: left, y: textY, face: 'inter500', size: NAME, fill: COLOR.quiet }, words)
  }
  const failed = isFailed(content)
  const sign = failed && room > 34 ? warning(left, y + 4.5) : ''
  const x = left + (sign === '' ? 0 : 17)
  const fill = failed ? COLOR.failure : COLOR.ink
  const free = left + room - x
  const words = `${content.service} ${content.method}${content.count > 1 ? ` ${countText(content)}` : ''}`
  const [time] = content.figures
  const timeWidth = textWidth(time.value, 'inter400', NAME)
  const name = fitText(words, 'inter600', NAME, free)
  const nameEnd = x + textWidth(name, 'inter600', NAME)
  const fits = nameEnd + 12 + timeWidth <= left + room
  if (name.length < 3) return sign
  return (
    sign +
    text({ x, y: textY, face: 'inter600', size: NAME, fill }, name) +
    (fits
      ? text(
          { x: nameEnd + 8, y: textY, face: 'inter400', size: NAME, fill: COLOR.text },
          time.value,
        )
      : '')
  )
}

function titleOf({ content }: PlacedBlock): string {
  if (content.kind === 'small') return `${content.title}: ${content.detail}`
  return [
    `${fullName(content)}${content.count > 1 ? ` ${countText(content)}` : ''}`,
    content.host,
    ...content.figures.map(({ label, value }) => `${label.toLowerCase()} ${value}`),
    ...content.marks,
    content.condition.title,
  ]
    .filter((words) => words !== '')
    .join(' · ')
}

/** The legend's items for what occurs among the blocks. */
export function flameLegend(layout: FlameLayout, facts: Facts): readonly LegendItem[] {
  const { blocks } = layout
  const colorOf = serviceColors(facts.ranking)
  const calls = blocks.flatMap(({ content }) => (content.kind === 'calls' ? [content] : []))
  const color = colorOf(calls[0]?.service ?? '')
  const items: LegendItem[] = []
  const block = (label: string, draw: (x: number, y: number) => string, width = 36) =>
    items.push({ label, width, draw })
  const plain = (x: number, y: number) =>
    rect({ x, y: y - 9, width: 36, height: 18 }, { rx: 3, fill: paler(color, 0.7) })
  if (blocks.some(({ own }) => own.length > 0)) {
    block('a call over time; below its own work, waiting for nobody', (x, y) =>
      [
        plain(x, y),
        rect({ x, y: y + 4, width: 10, height: STRIP }, { fill: color }),
        rect({ x: x + 28, y: y + 4, width: 8, height: STRIP }, { fill: color }),
      ].join(''),
    )
  }
  if (blocks.some(({ critical }) => critical.length > 0)) {
    block('critical path', (x, y) =>
      rect({ x, y: y - 1.5, width: 36, height: 3 }, { rx: 1.5, fill: COLOR.path }),
    )
  }
  if (calls.some(isFailed)) {
    block('failed, or its caller stopped waiting', (x, y) =>
      [
        rect({ x, y: y - 9, width: 36, height: 18 }, { rx: 3, fill: paler(color, 0.7) }),
        rect({ x: x + 0.75, y: y - 8.25, width: 34.5, height: 16.5 }, FAILED_OUTLINE),
        warning(x + 12, y - 6),
      ].join(''),
    )
  }
  const dashes = (x: number, y: number) =>
    rect({ x: x + 0.75, y: y - 8, width: 34.5, height: 16 }, dashed(COLOR.gap, COLOR.paper, 3))
  if (calls.some(({ detached }) => detached)) block('not waited for', dashes)
  if (calls.some(({ condition }) => UNKNOWN.has(condition.kind))) {
    block('not ended, or its service keeps no profile', dashes)
  }
  if (blocks.some(({ content }) => content.kind === 'small')) block('folded calls', dashes)
  if (layout.answeredX !== undefined) {
    block(
      'the root was answered',
      (x, y) =>
        path(`M${x + 3} ${y - 9}V${y + 9}`, {
          ...{ stroke: COLOR.quiet, 'stroke-width': 1.25, 'stroke-dasharray': '3 3' },
        }),
      6,
    )
  }
  return items
}

const FAILED_OUTLINE = { rx: 3, fill: 'none', stroke: COLOR.failure, 'stroke-width': 1.5 }
const UNKNOWN: ReadonlySet<string> = new Set(['pending', 'placeholder', 'unprofiled', 'partial'])
