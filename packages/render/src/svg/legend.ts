import { textWidth } from '../layout/measure.ts'
import { type Band, MARGIN } from './header.ts'
import { rect, text } from './markup.ts'
import { COLOR } from './palette.ts'

/** A sign and what it means. */
export interface LegendItem {
  readonly label: string
  readonly width: number
  /** Draws the sign to the right of x, centred on y. */
  readonly draw: (x: number, y: number) => string
}

const SIZE = 11.5
const LINE = 26

/** Explains the signs that occur in a picture, and no others. */
export function drawLegend(items: readonly LegendItem[], width: number): Band {
  const inner = width - MARGIN * 2
  let [x, row] = [0, 0]
  const parts = items.map((item) => {
    const label = textWidth(item.label, 'inter400', SIZE)
    const needed = item.width + 9 + label
    if (x > 0 && x + needed > inner) {
      x = 0
      row++
    }
    const y = 24 + row * LINE
    const drawn =
      item.draw(MARGIN + x, y) +
      text(
        {
          x: MARGIN + x + item.width + 9,
          y: y + 4,
          face: 'inter400',
          size: SIZE,
          fill: COLOR.text,
        },
        item.label,
      )
    x += needed + 28
    return drawn
  })
  const height = 48 + row * LINE
  return {
    markup: [
      rect({ x: 0, y: 0, width, height }, { fill: COLOR.paper }),
      rect({ x: 0, y: 0, width, height: 1 }, { fill: COLOR.rule }),
      ...parts,
    ].join('\n'),
    height,
  }
}
