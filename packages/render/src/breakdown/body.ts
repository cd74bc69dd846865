import { fitText, textWidth } from '../layout/measure.ts'
import type { Band } from '../svg/header.ts'
import { MARGIN } from '../svg/header.ts'
import { number, path, rect, text, titled } from '../svg/markup.ts'
import { COLOR, inkOn } from '../svg/palette.ts'
import {
  BAR_LABEL,
  type Bar,
  type Block,
  CHIP_SIZE,
  CHIP_SWATCH,
  type Chart,
  type ChartPart,
  type Chip,
  GUTTER,
  type Segment,
} from './chart.ts'
import { fillOf, groundOf, layerPatterns } from './patterns.ts'

export const RULER_HEIGHT = 40
const LABEL = 11
/** What signs of layers are drawn in where they are no service's. */
export const LEGEND_COLOR = COLOR.pillDark

type ColorOf = (service: string) => string

/** Ruler, then a block for each kind of request. */
export function drawChart(chart: Chart, colorOf: ColorOf): Band {
  const height = RULER_HEIGHT + chart.height
  const outer = chart.width + MARGIN * 2
  return {
    markup: [
      layerPatterns([...chart.services.map(colorOf), LEGEND_COLOR], chart.layers),
      rect({ x: 0, y: 0, width: outer, height }, { fill: COLOR.paper }),
      rect({ x: 0, y: 0, width: outer, height: RULER_HEIGHT }, { fill: COLOR.ground }),
      rect({ x: 0, y: RULER_HEIGHT - 1, width: outer, height: 1 }, { fill: COLOR.rule }),
      `<g transform="translate(0 ${RULER_HEIGHT})">`,
      ...chart.blocks.map((block, index) => ground(block, index, outer)),
      '</g>',
      `<g transform="translate(${MARGIN} 0)">`,
      ruler(chart),
      `<g transform="translate(0 ${RULER_HEIGHT})">`,
      ...chart.blocks.map((block) => grid(chart, block) + drawBlock(block, colorOf)),
      '</g></g>',
    ].join('\n'),
    height,
  }
}

function ground({ y, height }: Block, index: number, width: number): string {
  const stripe = rect({ x: 0, y, width, height }, { fill: COLOR.stripe })
  const rule = rect({ x: 0, y, width, height: 1 }, { fill: COLOR.grid })
  return (index % 2 === 1 ? stripe : '') + (index === 0 ? '' : rule)
}

function ruler(chart: Chart): string {
  const heading = { y: 25, face: 'inter600', size: 9.5, fill: COLOR.label, spacing: 0.75 } as const
  const { axis, ticks } = chart
  const end = axis.x + axis.width
  return [
    text({ ...heading, x: 0 }, 'REQUEST'),
    ...ticks.map(
      ({ x, label }) =>
        path(`M${number(x)} ${RULER_HEIGHT - 8}V${RULER_HEIGHT}`, {
          stroke: COLOR.gap,
          'stroke-width': 1,
        }) +
        text(
          {
            x: x > end - 24 ? x - 4 : x + 4,
            y: 24,
            face: 'inter400',
            size: 11.5,
            fill: COLOR.text,
            anchor: x > end - 24 ? 'end' : 'start',
          },
          label,
        ),
    ),
  ].join('')
}

/** Lines behind the bars, not behind the words below them. */
function grid({ ticks }: Chart, { y, bars: [, tail] }: Block): string {
  const bottom = tail.y + tail.height + 6
  return ticks
    .map(({ x }) =>
      path(`M${number(x)} ${number(y + 6)}V${number(bottom)}`, {
        stroke: COLOR.grid,
        'stroke-width': 1,
      }),
    )
    .join('')
}

function drawBlock(block: Block, colorOf: ColorOf): string {
  const { y, service, method, count, bars, chips } = block
  const room = GUTTER - 18
  return [
    text(
      { x: 0, y: y + 26, face: 'inter600', size: 11.5, fill: COLOR.pillDark },
      fitText(service, 'inter600', 11.5, room),
    ),
    text(
      { x: 0, y: y + 45.5, face: 'inter600', size: 14.5, fill: COLOR.ink },
      fitText(method, 'inter600', 14.5, room),
    ),
    text({ x: 0, y: y + 63, face: 'inter400', size: LABEL, fill: COLOR.quiet }, count),
    ...bars.map((bar, index) => drawBar(bar, colorOf, index === 0)),
    ...chips.map((chip) => drawChip(chip, colorOf)),
  ].join('')
}

function drawBar(bar: Bar, colorOf: ColorOf, named: boolean): string {
  const { y, height, segments, label, total, totalX } = bar
  const left = GUTTER + BAR_LABEL
  const middle = y + height / 2
  return [
    text(
      {
        x: left - 10,
        y: middle + 4,
        face: 'inter500',
        size: 11.5,
        fill: COLOR.text,
        anchor: 'end',
      },
      label,
    ),
    ...segments.map((segment) => drawSegment(segment, bar, colorOf, named)),
    text(
      {
        x: totalX,
        y: middle + 4.3,
        face: named ? 'inter700' : 'inter500',
        size: named ? 13 : 12,
        fill: COLOR.ink,
      },
      total,
    ),
  ].join('')
}

function drawSegment(
  { part, x, width }: Segment,
  { y, height }: Bar,
  colorOf: ColorOf,
  named: boolean,
): string {
  const color = colorOf(part.service)
  // A hair of white between neighbours, unless the part is no wider than that.
  const box = { x, y, width: width > 4 ? width - 1 : width, height }
  const outline = {
    x: box.x + 0.5,
    y: y + 0.5,
    width: Math.max(0.5, box.width - 1),
    height: height - 1,
  }
  const stroke = part.layer === undefined ? COLOR.gap : color
  return titled(
    `${part.name} · ${part.share}`,
    [
      rect(box, { fill: fillOf(color, part.layer) }),
      part.layer === 'self' || width < 4 ? '' : rect(outline, { fill: 'none', stroke }),
      named ? segmentName(part, box, groundOf(color, part.layer)) : '',
    ].join(''),
  )
}

/** The name within the bar where there is room for all of it; the list below has it anyway. */
function segmentName(
  part: ChartPart,
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  color: string,
): string {
  const width = textWidth(part.name, 'inter600', LABEL)
  if (width + 20 > box.width) return ''
  const x = box.x + box.width / 2
  const patterned = part.layer === 'db' || part.layer === 'cache' || part.layer === 'rpc'
  // Hatching behind letters would make both unreadable.
  const plate = { x: x - width / 2 - 5, y: box.y + 4.5, width: width + 10, height: box.height - 9 }
  const fill = patterned ? COLOR.ink : inkOn(color)
  return (
    (patterned ? rect(plate, { rx: 2.5, fill: COLOR.paper }) : '') +
    text(
      { x, y: box.y + box.height / 2 + 4, face: 'inter600', size: LABEL, fill, anchor: 'middle' },
      part.name,
    )
  )
}

function drawChip({ part, x, y, value }: Chip, colorOf: ColorOf): string {
  const name = x + CHIP_SWATCH + 7
  const figures = name + textWidth(part.name, 'inter600', CHIP_SIZE) + 7
  return [
    swatch(x, y + 5, colorOf(part.service), part.layer),
    text({ x: name, y: y + 15, face: 'inter600', size: CHIP_SIZE, fill: COLOR.text }, part.name),
    text({ x: figures, y: y + 15, face: 'inter400', size: CHIP_SIZE, fill: COLOR.quiet }, value),
  ].join('')
}

/** A square filled as a part is. */
export function swatch(x: number, y: number, color: string, layer: ChartPart['layer']): string {
  const stroke = layer === undefined ? COLOR.gap : color
  const box = { x: x + 0.5, y: y + 0.5, width: CHIP_SWATCH - 1, height: CHIP_SWATCH - 1 }
  return rect(box, { rx: 2.5, fill: fillOf(color, layer), stroke })
}
