import type { Box } from './line-chart.ts'
import { element, text } from './markup.ts'
import { linearScale, type Range } from './scale.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  /** Ends of the line that tells how sure the value is. */
  readonly low: number
  readonly high: number
  /** Stem of the CSS classes that colour it. */
  readonly style: string
  /** Drawn lighter: the same as the bar above it, but for one thing. @default false */
  readonly pale?: boolean
}

/** Horizontal bars below each other, each with its name and its value. */
export interface BarChart {
  readonly title: string
  readonly bars: readonly Bar[]
  readonly format: (value: number) => string
}

const MARGIN = { left: 152, right: 56, top: 32, bottom: 12 } as const
const THICKEST = 17

/** Draws a chart into its place. Bars begin at 0. */
export function barChart({ title, bars, format }: BarChart, box: Box): string {
  const across: Range = { from: box.x + MARGIN.left, to: box.x + box.width - MARGIN.right }
  const top = box.y + MARGIN.top
  const height = box.height - MARGIN.top - MARGIN.bottom
  const step = Math.min(1.4 * THICKEST, height / Math.max(1, bars.length))
  const longest = Math.max(...bars.map(({ high }) => high), Number.MIN_VALUE)
  const { place } = linearScale({ from: 0, to: longest }, across)
  const rows = bars.map(({ label, value, low, high, style, pale = false }, index) => {
    const middle = top + (index + 0.5) * step
    const thick = Math.min(THICKEST, step * 0.72)
    const rect = {
      x: across.from,
      y: middle - thick / 2,
      width: place(value) - across.from,
      height: thick,
      rx: 2,
      class: `solid ${style}`,
      opacity: pale ? 0.5 : undefined,
    }
    return element(
      'g',
      {},
      text(label, { x: across.from - 8, y: middle + 3.6, class: 'tick end' }),
      element('rect', rect),
      element('line', {
        x1: place(low),
        x2: place(high),
        y1: middle,
        y2: middle,
        class: 'reference',
      }),
      text(format(value), { x: place(high) + 6, y: middle + 3.6, class: 'tick' }),
    )
  })
  const heading = text(title, { x: across.from, y: box.y + 16, class: 'title' })
  return element('g', {}, heading, ...rows)
}
