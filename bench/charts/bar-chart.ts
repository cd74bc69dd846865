import type { Drawing } from './box.ts'
import { heading } from './heading.ts'
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
  /** Drawn lighter and close to the bar above it, which is the same but for one thing. @default false */
  readonly pale?: boolean
}

/** Horizontal bars below each other, each with its name and its value. */
export interface BarChart {
  readonly title: string
  /** Behind the title: how to read it. @default nothing */
  readonly note?: string
  readonly bars: readonly Bar[]
  readonly format: (value: number) => string
}

const MARGIN = { left: 168, right: 52, top: 32, bottom: 12 } as const
const INDENT = 12
const THICK = 12
const STEP = 15
const GAP = 5

/** How much room so many bars need, with their title. */
export function barChartHeight(bars: readonly Bar[]): number {
  return MARGIN.top + (middles(bars).at(-1) ?? 0) + STEP / 2 + MARGIN.bottom
}

/** Of each bar, seen from the first one's upper end. */
function middles(bars: readonly Bar[]): readonly number[] {
  let y = 0
  return bars.map(({ pale = false }, index) => {
    y += STEP + (index > 0 && !pale ? GAP : 0)
    return y - STEP / 2
  })
}

/** Bars begin at 0. */
export function barChart({ title, note, bars, format }: BarChart): Drawing {
  return (box) => {
    const across: Range = { from: box.x + MARGIN.left, to: box.x + box.width - MARGIN.right }
    const longest = Math.max(...bars.map(({ high }) => high), Number.MIN_VALUE)
    const { place } = linearScale({ from: 0, to: longest }, across)
    const places = middles(bars)
    const rows = bars.map((bar, index) => {
      const middle = box.y + MARGIN.top + places[index]!
      const { label, value, low, high, style, pale = false } = bar
      const whisker = { x1: place(low), x2: place(high), y1: middle, y2: middle }
      return element(
        'g',
        {},
        text(label, { x: across.from - 8, y: middle + 3.6, class: 'tick end' }),
        element('rect', {
          x: across.from,
          y: middle - THICK / 2,
          width: place(value) - across.from,
          height: THICK,
          rx: 2,
          class: `solid ${style}`,
          opacity: pale ? 0.5 : undefined,
        }),
        // The halo lets it be seen on its own bar.
        element('line', { ...whisker, class: 'halo' }),
        element('line', { ...whisker, class: 'reference' }),
        text(format(value), { x: place(high) + 6, y: middle + 3.6, class: 'tick' }),
      )
    })
    return element('g', {}, heading(title, note, box.x + INDENT, box.y + 16), ...rows)
  }
}
