/**
 * Names come from foreign messages: what would steer a terminal, reorder a line, hide itself or make
 * XML invalid is shown as an escape. Controls (C0, C1), formats (bidirectional overrides, zero-width
 * signs, tags), separators of lines, ignorable fillers, lone surrogates, noncharacters.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu

/** Longer names are cut before anything measures or escapes them. */
const LONGEST = 1000

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * The text with everything invisible or dangerous written out: `\x1b`, `\u200b`, `\u{e0001}`.
 * The result is safe to print to a terminal and, once escaped, to put into XML.
 */
export function visible(text: string): string {
  const bounded = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return bounded.replace(UNSAFE, escapeOf)
}

function escapeOf(character: string): string {
  const short = SHORT[character]
  if (short !== undefined) return short
  const codePoint = character.codePointAt(0)!
  const hex = codePoint.toString(16)
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`
  if (codePoint <= 0xffff) return `\\u${hex.padStart(4, '0')}`
  return `\\u{${hex}}`
}
