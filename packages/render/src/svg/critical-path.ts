import { type CallTree, formatMs, formatShare } from 'clew/trace'
import type { Facts } from '../facts.ts'
import type { CriticalLane, CriticalLayout } from '../layout/critical-layout.ts'
import { fitText, textWidth } from '../layout/measure.ts'
import type { Extent } from '../layout/waterfall-layout.ts'
import { criticalParts, type Leg } from '../outline/critical-steps.ts'
import { LEG_WORDS } from '../outline/leg-words.ts'
import { visible } from '../visible.ts'
import { grouped } from '../words.ts'
import { AXIS_HEIGHT, drawAxis } from './axis.ts'
import type { KeyFigure } from './header-content.ts'
import type { LegendItem } from './legend.ts'
import { element, number, path, rect, text, titled } from './markup.ts'
import { COLOR, paler, serviceColors } from './palette.ts'
import { pill } from './pill.ts'

const LANE = 34
const BAR = 16
const PADDING = 8

export const criticalHeight = ({ lanes }: CriticalLayout) =>
  AXIS_HEIGHT + PADDING * 2 + lanes.length * LANE

/** Lanes below a time axis: who the answer waited for at each moment. */
export function drawCriticalPath(
  layout: CriticalLayout,
  facts: Facts,
  frame: { readonly left: number; readonly width: number },
): string {
  const colorOf = serviceColors(facts.ranking)
  const bottom = criticalHeight(layout)
  const { axis, width } = layout
  const heading = { y: 24, face: 'inter600', size: 9.5, fill: COLOR.label, spacing: 0.75 } as const
  const right = frame.left + width
  return [
    element('defs', {}, layout.lanes.map(({ service }) => pattern(colorOf(service))).join('')),
    rect({ x: 0, y: 0, width: frame.width, height: bottom }, { fill: COLOR.paper }),
    ...[...layout.lanes.keys()]
      .filter((lane) => lane % 2 === 1)
      .map((lane) =>
        rect(
          { x: 0, y: AXIS_HEIGHT + PADDING + lane * LANE, width: frame.width, height: LANE },
          { fill: COLOR.stripe },
        ),
      ),
    drawAxis(
      { ticks: layout.ticks, width: axis.x + axis.width, answeredX: undefined },
      { ...frame, bottom },
    ),
    text({ ...heading, x: frame.left }, 'SERVICE · METHOD'),
    text({ ...heading, x: right - 190, anchor: 'end' }, 'WAITED FOR IT'),
    text({ ...heading, x: right, anchor: 'end' }, 'SHARE OF THE WHOLE'),
    `<g transform="translate(${frame.left} ${AXIS_HEIGHT + PADDING})">`,
    ...layout.turns.map(({ x, from, to }) =>
      path(`M${number(x)} ${from * LANE + LANE / 2}V${to * LANE + LANE / 2}`, {
        stroke: COLOR.path,
        'stroke-width': 1,
        'stroke-opacity': 0.45,
      }),
    ),
    ...layout.lanes.map((lane, index) => drawLane(layout, lane, index * LANE, colorOf)),
    '</g>',
  ].join('\n')
}

function drawLane(
  layout: CriticalLayout,
  lane: CriticalLane,
  y: number,
  colorOf: (service: string) => string,
): string {
  const color = lane.rest ? COLOR.gap : colorOf(lane.service)
  const bars = LEGS.flatMap((leg) =>
    runs(lane.parts.filter((part) => part.leg === leg).map(({ extent }) => extent)).map((extent) =>
      bar(leg, { ...extent, y: y + (LANE - BAR) / 2, height: BAR }, color),
    ),
  )
  const legs = LEGS.filter((leg) => lane.legs[leg] > 0)
  const words = legs.map((leg) => `${formatMs(lane.legs[leg])} ${LEG_WORDS[leg]}`)
  const title = [`${lane.service} ${lane.method}`.trim(), lane.host, ...words]
  return titled(
    title.filter((part) => part !== '').join(' · '),
    [name(layout, lane, y, color), ...bars, figures(layout, lane, y)].join(''),
  )
}

const LEGS: readonly Leg[] = ['wait', 'queue', 'unknown', 'work']

/** Stretches of one kind without those gaps between them that nobody could see. */
function runs(parts: readonly Extent[]): readonly Extent[] {
  const whole: { x: number; width: number }[] = []
  for (const { x, width } of parts) {
    const last = whole.at(-1)
    if (last !== undefined && x - (last.x + last.width) < 0.4) {
      last.width = Math.max(last.width, x + width - last.x)
    } else whole.push({ x, width: Math.max(1.5, width) })
  }
  return whole
}

type Box = Extent & { readonly y: number; readonly height: number }

function bar(leg: Leg, box: Box, color: string): string {
  const rx = Math.min(3, box.width / 2)
  switch (leg) {
    case 'work':
      return rect(box, { rx, fill: color })
    case 'wait':
      return (
        rect(box, { rx, fill: paler(color, 0.75) }) +
        rect(box, { rx, fill: `url(#${patternId(color)})` })
      )
    case 'queue':
      return rect({ ...box, y: box.y + box.height / 2 - 3, height: 6 }, { fill: color })
    case 'unknown':
      return rect(
        { x: box.x + 0.6, y: box.y + 0.6, width: box.width - 1.2, height: box.height - 1.2 },
        {
          ...{ rx, fill: COLOR.paper, stroke: COLOR.gap, 'stroke-width': 1.2 },
          'stroke-dasharray': '3 2',
        },
      )
  }
}

const patternId = (color: string) => `clew-way-${color.slice(1)}`

const pattern = (color: string) =>
  element(
    'pattern',
    {
      ...{ id: patternId(color), width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
      patternTransform: 'rotate(45)',
    },
    rect({ x: 0, y: 0, width: 2, height: 6 }, { fill: color }),
  )

function name(layout: CriticalLayout, lane: CriticalLane, y: number, color: string): string {
  const count = lane.calls > 1 ? `×${grouped(lane.calls)}` : ''
  const pillRoom = count === '' ? 0 : textWidth(count, 'inter600', 10.5) + 24
  const room = layout.gutter - 18 - pillRoom
  const methodNeeds = textWidth(lane.method, 'inter400', 13) + 8
  const service = fitText(lane.service, 'inter600', 13, Math.max(room * 0.5, room - methodNeeds))
  const serviceWidth = service === '' ? -8 : textWidth(service, 'inter600', 13)
  const method = fitText(lane.method, 'inter400', 13, room - serviceWidth - 8)
  const end = 18 + serviceWidth + 8 + textWidth(method, 'inter400', 13)
  const textY = y + LANE / 2 + 4.5
  return [
    rect({ x: 0, y: y + LANE / 2 - 5, width: 10, height: 10 }, { rx: 3, fill: color }),
    text({ x: 18, y: textY, face: 'inter600', size: 13, fill: COLOR.ink }, service),
    text({ x: 26 + serviceWidth, y: textY, face: 'inter400', size: 13, fill: COLOR.text }, method),
    count === ''
      ? ''
      : pill(
          end + pillRoom - 6,
          y + LANE / 2 - 8,
          { ground: COLOR.pillDark, ink: COLOR.paper },
          count,
        ),
  ].join('')
}

/** How long it was waited for, and a bar for its share. */
function figures(layout: CriticalLayout, lane: CriticalLane, y: number): string {
  const textY = y + LANE / 2 + 4.5
  const much = lane.share >= 0.1
  const [right, track] = [layout.width, 110]
  const fill = much ? COLOR.pathText : COLOR.text
  const face = much ? 'inter700' : 'inter500'
  const bar = { x: right - 58 - track, y: y + LANE / 2 - 4, height: 8 }
  return [
    text({ x: right - 190, y: textY, face, size: 12.5, fill, anchor: 'end' }, formatMs(lane.ms)),
    rect({ ...bar, width: track }, { rx: 4, fill: COLOR.track }),
    rect(
      { ...bar, width: Math.min(1, lane.share) * track },
      { rx: Math.min(4, (lane.share * track) / 2), fill: much ? COLOR.path : COLOR.gap },
    ),
    text(
      { x: right, y: textY, face, size: 12.5, fill, anchor: 'end' },
      formatShare(Math.min(1, lane.share)),
    ),
  ].join('')
}

/** `29 % of it on the way`: how much of the path is no work at all. */
export function waitFigure(tree: CallTree, layout: CriticalLayout): KeyFigure {
  const waited = layout.lanes.reduce((sum, { legs }) => sum + legs.wait + legs.queue, 0)
  const share = tree.totalMs > 0 ? Math.min(1, waited / tree.totalMs) : 0
  return { label: 'ON THE WAY AND QUEUED', value: formatShare(share), tone: 'path' }
}

/** What to look at first, and what it would bring. */
export function firstSentence(tree: CallTree, layout: CriticalLayout): string | undefined {
  const [first] = criticalParts(layout.steps)
  if (first === undefined || !(tree.totalMs > 0)) return undefined
  const share = formatShare(Math.min(1, first.ms / tree.totalMs))
  const on = first.host === undefined ? '' : ` on ${first.host}`
  const words = first.leg === 'work' ? 'the work' : `the time ${LEG_WORDS[first.leg]}`
  return visible(
    `Look first at ${words} of ${first.name}${on}: the answer waited ${formatMs(first.ms)} for it, ${share} of the whole.`,
  )
}

/** The legend's items for the legs that occur. */
export function criticalLegend(layout: CriticalLayout, facts: Facts): readonly LegendItem[] {
  const color = serviceColors(facts.ranking)(layout.lanes[0]?.service ?? '')
  const occurring = (['work', 'wait', 'queue', 'unknown'] as const).filter((leg) =>
    layout.lanes.some(({ legs }) => legs[leg] > 0),
  )
  const items = occurring.map(
    (leg): LegendItem => ({
      label: LEG_WORDS[leg],
      width: 36,
      draw: (x, y) => bar(leg, { x, y: y - BAR / 2, width: 36, height: BAR }, color),
    }),
  )
  const turn: LegendItem = {
    label: 'from there on the answer waited for another',
    width: 8,
    draw: (x, y) => path(`M${x + 4} ${y - 9}V${y + 9}`, { stroke: COLOR.path, 'stroke-width': 1 }),
  }
  return layout.turns.length > 0 ? [...items, turn] : items
}
