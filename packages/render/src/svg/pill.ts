import { pillWidth } from '../layout/card-content.ts'
import { rect, text } from './markup.ts'

export interface PillStyle {
  readonly ground: string
  readonly ink: string
}

/** A word in a rounded box, 16 pixels high, whose upper right corner is at a point. */
export function pill(right: number, y: number, style: PillStyle, word: string): string {
  const width = pillWidth(word)
  return (
    rect({ x: right - width, y, width, height: 16 }, { rx: 8, fill: style.ground }) +
    text(
      {
        x: right - width / 2,
        y: y + 11.7,
        face: 'inter600',
        size: 10.5,
        fill: style.ink,
        anchor: 'middle',
      },
      word,
    )
  )
}
