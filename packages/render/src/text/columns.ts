import { isWide, shorten } from '../layout/measure.ts'
import { visible } from '../visible.ts'

/** What stands for signs of our own where only ASCII can be printed. */
const ASCII: Readonly<Record<string, string>> = {
  '×': 'x',
  µ: 'u',
  '…': '...',
  '–': '-',
  '—': '-',
  '·': '-',
  '±': '+-',
  '’': "'",
  '→': '->',
}

/** A name or sentence, harmless to a terminal; where `unicode` is false, in ASCII only. */
export function printable(text: string, unicode: boolean): string {
  const harmless = visible(text)
  if (unicode) return harmless
  return harmless.replace(
    /[^\x20-\x7e]/gu,
    (character) => ASCII[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
}

const COMBINING = /^\p{M}$/u

/** How many columns of a terminal a text without control characters takes. */
export function columns(text: string): number {
  let count = 0
  for (const character of text) {
    const codePoint = character.codePointAt(0)!
    if (codePoint < 0x300) count++
    else if (isWide(codePoint)) count += 2
    else if (!COMBINING.test(character)) count++
  }
  return count
}

/** A text in exactly as many columns, shortened where it is longer. */
export function padded(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const fitting = cut(text, width)
  const space = ' '.repeat(Math.max(0, width - columns(fitting)))
  return side === 'left' ? fitting + space : space + fitting
}

/** A text in at most as many columns. */
export function cut(text: string, width: number): string {
  return width <= 0 ? '' : shorten(text, width, columns)
}
