/**
 * Controls (C0, C1), formats (bidirectional overrides, zero-width signs, tags), line separators,
 * invisible fillers, lone surrogates: what could steer a terminal or hide itself in a line.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text from elsewhere as one line that is safe to print: what is invisible is written out as an escape. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? escaped(character))
}

/** The same for text of several lines, such as a stack: its line breaks and tabs stay. */
export function harmlessLines(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )
}

/** A value as JSON that is safe to print: JSON itself leaves DEL, C1 controls and formats as they are. */
export function harmlessJson(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? 'null').replace(UNSAFE, (character) =>
    character === '\n' ? character : jsonEscape(character),
  )
}

function escaped(character: string): string {
  const point = character.codePointAt(0)!
  const hex = point.toString(16)
  if (point <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return point <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

function jsonEscape(character: string): string {
  let units = ''
  for (let at = 0; at < character.length; at++) {
    units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  }
  return units
}
