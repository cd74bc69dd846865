import type { ConditionKind, Operation } from '../outline/condition.ts'
import { element, path, rect } from './markup.ts'
import { COLOR } from './palette.ts'

/** A sign of 12 by 12 pixels with its upper left corner at a point. */
export type Icon = (x: number, y: number) => string

/** Failed: the one sign with corners, so that it is told without its colour. */
export const warning: Icon = (x, y) =>
  path(`M${x + 6} ${y + 0.5}L${x + 12} ${y + 11}H${x}Z`, {
    fill: COLOR.failure,
    stroke: COLOR.failure,
    'stroke-width': 1,
    'stroke-linejoin': 'round',
  }) +
  path(`M${x + 6} ${y + 4}V${y + 7.2}M${x + 6} ${y + 9.1}V${y + 9.2}`, {
    stroke: COLOR.paper,
    'stroke-width': 1.4,
    'stroke-linecap': 'round',
  })

/** Its caller stopped waiting. */
export const clock: Icon = (x, y) =>
  dial(x, y, COLOR.failure) +
  path(`M${x + 6} ${y + 3.2}V${y + 6.2}L${x + 8} ${y + 7.6}`, {
    fill: 'none',
    stroke: COLOR.failure,
    'stroke-width': 1.4,
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  })

/** Not ended. */
export const dots: Icon = (x, y) =>
  dial(x, y, COLOR.quiet) +
  [3.4, 6, 8.6]
    .map((at) => element('circle', { cx: x + at, cy: y + 6, r: 0.85, fill: COLOR.quiet }))
    .join('')

/** Something is not known. */
export const question: Icon = (x, y) =>
  dial(x, y, COLOR.quiet) +
  path(`M${x + 4.4} ${y + 4.9}a1.6 1.6 0 1 1 2.3 1.4q-.7.4-.7 1.1M${x + 6} ${y + 8.9}V${y + 9}`, {
    fill: 'none',
    stroke: COLOR.quiet,
    'stroke-width': 1.25,
    'stroke-linecap': 'round',
  })

/** A database: a drum. */
export const drum: Icon = (x, y) =>
  path(
    `M${x + 1.5} ${y + 2.8}v6.4c0 1 2 1.8 4.5 1.8s4.5-.8 4.5-1.8V${y + 2.8}` +
      `M${x + 1.5} ${y + 6}c0 1 2 1.8 4.5 1.8s4.5-.8 4.5-1.8`,
    { fill: 'none', ...LINE },
  ) + element('ellipse', { cx: x + 6, cy: y + 2.8, rx: 4.5, ry: 1.8, fill: COLOR.paper, ...LINE })

/** A cache: a bolt. */
export const bolt: Icon = (x, y) =>
  path(`M${x + 7} ${y + 0.8}L${x + 2.3} ${y + 6.9}h3l-.8 4.3L${x + 9.7} ${y + 5}h-3.2Z`, {
    fill: COLOR.paper,
    ...LINE,
  })

/** Publishing: a letter. */
export const letter: Icon = (x, y) =>
  rect(
    { x: x + 0.75, y: y + 2.2, width: 10.5, height: 7.8 },
    { rx: 1.2, fill: COLOR.paper, ...LINE },
  ) +
  path(`M${x + 1.2} ${y + 3}L${x + 6} ${y + 6.6}L${x + 10.8} ${y + 3}`, { fill: 'none', ...LINE })

const LINE = {
  stroke: COLOR.quiet,
  'stroke-width': 1.15,
  'stroke-linejoin': 'round',
  'stroke-linecap': 'round',
}

/** The sign of every operation. */
export const OPERATION_ICONS: Readonly<Record<Operation, Icon>> = {
  db: drum,
  cache: bolt,
  publish: letter,
}

function dial(x: number, y: number, stroke: string): string {
  return element('circle', {
    cx: x + 6,
    cy: y + 6,
    r: 5.4,
    fill: COLOR.paper,
    stroke,
    'stroke-width': 1.25,
  })
}

/** The sign of every condition that has one. */
export const CONDITION_ICONS: Readonly<Record<ConditionKind, Icon | undefined>> = {
  ok: undefined,
  failed: warning,
  unanswered: clock,
  pending: dots,
  unprofiled: question,
  partial: question,
  placeholder: question,
}
