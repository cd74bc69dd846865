import type { Facts } from '../facts.ts'
import type { PlacedRow, WaterfallLayout } from '../layout/waterfall-layout.ts'
import type { ConditionKind } from '../outline/condition.ts'
import { drawBar } from './bars.ts'
import { CONDITION_ICONS } from './icons.ts'
import type { LegendItem } from './legend.ts'
import { path, rect } from './markup.ts'
import { COLOR, serviceColors } from './palette.ts'

/** The legend's items for what occurs among the rows. */
export function waterfallLegend(layout: WaterfallLayout, facts: Facts): readonly LegendItem[] {
  const colorOf = serviceColors(facts.ranking)
  const { rows } = layout
  const first = (test: (row: PlacedRow) => boolean) => rows.find(test)
  const plain = first(
    ({ content, place, work }) =>
      place.kind === 'call' &&
      content.kind === 'calls' &&
      content.condition.kind === 'ok' &&
      work.length > 0,
  )
  const items: LegendItem[] = []
  if (plain !== undefined) items.push(bar(plain, 'total (pale) and handle (solid) time', colorOf))
  if (first((row) => row.critical.length > 0) !== undefined) items.push(CRITICAL)
  const isUnsure = (row: PlacedRow) => row.unsure.length > 0
  const isWell = ({ content }: PlacedRow) =>
    content.kind === 'calls' && content.condition.kind === 'ok'
  const unsure = first((row) => isUnsure(row) && isWell(row)) ?? first(isUnsure)
  if (unsure !== undefined) items.push(unsureItem(unsure, colorOf))
  if (layout.answeredX !== undefined) items.push(ANSWERED)
  const repeats = first(({ place }) => place.kind === 'repeats')
  if (repeats !== undefined) items.push(bar(repeats, 'merged repeats', colorOf))
  const merged = first(({ place }) => place.kind === 'merged')
  if (merged !== undefined) items.push(bar(merged, 'merged before they came home', colorOf))
  for (const [kind, label] of CONDITIONS) {
    const row = first(({ content }) => content.kind === 'calls' && content.condition.kind === kind)
    if (row !== undefined) items.push(bar(row, label, colorOf))
  }
  const operation = first(isOperation)
  if (operation !== undefined) items.push(bar(operation, 'database, cache, publishing', colorOf))
  const detached = first(({ content }) => content.kind === 'calls' && content.detached)
  if (detached !== undefined) items.push(bar(detached, 'not waited for', colorOf))
  const folded = first(({ place }) => place.kind === 'folded')
  if (folded !== undefined) items.push(bar(folded, 'folded calls', colorOf))
  return items
}

const isOperation = ({ place, content }: PlacedRow) =>
  place.kind === 'call' &&
  content.kind === 'calls' &&
  content.operation !== undefined &&
  content.condition.kind === 'ok'

const CONDITIONS: readonly (readonly [ConditionKind, string])[] = [
  ['failed', 'failed'],
  ['unanswered', 'its caller stopped waiting'],
  ['pending', 'not ended'],
  ['unprofiled', 'no profile'],
  ['partial', 'entries missing'],
  ['placeholder', 'known only from others'],
]

/** A small bar drawn as the row's, so that the legend cannot differ from the picture. */
function bar(row: PlacedRow, label: string, colorOf: (service: string) => string): LegendItem {
  const { content } = row
  const icon = content.kind === 'calls' ? CONDITION_ICONS[content.condition.kind] : undefined
  const color = content.kind === 'calls' ? colorOf(content.service) : COLOR.gap
  return {
    label,
    width: icon === undefined ? 38 : 54,
    draw: (x, y) =>
      drawBar(
        {
          ...row,
          y: y - 13,
          total: { x, width: 38 },
          work: row.work.length === 0 ? [] : [{ x: x + 6, width: 26 }],
          unsure: [],
          critical: [],
        },
        color,
      ) + (icon?.(x + 42, y - 6) ?? ''),
  }
}

/** The clocks of caller and callee tell the work's place within the total only up to a bound. */
function unsureItem(row: PlacedRow, colorOf: (service: string) => string): LegendItem {
  const { content } = row
  const color = content.kind === 'calls' ? colorOf(content.service) : COLOR.gap
  return {
    label: 'work begins and ends there, ± the bound of the clocks',
    width: 38,
    draw: (x, y) =>
      drawBar(
        {
          ...row,
          y: y - 13,
          total: { x, width: 38 },
          work: [{ x: x + 7, width: 24 }],
          unsure: [
            { x: x + 3, width: 8 },
            { x: x + 27, width: 8 },
          ],
          critical: [],
        },
        color,
      ),
  }
}

const CRITICAL: LegendItem = {
  label: 'critical path',
  width: 28,
  draw: (x, y) => rect({ x, y: y - 1.5, width: 28, height: 3 }, { rx: 1.5, fill: COLOR.path }),
}

const ANSWERED: LegendItem = {
  label: 'the root was answered',
  width: 6,
  draw: (x, y) =>
    path(`M${x + 3} ${y - 9}V${y + 9}`, {
      stroke: COLOR.quiet,
      'stroke-width': 1.25,
      'stroke-dasharray': '3 3',
    }),
}
