import type { Band } from './header.ts'
import { element, number, xml } from './markup.ts'

/** An SVG document of bands below each other. */
export function svgDocument(
  about: { readonly title: string; readonly description: string },
  width: number,
  bands: readonly Band[],
): string {
  const height = Math.ceil(bands.reduce((sum, band) => sum + band.height, 0))
  const wide = Math.ceil(width)
  let y = 0
  const stacked = bands.map((band) => {
    const group = `<g transform="translate(0 ${number(y)})">\n${band.markup}\n</g>`
    y += band.height
    return group
  })
  const size = { width: wide, height, viewBox: `0 0 ${wide} ${height}` }
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img' },
    [
      `\n<title>${xml(about.title)}</title>`,
      about.description === '' ? '' : `<desc>${xml(about.description)}</desc>`,
      ...stacked,
      '',
    ].join('\n'),
  )}\n`
}
