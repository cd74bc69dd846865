import { fillOf, groundOf } from '../breakdown/patterns.ts'
import { fitText, textWidth } from '../layout/measure.ts'
import { element, number, path, rect, text, titled } from '../svg/markup.ts'
import { COLOR, inkOn } from '../svg/palette.ts'
import {
  type Area,
  LABELS,
  LATENCY_HEIGHT,
  type Line,
  type LoadChart,
  type Point,
  SHARE_HEIGHT,
} from './chart.ts'
import { nameOfBottleneck } from './words.ts'

type ColorOf = (service: string) => string

export const RIBBON_HEIGHT = 40
const TOP = 46
const GAP = 26
const AXIS = 52
export const BODY_HEIGHT = TOP + SHARE_HEIGHT + RIBBON_HEIGHT + GAP + LATENCY_HEIGHT + AXIS
const RIBBON_TOP = TOP + SHARE_HEIGHT
const LATENCY_TOP = RIBBON_TOP + RIBBON_HEIGHT + GAP

const heading = { face: 'inter600', size: 9.5, fill: COLOR.label, spacing: 0.75 } as const
const tick = { face: 'inter400', size: 11.5, fill: COLOR.text } as const

/** Shares, the ribbon below them, and latencies, over one axis of load. */
export function drawLoad(chart: LoadChart, colorOf: ColorOf, axis: string): string {
  return [
    grid(chart),
    ...chart.areas.map((area) => drawArea(area, colorOf)),
    ...labels(chart, colorOf),
    limit(chart),
    ribbon(chart, colorOf),
    latency(chart),
    loadAxis(chart, axis),
  ].join('\n')
}

function grid({ left, right }: LoadChart): string {
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = TOP + SHARE_HEIGHT * (1 - share)
    const label = { ...tick, x: left - 12, y: y + 4, anchor: 'end' } as const
    return horizontal(left, right, y) + text(label, `${share * 100} %`)
  })
  return text({ ...heading, x: 0, y: TOP - 22 }, 'SHARE OF THE CRITICAL PATH') + lines.join('')
}

const horizontal = (from: number, to: number, y: number) =>
  path(`M${number(from)} ${number(y)}H${number(to)}`, { stroke: COLOR.grid, 'stroke-width': 1 })

function drawArea({ service, layer, name, top, bottom }: Area, colorOf: ColorOf): string {
  const color = service === '' ? COLOR.gap : colorOf(service)
  const down = (point: Point) => `${number(point.x)} ${number(point.y + TOP)}`
  const shape = `M${top.map(down).join('L')}L${bottom.toReversed().map(down).join('L')}Z`
  const style = { stroke: COLOR.paper, 'stroke-width': 1, 'stroke-linejoin': 'round' }
  return titled(name, path(shape, { fill: fillOf(color, layer), ...style }))
}

/** Each area's name to the right of it, moved apart where they would touch; names that do not fit in are left to the legend. */
function labels({ areas, right }: LoadChart, colorOf: ColorOf): readonly string[] {
  const wanted = areas.map((area) => ({
    area,
    y: TOP + (area.top.at(-1)!.y + area.bottom.at(-1)!.y) / 2,
    from: area.top.at(-1)!.x,
  }))
  const placed = apart(
    wanted.map(({ y }) => y),
    18,
    TOP + 6,
    TOP + SHARE_HEIGHT - 4,
  )
  return wanted.map(({ area, y: own, from }, at) => {
    const y = placed[at]!
    const color = area.service === '' ? COLOR.gap : colorOf(area.service)
    const stroke = area.layer === undefined ? COLOR.gap : color
    const x = right + 18
    const link = path(`M${number(from + 2)} ${number(own)}L${number(x - 4)} ${number(y)}`, {
      ...{ fill: 'none', stroke: COLOR.link, 'stroke-width': 1 },
    })
    const box = { x: x + 0.5, y: y - 5.5, width: 11, height: 11 }
    const words = fitText(area.name, 'inter600', 11.5, LABELS - 38)
    return (
      link +
      rect(box, { rx: 2.5, fill: fillOf(color, area.layer), stroke }) +
      text({ x: x + 19, y: y + 4, face: 'inter600', size: 11.5, fill: COLOR.text }, words)
    )
  })
}

/** Numbers in their order at least `gap` from each other, within bounds as far as there is room, as little moved as need be. */
export function apart(
  wanted: readonly number[],
  gap: number,
  from: number,
  to: number,
): readonly number[] {
  const order = [...wanted.keys()].sort((a, b) => wanted[a]! - wanted[b]!)
  const placed = wanted.slice()
  let least = from
  for (const at of order) {
    placed[at] = Math.max(wanted[at]!, least)
    least = placed[at]! + gap
  }
  let most = to
  for (const at of order.toReversed()) {
    placed[at] = Math.min(placed[at]!, most)
    most = placed[at]! - gap
  }
  return placed
}

function limit({ limit: known, left, right }: LoadChart): string {
  if (known === undefined) return ''
  const { x, from, to, label } = known
  const bottom = LATENCY_TOP + LATENCY_HEIGHT
  const height = bottom - TOP + 8
  const wide = textWidth(label, 'inter600', 11.5) + 14
  const at = Math.min(right - wide, Math.max(left, x - wide / 2))
  const stroke = { stroke: COLOR.path, 'stroke-width': 1.75, 'stroke-dasharray': '5 3' }
  return titled(
    label,
    rect(
      { x: from, y: TOP - 8, width: Math.max(1, to - from), height },
      { fill: COLOR.path, 'fill-opacity': 0.13 },
    ) +
      path(`M${number(x)} ${TOP - 8}V${bottom}`, stroke) +
      rect(
        { x: at, y: TOP - 30, width: wide, height: 20 },
        { rx: 4, fill: COLOR.paper, stroke: COLOR.path },
      ) +
      text(
        {
          x: at + wide / 2,
          y: TOP - 16,
          face: 'inter600',
          size: 11.5,
          fill: COLOR.pathText,
          anchor: 'middle',
        },
        label,
      ),
  )
}

/** What holds requests up, load by load. */
function ribbon({ ribbon: pieces, left }: LoadChart, colorOf: ColorOf): string {
  const y = RIBBON_TOP + 8
  const height = RIBBON_HEIGHT - 10
  const drawn = pieces.map(({ x, width, bottleneck }) => {
    const { service, kind, layer } = bottleneck
    const color = service === '' ? COLOR.gap : colorOf(service)
    const waits = kind === 'workers' || kind === 'event-loop'
    const shown = waits || kind === 'work' ? (layer === 'queue' || waits ? 'self' : layer) : 'queue'
    const name = nameOfBottleneck(bottleneck)
    const ground = groundOf(color, shown)
    const words = fitText(name, 'inter600', 11.5, width - 16)
    const stroke = waits ? COLOR.path : color
    const box = { x: x + 1, y, width: Math.max(1, width - 2), height }
    return titled(
      name,
      rect(box, { rx: 4, fill: ground, stroke, 'stroke-width': waits ? 2.5 : 1 }) +
        (width < 40
          ? ''
          : text(
              {
                x: x + width / 2,
                y: y + 19,
                face: 'inter600',
                size: 11.5,
                fill: inkOn(ground),
                anchor: 'middle',
              },
              words,
            )),
    )
  })
  const label = [
    text({ ...heading, x: 0, y: y + 14 }, 'REQUESTS'),
    text({ ...heading, x: 0, y: y + 26 }, 'HELD UP BY'),
  ]
  return left > 0 ? [...label, ...drawn].join('') : ''
}

const STROKES = {
  p99: { stroke: COLOR.ink, 'stroke-width': 2 },
  p50: { stroke: COLOR.pillDark, 'stroke-width': 2, 'stroke-dasharray': '7 4' },
  wait: { stroke: COLOR.pathText, 'stroke-width': 2, 'stroke-dasharray': '2 3' },
} as const

function latency({ lines, msTicks, left, right }: LoadChart): string {
  const axis = msTicks.map(
    ({ at, label }) =>
      horizontal(left, right, LATENCY_TOP + at) +
      text({ ...tick, x: left - 12, y: LATENCY_TOP + at + 4, anchor: 'end' }, label),
  )
  const ends = apart(
    lines.map(({ points }) => LATENCY_TOP + points.at(-1)!.y),
    18,
    LATENCY_TOP + 6,
    LATENCY_TOP + LATENCY_HEIGHT - 4,
  )
  const drawn = lines.map((line, at) => drawLine(line, ends[at]!, right))
  const title = text({ ...heading, x: 0, y: LATENCY_TOP - 10 }, 'TIME')
  return [title, ...axis, ...drawn].join('')
}

function drawLine({ name, role, points }: Line, labelY: number, right: number): string {
  const at = (point: Point) => `${number(point.x)} ${number(point.y + LATENCY_TOP)}`
  const fill = role === 'wait' ? COLOR.pathText : role === 'p99' ? COLOR.ink : COLOR.pillDark
  const last = points.at(-1)!
  const dots = points.map(({ x, y }) =>
    role === 'wait'
      ? rect({ x: x - 3, y: y + LATENCY_TOP - 3, width: 6, height: 6 }, { fill })
      : element('circle', {
          cx: x,
          cy: y + LATENCY_TOP,
          r: 3.2,
          fill: role === 'p50' ? COLOR.paper : fill,
          stroke: fill,
          'stroke-width': 1.5,
        }),
  )
  const link = path(
    `M${number(last.x + 5)} ${number(last.y + LATENCY_TOP)}L${number(right + 12)} ${number(labelY)}`,
    {
      ...{ stroke: COLOR.link, 'stroke-width': 1, fill: 'none' },
    },
  )
  return titled(
    name,
    link +
      path(`M${points.map(at).join('L')}`, { fill: 'none', ...STROKES[role] }) +
      dots.join('') +
      text(
        { x: right + 17, y: labelY + 4, face: 'inter600', size: 11.5, fill },
        fitText(name, 'inter600', 11.5, LABELS - 20),
      ),
  )
}

function loadAxis({ loadTicks, left, right }: LoadChart, axis: string): string {
  const y = LATENCY_TOP + LATENCY_HEIGHT + 8
  const marks = loadTicks.map(
    ({ at, label }) =>
      path(`M${number(at)} ${y}V${y + 5}`, { stroke: COLOR.gap, 'stroke-width': 1 }) +
      text({ ...tick, x: at, y: y + 19, anchor: 'middle' }, label),
  )
  const line = path(`M${number(left)} ${y}H${number(right)}`, {
    stroke: COLOR.gap,
    'stroke-width': 1,
  })
  const title = text({ ...heading, x: right + 17, y: y + 18 }, axis)
  return [line, ...marks, title].join('')
}
