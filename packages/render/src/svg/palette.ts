/**
 * Colours of the pictures. Every grey that carries text has a contrast of at least 4.5 to 1 on white.
 * Nothing is told by colour alone: the slowest path is thicker and has arrowheads, failures have a
 * sign and words, services have their name.
 */
export const COLOR = {
  ink: '#0f172a',
  text: '#334155',
  quiet: '#526077',
  label: '#64708a',
  paper: '#ffffff',
  ground: '#f5f7fa',
  stripe: '#f8fafc',
  rule: '#d9dfe8',
  border: '#d8dee8',
  track: '#ecf0f5',
  link: '#aeb9c9',
  grid: '#e3e8ef',
  path: '#d55e00',
  pathText: '#a84300',
  failure: '#7a0c3f',
  failureGround: '#fceaf1',
  gap: '#8592a6',
  gapGround: '#f1f4f8',
  doubt: '#7a4f00',
  doubtGround: '#fdf3da',
  pill: '#e9edf3',
  pillDark: '#475569',
} as const

/** Hues of Okabe and Ito, and of Tol, away from the vermilion of the slowest path and the wine of failures. */
const SERVICE_HUES = [
  '#0072b2',
  '#44aa99',
  '#8b6bb1',
  '#117733',
  '#56b4e9',
  '#999933',
  '#332288',
  '#aa4499',
  '#c9a227',
] as const

const NEUTRAL = '#a3afbf'

/** Colours for the services that took most time; all others share a grey, and so does every tenth. */
export function serviceColors(ranking: readonly string[]): (service: string) => string {
  const colors = new Map(SERVICE_HUES.map((hue, rank) => [ranking[rank], hue]))
  return (service) => colors.get(service) ?? NEUTRAL
}

/** A colour mixed with white; `share` 0 leaves it as it is. */
export function paler(color: string, share: number): string {
  const mixed = channels(color).map((channel) => Math.round(channel + (255 - channel) * share))
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}

/** Black or white, whichever reads better on the colour (WCAG's relative luminance). */
export function inkOn(color: string): string {
  const [red, green, blue] = channels(color).map((channel) => {
    const value = channel / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const luminance = 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.058 ? COLOR.paper : COLOR.ink
}

function channels(color: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
}
