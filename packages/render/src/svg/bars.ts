import type { Extent, PlacedRow, WaterfallLayout } from '../layout/waterfall-layout.ts'
import { element, number, path, rect } from './markup.ts'
import { COLOR, paler } from './palette.ts'

/** Of a row: where its bar begins, how high it is, and where the critical path is drawn below it. */
const TOP = 6
const HEIGHT = 14
const CRITICAL_TOP = 21.5
const CRITICAL_HEIGHT = 3

/** Share of white in the colour of a total. */
const PALE = 0.62

/** A row's bar: pale total, solid work, and the critical path as a line below. */
export function drawBar(row: PlacedRow, color: string): string {
  const critical = row.critical
    .map((extent) =>
      rect(
        { ...extent, y: row.y + CRITICAL_TOP, height: CRITICAL_HEIGHT },
        { rx: CRITICAL_HEIGHT / 2, fill: COLOR.path },
      ),
    )
    .join('')
  const unsure = row.unsure.map((extent) =>
    rect({ ...extent, y: row.y + TOP + 4, height: HEIGHT - 8 }, { fill: `url(#${UNSURE})` }),
  )
  const shape = row.total === undefined ? '' : shapeOf(row, row.total, color)
  return shape + unsure.join('') + critical
}

function shapeOf(row: PlacedRow, total: Extent, color: string): string {
  const { content, place } = row
  const box = { ...total, y: row.y + TOP, height: HEIGHT }
  if (content.kind === 'small') {
    return rect(inset(box, 0.5), {
      rx: 3,
      fill: COLOR.gapGround,
      stroke: COLOR.gap,
      'stroke-dasharray': box.width < 12 ? undefined : '4 3',
    })
  }
  const work = (fill: string) =>
    row.work
      .map((extent) => rect({ ...extent, y: box.y, height: HEIGHT }, { rx: 3, fill }))
      .join('')
  const pale = rect(box, { rx: 3, fill: paler(color, PALE) })
  switch (content.condition.kind) {
    case 'failed':
      return (
        pale +
        work(paler(color, 0.35)) +
        work(`url(#${hatchId(color)})`) +
        outline(box, COLOR.failure, undefined)
      )
    case 'unanswered':
      return (
        rect(box, { rx: 3, fill: COLOR.paper }) + work(color) + outline(box, COLOR.failure, '5 3')
      )
    case 'pending':
      return openEnded(box)
    case 'unprofiled':
    case 'placeholder':
      return rect(inset(box, 0.6), {
        rx: 3,
        fill: COLOR.paper,
        stroke: COLOR.gap,
        'stroke-width': 1.2,
        'stroke-dasharray': '1.5 2.5',
      })
    case 'ok':
    case 'partial':
      if (content.operation !== undefined) return operationBar(box, color, place.kind)
      if (content.detached) {
        return pale + work(paler(color, 0.35)) + outline(box, color, '4 3')
      }
      if (place.kind === 'repeats') return pale + work(color) + work(`url(#${STRIPES})`)
      if (place.kind === 'merged') {
        return pale + rect(box, { rx: 3, fill: `url(#${STRIPES})` }) + outline(box, color, '4 3')
      }
      return pale + work(color)
  }
}

/** Half as high and all of one colour: nothing is known of what happened within. */
function operationBar(box: Box, color: string, kind: PlacedRow['place']['kind']): string {
  const slim = { ...box, y: box.y + HEIGHT / 4, height: HEIGHT / 2 }
  if (kind === 'merged') {
    return rect(slim, { rx: 2, fill: paler(color, PALE) }) + outline(slim, color, '4 3')
  }
  const stripes = kind === 'repeats' ? rect(slim, { rx: 2, fill: `url(#${STRIPES})` }) : ''
  return rect(slim, { rx: 2, fill: color }) + stripes
}

type Box = Extent & { readonly y: number; readonly height: number }

function inset(box: Box, by: number): Box {
  return {
    x: box.x + by,
    y: box.y + by,
    width: Math.max(1, box.width - by * 2),
    height: box.height - by * 2,
  }
}

function outline(box: Box, stroke: string, dashes: string | undefined): string {
  return rect(inset(box, 0.75), {
    rx: 3,
    fill: 'none',
    stroke,
    'stroke-width': 1.5,
    'stroke-dasharray': dashes,
  })
}

/** A bar without an end. */
function openEnded({ x, y, width, height }: Box): string {
  const right = number(x + width)
  return path(
    `M${right} ${number(y + 0.5)}H${number(x + 3)}q-3 0-3 3v${height - 7}q0 3 3 3H${right}`,
    { fill: COLOR.gapGround, stroke: COLOR.gap, 'stroke-width': 1.2, 'stroke-dasharray': '3 2' },
  )
}

const STRIPES = 'clew-repeats'
const UNSURE = 'clew-unsure'

/** Lines for repeats, and hatching in the colours of the services whose calls failed. */
export function barPatterns(layout: WaterfallLayout, colorOf: (service: string) => string): string {
  const colors = new Set<string>()
  for (const { content } of layout.rows) {
    if (content.kind === 'calls' && content.condition.kind === 'failed') {
      colors.add(colorOf(content.service))
    }
  }
  const stripes = element(
    'pattern',
    { id: STRIPES, width: 5, height: 5, patternUnits: 'userSpaceOnUse' },
    rect({ x: 0, y: 0, width: 1.25, height: 5 }, { fill: COLOR.paper, 'fill-opacity': 0.85 }),
  )
  const unsure = layout.rows.some((row) => row.unsure.length > 0) ? UNSURE_PATTERN : ''
  return element('defs', {}, [stripes, unsure, ...[...colors].map(hatch)].join(''))
}

/** Dark and light lines, to be seen on the pale total and on the solid work. */
const UNSURE_PATTERN = element(
  'pattern',
  {
    ...{ id: UNSURE, width: 4, height: 4, patternUnits: 'userSpaceOnUse' },
    patternTransform: 'rotate(-45)',
  },
  rect({ x: 0, y: 0, width: 2, height: 4 }, { fill: COLOR.paper }) +
    rect({ x: 2, y: 0, width: 1.25, height: 4 }, { fill: COLOR.text }),
)

function hatch(color: string): string {
  return element(
    'pattern',
    {
      id: hatchId(color),
      width: 6,
      height: 6,
      patternUnits: 'userSpaceOnUse',
      patternTransform: 'rotate(45)',
    },
    rect({ x: 0, y: 0, width: 3, height: 6 }, { fill: color }),
  )
}

export function hatchId(color: string): string {
  return `clew-failed-${color.slice(1)}`
}
