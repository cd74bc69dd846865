import { ADVANCES, COVERED_RANGES } from './advances.ts'

/** A bundled font of a certain weight. */
export type Face = keyof typeof ADVANCES

/** What is drawn instead of a character that no bundled font has. */
export const NO_GLYPH = '□'

/** Of the font size, in thousandths: characters as wide as they are high, and the rest of the unknown. */
const WIDE = 1000
const UNKNOWN = 650

/** Where a code point's advance stands in the tables; undefined where the bundled fonts lack it. */
function positionOf(codePoint: number): number | undefined {
  let before = 0
  for (const [first, last] of COVERED_RANGES) {
    if (codePoint < first) return undefined
    if (codePoint <= last) return before + codePoint - first
    before += last - first + 1
  }
  return undefined
}

/** Whether the bundled fonts have the character. */
export function isCovered(codePoint: number): boolean {
  const position = positionOf(codePoint)
  return position !== undefined && advanceAt('mono400', position) > 0
}

/** The width of a line of text in the unit of `size`, without kerning: within a percent of what is drawn. */
export function textWidth(text: string, face: Face, size: number): number {
  let thousandths = 0
  for (const character of text) thousandths += advanceOf(character.codePointAt(0)!, face)
  return (thousandths * size) / 1000
}

/** The text, shortened to a width if need be. */
export function fitText(text: string, face: Face, size: number, width: number): string {
  return shorten(text, width, (part) => textWidth(part, face, size))
}

/**
 * Shortens by an ellipsis within the text: the beginning says what something is, the end which one.
 * Three of five characters come from the beginning.
 */
export function shorten(text: string, room: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= room) return text
  const characters = [...text]
  const free = room - widthOf('…')
  let [head, tail, used] = [0, 0, 0]
  while (head + tail < characters.length) {
    const fromHead = head * 2 <= tail * 3
    used += widthOf(characters[fromHead ? head : characters.length - 1 - tail]!)
    if (used > free) break
    if (fromHead) head++
    else tail++
  }
  const end = tail === 0 ? '' : characters.slice(-tail).join('')
  return `${characters.slice(0, head).join('').trimEnd()}…${end.trimStart()}`
}

/** Breaks text into lines at spaces; the last line is shortened where there would be more. */
export function wrapText(
  text: string,
  most: { readonly width: number; readonly lines: number },
  widthOf: (text: string) => number,
): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && widthOf(longer) > most.width) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  lines.push(line)
  const kept = lines.slice(0, most.lines)
  if (lines.length > most.lines) kept[kept.length - 1] += ' …'
  return kept.map((each) => shorten(each, most.width, widthOf))
}

function advanceOf(codePoint: number, face: Face): number {
  const position = positionOf(codePoint)
  const advance = position === undefined ? 0 : advanceAt(face, position)
  if (advance > 0) return advance
  if (face === 'mono400') return isWide(codePoint) ? WIDE : 600
  return isWide(codePoint) ? WIDE : UNKNOWN
}

function advanceAt(face: Face, position: number): number {
  return Number.parseInt(ADVANCES[face].slice(position * 3, position * 3 + 3), 16)
}

/** East Asian wide characters and pictographs: two columns of a terminal, one em in a picture. */
export function isWide(codePoint: number): boolean {
  return (
    codePoint >= 0x1100 &&
    (codePoint <= 0x115f ||
      (codePoint >= 0x2e80 && codePoint <= 0x303e) ||
      (codePoint >= 0x3041 && codePoint <= 0xa4cf) ||
      (codePoint >= 0xa960 && codePoint <= 0xa97c) ||
      (codePoint >= 0xac00 && codePoint <= 0xd7a3) ||
      (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
      (codePoint >= 0xfe30 && codePoint <= 0xfe6f) ||
      (codePoint >= 0xff00 && codePoint <= 0xff60) ||
      (codePoint >= 0xffe0 && codePoint <= 0xffe6) ||
      (codePoint >= 0x1f300 && codePoint <= 0x1faff) ||
      (codePoint >= 0x20000 && codePoint <= 0x3fffd))
  )
}
