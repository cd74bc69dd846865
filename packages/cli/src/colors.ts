/** Codes that begin and end a style on a terminal. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const

/** Puts text into a style, or leaves it as it is. */
export type Colors = { readonly [Style in keyof typeof STYLES]: (text: string) => string }

/** Five styles are no reason for a package: loading one costs a seventh of the time `clew --help` may take. */
export function colors(enabled: boolean): Colors {
  const entries = Object.entries(STYLES).map(([name, [begin, end]]) => [
    name,
    enabled ? (text: string) => `\x1b[${begin}m${text}\x1b[${end}m` : (text: string) => text,
  ])
  return Object.fromEntries(entries) as Colors
}
