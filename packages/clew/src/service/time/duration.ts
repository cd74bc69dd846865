/** Largest first, so that a length is written in the largest that divides it. */
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** Milliseconds in a text such as `250ms`, `5s`, `1.5m`, `1h`, `2d`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(ms|[smhd])\s*$/u.exec(text)
  if (match === null) return undefined
  const unit = UNITS.find(([name]) => name === match[2])!
  return Number(match[1]) * unit[1]
}

/** The shortest text for it: `5s`, `90s`, `1.5s`, `2h`, `0.5ms`. */
export function formatDuration(ms: number): string {
  const [name, length] = UNITS.find(([, unit]) => ms % unit === 0) ?? UNITS.at(-1)!
  // Fractions of a second read better than a thousand milliseconds and some.
  if (name === 'ms' && ms > 1000) return `${ms / 1000}s`
  return `${ms / length}${name}`
}
