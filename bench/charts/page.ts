import type { Drawing } from './box.ts'
import { type Mark, marks } from './mark.ts'
import { element, escaped, text } from './markup.ts'

/** A colour on white and one on black; both must be readable as text. */
export interface Colour {
  readonly light: string
  readonly dark: string
}

export interface Page {
  readonly title: string
  readonly subtitle: string
  /** For readers who cannot see the picture. */
  readonly description: string
  /** What marks mean that charts do not label. @default none */
  readonly legend?: readonly { readonly mark: Mark; readonly label: string }[]
  /** Charts of a row stand side by side and are equally wide. */
  readonly rows: readonly { readonly height: number; readonly charts: readonly Drawing[] }[]
  /** Colours of lines and bars, by the names of their styles. */
  readonly colours: Readonly<Record<string, Colour>>
}

const WIDTH = 980
const MARGIN = 12
const HEAD = 62
const LEGEND = 22
const FOOT = 10
/** Of a letter of the legend: about so wide in any of the fonts. */
const LETTER = 5.9

/** Charts on one picture that reads on a light and on a dark page: it has a background of its own. */
export function drawPage(page: Page): string {
  const { title, subtitle, description, legend = [], rows, colours } = page
  let y = HEAD + (legend.length === 0 ? 0 : LEGEND)
  const charts: string[] = []
  for (const { height, charts: drawings } of rows) {
    const width = (WIDTH - 2 * MARGIN) / drawings.length
    charts.push(
      ...drawings.map((draw, column) => draw({ x: MARGIN + column * width, y, width, height })),
    )
    y += height
  }
  const height = y + FOOT
  const svg = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: WIDTH,
      height,
      viewBox: `0 0 ${WIDTH} ${height}`,
      role: 'img',
    },
    element('title', {}, escaped(title)),
    element('desc', {}, escaped(description)),
    element('style', {}, styles(colours)),
    element('rect', {
      x: 0.5,
      y: 0.5,
      width: WIDTH - 1,
      height: height - 1,
      rx: 8,
      class: 'page',
    }),
    text(title, { x: 24, y: 30, class: 'headline' }),
    text(subtitle, { x: 24, y: 49, class: 'axis' }),
    ...legendOf(legend),
    ...charts,
  )
  return `${svg}\n`
}

function legendOf(legend: NonNullable<Page['legend']>): readonly string[] {
  let x = 28
  return legend.map(({ mark, label }) => {
    const left = x
    x += 30 + LETTER * label.length
    const words = { x: left + 10, y: HEAD + 13, class: `label ${mark.name}` }
    return marks(mark, [[left, HEAD + 9]], 1.25) + text(label, words)
  })
}

const FONT = "Inter, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

function styles(colours: Page['colours']): string {
  const theme = (shade: keyof Colour, paper: Readonly<Record<string, string>>) =>
    `.page{fill:${paper.page};stroke:${paper.edge}}.halo{stroke:${paper.page}}` +
    `.headline,.title{fill:${paper.ink}}.axis,.tick{fill:${paper.quiet}}` +
    `.grid{stroke:${paper.grid}}.reference{stroke:${paper.quiet}}.hollow{fill:${paper.page}}` +
    Object.entries(colours)
      .map(
        ([name, colour]) =>
          `.line.${name},.bar.${name},.leader.${name},.hollow.${name}{stroke:${colour[shade]}}` +
          `.solid.${name},.label.${name}{fill:${colour[shade]}}`,
      )
      .join('')
  const light = { page: '#fff', edge: '#d0d7de', ink: '#1f2328', quiet: '#59636e', grid: '#e6eaef' }
  const dark = {
    page: '#0d1117',
    edge: '#30363d',
    ink: '#e6edf3',
    quiet: '#9198a1',
    grid: '#262c36',
  }
  return (
    `text{font-family:${FONT};font-size:11px}.headline{font-size:17px;font-weight:600}` +
    '.title{font-size:12.5px;font-weight:600}.label{font-weight:600}.note{font-weight:400}.tick{font-size:10.5px}' +
    '.end{text-anchor:end}.middle{text-anchor:middle}' +
    '.line{fill:none;stroke-width:1.8;stroke-linejoin:round}.bar{stroke-width:1.2;opacity:.45}' +
    '.leader{fill:none;stroke-width:.8;opacity:.6}.hollow{stroke-width:1.4}' +
    `.halo{stroke-width:3.4}.reference{stroke-width:1.2}${theme('light', light)}` +
    `@media (prefers-color-scheme:dark){${theme('dark', dark)}}`
  )
}
