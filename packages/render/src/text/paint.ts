/** Roles of text, each with the parameters of its escape sequence. */
const CODES = {
  /** The slowest path: the pictures' vermilion, as near as 256 colours come. */
  path: '1;38;5;166',
  failure: '31',
  doubt: '33',
  quiet: '2',
  strong: '1',
  bar: '38;5;67',
} as const

export type Role = keyof typeof CODES

/** Puts a text into the colour of its role, or leaves it as it is. */
export type Paint = (role: Role | undefined, text: string) => string

/**
 * Raw escape sequences, or nothing at all: whether colour is wanted is the caller's to know. Blanks
 * at both ends stay outside, so that lines can be trimmed.
 */
export function painter(color: boolean): Paint {
  return (role, text) => {
    const ink = text.trim()
    if (!color || role === undefined || ink === '') return text
    const at = text.indexOf(ink)
    const painted = `\x1b[${CODES[role]}m${ink}\x1b[0m`
    return text.slice(0, at) + painted + text.slice(at + ink.length)
  }
}
