import { fileURLToPath } from 'node:url'
import { renderAsync } from '@resvg/resvg-js'
import type { CallTree } from 'clew/trace'
import { isCovered, NO_GLYPH } from './layout/measure.ts'
import type { RenderOptions } from './options.ts'
import { renderSvg } from './svg.ts'
import { grouped } from './words.ts'

export interface PngOptions extends RenderOptions {
  /**
   * Pixels of the PNG per pixel of the picture.
   * @default 2
   */
  readonly scale?: number | undefined
  /**
   * Most pixels of the PNG. A larger one is scaled down as long as its text stays legible.
   * @default 64,000,000
   */
  readonly maxPixels?: number | undefined
  /**
   * Paths of more fonts (TrueType or OpenType) for characters that the bundled ones lack, such as
   * Chinese. Without them such characters are drawn as `□`.
   * @default none
   */
  readonly fonts?: readonly string[] | undefined
  /**
   * Told, for people, when the PNG is smaller than asked for.
   * @default silence
   */
  readonly onNotice?: ((notice: string) => void) | undefined
}

/** The picture would be so large that it could not be read, or not be opened. */
export class PictureTooLargeError extends RangeError {
  constructor(message: string) {
    super(message)
    this.name = 'PictureTooLargeError'
  }
}

const BUNDLED = [
  'Inter-Regular.ttf',
  'Inter-Medium.ttf',
  'Inter-SemiBold.ttf',
  'Inter-Bold.ttf',
  'JetBrainsMono-Regular.ttf',
].map((file) => fileURLToPath(new URL(`../fonts/${file}`, import.meta.url)))

/** Below this scale the smallest text is under six pixels high. */
const LEAST_SCALE = 0.7

/**
 * Draws a trace, or an SVG document made by `renderSvg`, as PNG, with the bundled fonts and no
 * others of the machine's: the same picture everywhere.
 * @throws PictureTooLargeError when it would have more than `maxPixels` even at the least scale
 * @throws TypeError when a given SVG document says no size
 */
export async function renderPng(
  source: string | CallTree,
  options: PngOptions = {},
): Promise<Uint8Array> {
  const { scale = 2, maxPixels = 64_000_000, fonts = [], onNotice } = options
  const svg = typeof source === 'string' ? source : renderSvg(source, options)
  const size = sizeOf(svg)
  const possible = Math.sqrt(maxPixels / (size.width * size.height))
  if (possible < scale && possible < LEAST_SCALE) throw tooLarge(size, maxPixels)
  const chosen = Math.min(scale, possible)
  if (chosen < scale) {
    onNotice?.(
      `drawn at ${chosen.toFixed(2)} instead of ${scale} times its size, to stay within ` +
        `${grouped(maxPixels / 1e6)} megapixels`,
    )
  }
  // An option that the rasteriser does not know makes it ignore all of them, fonts included.
  const image = await renderAsync(fonts.length > 0 ? svg : coveredOnly(svg), {
    font: {
      fontFiles: [...BUNDLED, ...fonts],
      loadSystemFonts: false,
      defaultFontFamily: 'Inter',
    },
    fitTo: { mode: 'zoom', value: chosen },
  })
  return image.asPng()
}

function sizeOf(svg: string): { readonly width: number; readonly height: number } {
  const opening = /<svg\b[^>]*>/.exec(svg)?.[0] ?? ''
  const [width, height] = ['width', 'height'].map((name) =>
    Number(new RegExp(`\\s${name}="([\\d.]+)(?:px)?"`).exec(opening)?.[1]),
  )
  if (!(width! > 0) || !(height! > 0)) {
    throw new TypeError('not an SVG document with a width and a height in pixels')
  }
  return { width: width!, height: height! }
}

/** Text in which no glyph is missing: the rasteriser would leave it out without a word. */
function coveredOnly(svg: string): string {
  return svg
    .normalize('NFC')
    .replace(/[^\n\x20-\x7e]/gu, (character) =>
      isCovered(character.codePointAt(0)!) ? character : NO_GLYPH,
    )
}

function tooLarge(
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
): PictureTooLargeError {
  return new PictureTooLargeError(
    `the picture is ${grouped(width)} by ${grouped(height)} pixels, too large for a PNG of ` +
      `${grouped(maxPixels / 1e6)} megapixels with legible text; draw it as SVG, or let it fold ` +
      'more calls (maxCards)',
  )
}
