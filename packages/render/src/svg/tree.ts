import { type CallTree, slowestPath } from 'clew/trace'
import type { Facts } from '../facts.ts'
import type { PlacedCard, TreeLayout } from '../layout/tree-layout.ts'
import type { ConditionKind, Operation } from '../outline/condition.ts'
import { visible } from '../visible.ts'
import { counted } from '../words.ts'
import { drawCard } from './card.ts'
import type { KeyFigure } from './header-content.ts'
import { clock, dots, type Icon, OPERATION_ICONS, warning } from './icons.ts'
import type { LegendItem } from './legend.ts'
import { arrow, drawLinks } from './links.ts'
import { path, rect } from './markup.ts'
import { COLOR, paler, serviceColors } from './palette.ts'

/** The cards and the lines between them. */
export function drawTree(layout: TreeLayout, facts: Facts): string {
  const style = { colorOf: serviceColors(facts.ranking), scale: layout.outline }
  return [drawLinks(layout.links), ...layout.cards.map((card) => drawCard(card, style))].join('\n')
}

/** `5 calls · ends in ranking`. */
export function slowestPathFigure(tree: CallTree): KeyFigure {
  const path = slowestPath(tree)
  const last = path.at(-1)
  const value =
    last === undefined || path.length < 2
      ? counted(path.length, 'call')
      : `${counted(path.length, 'call')} · ends in ${shortened(visible(last.service))}`
  return { label: 'SLOWEST PATH', value, tone: 'path' }
}

/** The legend's items for what occurs among the cards. */
export function treeLegend(layout: TreeLayout, facts: Facts): readonly LegendItem[] {
  const { cards, links } = layout
  const has = (test: (card: PlacedCard) => boolean) => cards.some(test)
  const hasCondition = (kind: ConditionKind) =>
    has(({ content }) => content.kind === 'calls' && content.condition.kind === kind)
  const color = serviceColors(facts.ranking)(facts.ranking[0] ?? '')
  return [
    ...(links.some((link) => link.onPath) ? [SLOWEST_PATH] : []),
    whereInTrace(color),
    ...(has(({ content }) => content.kind === 'calls' && content.detached) ? [DETACHED] : []),
    ...OPERATIONS.filter(([kind]) =>
      has(({ content }) => content.kind === 'calls' && content.operation === kind),
    ).map(([, item]) => item),
    ...(has(({ place }) => place.kind === 'repeats') ? [REPEATS] : []),
    ...(has(({ place }) => place.kind === 'merged')
      ? [{ ...REPEATS, label: '×n merged before they came home' }]
      : []),
    ...CONDITIONS.filter(([kind]) => hasCondition(kind)).map(([, item]) => item),
    ...(has(({ place }) => place.kind === 'folded') ? [FOLDED] : []),
    ...(has(({ place }) => place.kind === 'missing') ? [MISSING] : []),
  ]
}

function shortened(name: string): string {
  return name.length > 32 ? `${name.slice(0, 20)}…${name.slice(-11)}` : name
}

const SLOWEST_PATH: LegendItem = {
  label: 'slowest path',
  width: 34,
  draw: (x, y) =>
    path(`M${x + 2} ${y}H${x + 27}`, {
      stroke: COLOR.path,
      'stroke-width': 4,
      'stroke-linecap': 'round',
    }) + arrow(x + 34, y),
}

function whereInTrace(color: string): LegendItem {
  return {
    label: 'where in the trace: total (pale), handle (solid)',
    width: 46,
    draw: (x, y) =>
      rect({ x, y: y - 2.5, width: 46, height: 5 }, { rx: 2.5, fill: COLOR.track }) +
      rect({ x: x + 6, y: y - 2.5, width: 34, height: 5 }, { rx: 2.5, fill: paler(color, 0.62) }) +
      rect({ x: x + 11, y: y - 2.5, width: 24, height: 5 }, { rx: 2.5, fill: color }),
  }
}

const DETACHED: LegendItem = {
  label: 'not waited for',
  width: 32,
  draw: (x, y) =>
    path(`M${x} ${y}H${x + 32}`, {
      stroke: COLOR.gap,
      'stroke-width': 1.5,
      'stroke-dasharray': '5 4',
    }),
}

const REPEATS: LegendItem = {
  label: '×n merged repeats',
  width: 26,
  draw: (x, y) =>
    [5, 0]
      .map((by) =>
        rect(
          { x: x + by + 0.5, y: y - 8 + by * 0.8, width: 20, height: 12 },
          { rx: 3, fill: COLOR.paper, stroke: COLOR.gap },
        ),
      )
      .join(''),
}

const CONDITIONS: readonly (readonly [ConditionKind, LegendItem])[] = [
  ['failed', { label: 'failed', width: 12, draw: centred(warning) }],
  ['unanswered', { label: 'its caller stopped waiting', width: 12, draw: centred(clock) }],
  ['pending', { label: 'not ended', width: 12, draw: centred(dots) }],
  ['unprofiled', { label: 'no profile', width: 26, draw: outlined('1.5 3') }],
  ['partial', { label: 'entries missing', width: 26, draw: outlined('8 3') }],
  ['placeholder', { label: 'known only from others', width: 26, draw: outlined('1.5 3') }],
]

const FOLDED: LegendItem = {
  label: 'folded calls',
  width: 26,
  draw: (x, y) => outlined('4 3')(x, y),
}

const MISSING: LegendItem = {
  label: 'missing calls',
  width: 26,
  draw: (x, y) =>
    rect(
      { x: x + 0.5, y: y - 7, width: 25, height: 14 },
      { rx: 4, fill: COLOR.doubtGround, stroke: COLOR.doubt, 'stroke-dasharray': '4 3' },
    ),
}

const OPERATIONS: readonly (readonly [Operation, LegendItem])[] = [
  ['db', { label: 'database', width: 12, draw: centred(OPERATION_ICONS.db) }],
  ['cache', { label: 'cache', width: 12, draw: centred(OPERATION_ICONS.cache) }],
  ['publish', { label: 'published', width: 12, draw: centred(OPERATION_ICONS.publish) }],
]

function centred(icon: Icon): LegendItem['draw'] {
  return (x, y) => icon(x, y - 6)
}

function outlined(dashes: string): LegendItem['draw'] {
  return (x, y) =>
    rect(
      { x: x + 0.5, y: y - 7, width: 25, height: 14 },
      { rx: 4, fill: COLOR.gapGround, stroke: COLOR.gap, 'stroke-dasharray': dashes },
    )
}
