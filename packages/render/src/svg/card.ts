import {
  bodyHeight,
  CARD,
  type CallCard,
  countText,
  countWidth,
  fullName,
  marksWidth,
  pillWidth,
  type SmallCard,
  timesOf,
} from '../layout/card-content.ts'
import { type Face, fitText, textWidth } from '../layout/measure.ts'
import type { PlacedCard } from '../layout/tree-layout.ts'
import type { ConditionKind } from '../outline/condition.ts'
import { CONDITION_ICONS, OPERATION_ICONS } from './icons.ts'
import { number, path, rect, text, titled } from './markup.ts'
import { COLOR } from './palette.ts'
import { pill } from './pill.ts'
import { type Scale, timeline } from './timeline.ts'

export interface CardStyle {
  readonly colorOf: (service: string) => string
  readonly scale: Scale
}

const RADIUS = 9
const BAR = 5

/** What tells a condition apart without words, beside its sign: outline and ground. */
interface Look {
  readonly stroke: string
  readonly width: number
  readonly dashes?: string
  readonly ground?: string
  readonly noteGround?: string
  readonly noteInk?: string
}

const LOOKS: Readonly<Record<ConditionKind, Look>> = {
  ok: { stroke: COLOR.border, width: 1 },
  failed: {
    stroke: COLOR.failure,
    width: 1.75,
    noteGround: COLOR.failureGround,
    noteInk: COLOR.failure,
  },
  unanswered: {
    stroke: COLOR.failure,
    width: 1.75,
    dashes: '6 3.5',
    noteGround: COLOR.failureGround,
    noteInk: COLOR.failure,
  },
  pending: { stroke: COLOR.quiet, width: 1.5, dashes: '8 4 1.5 4' },
  unprofiled: {
    stroke: COLOR.gap,
    width: 1.25,
    dashes: '1.5 3',
    ground: COLOR.stripe,
  },
  partial: { stroke: COLOR.gap, width: 1.25, dashes: '8 3' },
  placeholder: {
    stroke: COLOR.gap,
    width: 1.25,
    dashes: '1.5 3',
    ground: COLOR.stripe,
  },
}

/** One card of the call tree, with everything that is said on it. */
export function drawCard(card: PlacedCard, style: CardStyle): string {
  const { content } = card
  if (content.kind === 'small') return drawSmall(card, content)
  const color = style.colorOf(content.service)
  const title = [
    `${fullName(content)}${content.count > 1 ? ` ${countText(content)}` : ''}`,
    content.host,
    ...content.figures.map(({ label, value }) => `${label.toLowerCase()} ${value}`),
    ...content.marks,
    ...(content.condition.title === ''
      ? []
      : [`${content.condition.title}: ${content.condition.detail}`]),
  ].join(' · ')
  return titled(
    title,
    [
      content.count > 1 ? stack(card) : '',
      ground(card, content, color),
      content.operation === undefined
        ? heading(card, content) + figures(card, content)
        : operation(card, content),
      timeline(
        {
          x: card.x + CARD.left,
          y: card.y + bodyHeight(content) - 11,
          width: card.width - CARD.left - CARD.right,
        },
        {
          ...{ place: card.place, color, scale: style.scale, kind: content.condition.kind },
          solid: content.operation !== undefined,
        },
      ),
      note(card, content),
    ].join(''),
  )
}

function stack({ x, y, width, height }: PlacedCard): string {
  return [CARD.stack, CARD.stack / 2]
    .map((by) =>
      rect(
        { x: x + by, y: y + by, width, height },
        { rx: RADIUS, fill: COLOR.paper, stroke: COLOR.border },
      ),
    )
    .join('')
}

function ground(card: PlacedCard, content: CallCard, color: string): string {
  const { x, y, width, height, place } = card
  const look = LOOKS[content.condition.kind]
  const merged = place.kind === 'merged'
  const outline = place.onPath
    ? { stroke: COLOR.path, 'stroke-width': 2.25 }
    : {
        stroke: (content.detached || merged) && look.width === 1 ? COLOR.gap : look.stroke,
        'stroke-width': look.width,
        'stroke-dasharray': look.dashes ?? (content.detached || merged ? '4 3' : undefined),
      }
  return [
    rect({ x, y: y + 1.5, width, height }, { rx: RADIUS, fill: COLOR.ink, 'fill-opacity': 0.045 }),
    rect(
      { x, y, width, height },
      {
        rx: RADIUS,
        fill: look.ground ?? (content.operation === undefined ? COLOR.paper : COLOR.stripe),
      },
    ),
    content.operation === undefined ? path(edge(card), { fill: color }) : '',
    rect({ x, y, width, height }, { rx: RADIUS, fill: 'none', ...outline }),
  ].join('')
}

/** The service's colour along the left side, following the round corners. */
function edge({ x, y, height }: PlacedCard): string {
  const inset = RADIUS - Math.sqrt(RADIUS ** 2 - (RADIUS - BAR) ** 2)
  return [
    `M${number(x + BAR)} ${number(y + inset)}`,
    `A${RADIUS} ${RADIUS} 0 0 0 ${number(x)} ${number(y + RADIUS)}`,
    `V${number(y + height - RADIUS)}`,
    `A${RADIUS} ${RADIUS} 0 0 0 ${number(x + BAR)} ${number(y + height - inset)}`,
    'Z',
  ].join('')
}

function heading(card: PlacedCard, content: CallCard): string {
  const left = card.x + CARD.left
  const right = card.x + card.width - CARD.right
  const room = right - left
  const onPath = card.place.onPath
  const count = countText(content)
  const line = (y: number, face: Face, size: number, fill: string, words: string, used: number) =>
    text({ x: left, y: card.y + y, face, size, fill }, fitText(words, face, size, room - used))
  return [
    line(21, 'inter600', 11.5, COLOR.pillDark, content.service, shareWidth(content)),
    text(
      {
        x: right,
        y: card.y + 21,
        face: onPath ? 'inter600' : 'inter400',
        size: 11,
        fill: onPath ? COLOR.pathText : COLOR.label,
        anchor: 'end',
      },
      content.share,
    ),
    line(39.5, 'inter600', 14.5, COLOR.ink, content.method, countWidth(content)),
    content.count > 1
      ? pill(right, card.y + 27, { ground: COLOR.pillDark, ink: COLOR.paper }, count)
      : '',
    line(55.5, 'mono400', 10.5, COLOR.quiet, content.host, marksWidth(content.marks)),
    ...marks(content.marks, right, card.y + 45),
  ].join('')
}

/** What a service does below itself, in three lines: where, what, how long. */
function operation(card: PlacedCard, content: CallCard): string {
  const left = card.x + CARD.left
  const right = card.x + card.width - CARD.right
  const room = right - left
  const fill = card.place.onPath ? COLOR.pathText : COLOR.text
  return [
    OPERATION_ICONS[content.operation!](left - 1, card.y + 11),
    text(
      { x: left + 16, y: card.y + 21, face: 'inter600', size: 11.5, fill: COLOR.pillDark },
      fitText(content.service, 'inter600', 11.5, room - 16 - shareWidth(content)),
    ),
    text(
      {
        ...{ x: right, y: card.y + 21, size: 11, anchor: 'end' },
        face: card.place.onPath ? 'inter600' : 'inter400',
        fill: card.place.onPath ? COLOR.pathText : COLOR.label,
      },
      content.share,
    ),
    text(
      { x: left, y: card.y + 39, face: 'mono400', size: 11, fill: COLOR.ink },
      fitText(content.method, 'mono400', 11, room - countWidth(content)),
    ),
    content.count > 1
      ? pill(right, card.y + 27, { ground: COLOR.pillDark, ink: COLOR.paper }, countText(content))
      : '',
    text({ x: left, y: card.y + 58, face: 'inter600', size: 12.5, fill }, timesOf(content)),
    ...marks(content.marks, right, card.y + 46.5),
  ].join('')
}

function shareWidth(content: CallCard): number {
  return content.share === '' ? 0 : textWidth(content.share, 'inter600', 11) + 10
}

function marks(words: readonly string[], right: number, y: number): readonly string[] {
  let at = right
  return words.map((word) => {
    const drawn = pill(at, y, { ground: COLOR.pill, ink: COLOR.pillDark }, word)
    at -= pillWidth(word) + 4
    return drawn
  })
}

function figures(card: PlacedCard, content: CallCard): string {
  const left = card.x + CARD.left
  const room = card.width - CARD.left - CARD.right
  return content.figures
    .map(({ label, value }, index) => {
      const x = left + room * [0, 0.4, 0.72][index]!
      const fill = card.place.onPath && index === 0 ? COLOR.pathText : COLOR.ink
      return (
        text(
          { x, y: card.y + 73, face: 'inter600', size: 8.5, fill: COLOR.label, spacing: 0.6 },
          label,
        ) +
        (index === 0
          ? text({ x, y: card.y + 89, face: 'inter700', size: 15, fill }, value)
          : text({ x, y: card.y + 89, face: 'inter500', size: 12.5, fill }, value))
      )
    })
    .join('')
}

function note(card: PlacedCard, content: CallCard): string {
  const { title, detail, kind } = content.condition
  if (title === '') return ''
  const look = LOOKS[kind]
  const ink = look.noteInk ?? COLOR.quiet
  const box = {
    x: card.x + CARD.left - 5,
    y: card.y + bodyHeight(content) + 1,
    width: card.width - CARD.left - CARD.right + 10,
    height: CARD.noteHeight - 9,
  }
  const room = box.width - 12
  return [
    rect(box, { rx: 4, fill: look.noteGround ?? COLOR.gapGround }),
    CONDITION_ICONS[kind]?.(box.x + 6, box.y + 4) ?? '',
    text(
      { x: box.x + 23, y: box.y + 14, face: 'inter600', size: 11.5, fill: ink },
      fitText(title, 'inter600', 11.5, room - 17),
    ),
    text(
      { x: box.x + 6, y: box.y + 29, face: 'inter400', size: 11, fill: ink },
      fitText(detail, 'inter400', 11, room),
    ),
  ].join('')
}

/** What is not drawn call by call: dashed, low, and without a service's colour. */
function drawSmall(card: PlacedCard, content: SmallCard): string {
  const { x, y, width, height, place } = card
  const missing = place.kind === 'missing'
  const stroke = place.onPath
    ? { stroke: COLOR.path, 'stroke-width': 2.25, 'stroke-dasharray': '7 4' }
    : { stroke: missing ? COLOR.doubt : COLOR.gap, 'stroke-width': 1.25, 'stroke-dasharray': '4 3' }
  const sign = missing
    ? text(
        { x: x + 16, y: y + 28, face: 'inter700', size: 15, fill: COLOR.doubt, anchor: 'middle' },
        '?',
      )
    : [17.5, 23, 28.5]
        .map((at) =>
          rect({ x: x + 12, y: y + at - 1, width: 8, height: 2 }, { rx: 1, fill: COLOR.gap }),
        )
        .join('')
  const room = width - 40
  return titled(
    `${content.title}: ${content.detail}`,
    [
      rect(
        { x, y, width, height },
        { rx: RADIUS, fill: missing ? COLOR.doubtGround : COLOR.gapGround, ...stroke },
      ),
      sign,
      text(
        {
          x: x + 30,
          y: y + 20,
          face: 'inter600',
          size: 12,
          fill: missing ? COLOR.doubt : place.onPath ? COLOR.pathText : COLOR.text,
        },
        fitText(content.title, 'inter600', 12, room),
      ),
      text(
        {
          x: x + 30,
          y: y + 35,
          face: 'inter400',
          size: 10.5,
          fill: missing ? COLOR.doubt : COLOR.quiet,
        },
        fitText(content.detail, 'inter400', 10.5, room),
      ),
    ].join(''),
  )
}
