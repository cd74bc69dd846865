import { formatShare, type RequestBreakdown } from 'clew/trace'
import { drawChart, LEGEND_COLOR, swatch } from './breakdown/body.ts'
import { type BreakdownPictureOptions, breakdownChart, CHIP_SWATCH } from './breakdown/chart.ts'
import { breakdownSentences, LAYER_WORDS, QUESTION } from './breakdown/sentence.ts'
import { type BreakdownTextOptions, breakdownTable } from './breakdown/table.ts'
import { svgDocument } from './svg/document.ts'
import { type Band, drawHeader, MARGIN } from './svg/header.ts'
import type { HeaderContent } from './svg/header-content.ts'
import { drawLegend, type LegendItem } from './svg/legend.ts'
import { text } from './svg/markup.ts'
import { COLOR, serviceColors } from './svg/palette.ts'
import { visible } from './visible.ts'
import { counted, grouped } from './words.ts'

export type { BreakdownPictureOptions } from './breakdown/chart.ts'
export type { BreakdownTextOptions } from './breakdown/table.ts'

/**
 * Draws the paper's Figure 6 as an SVG document: for each kind of request two stacked bars, median and
 * 99th percentile, by service (colour) and layer (pattern). `renderPng` makes a PNG of it. The same
 * breakdown and options give the same bytes.
 */
export function renderBreakdownSvg(
  requests: readonly RequestBreakdown[],
  options: BreakdownPictureOptions = {},
): string {
  const width = Math.max(1100, options.width ?? 1480)
  const chart = breakdownChart(requests, { ...options, width: width - MARGIN * 2 })
  const colorOf = serviceColors(chart.services)
  const header = headerOf(requests, chart.leftOut)
  const bands: readonly Band[] = [
    drawHeader(header, width),
    drawChart(chart, colorOf),
    drawLegend(legendOf(chart.layers), width),
  ]
  return svgDocument({ title: QUESTION, description: header.sentences.join(' ') }, width, bands)
}

/** The same as a table for a terminal, the answer in words above it. Lines end with `\n`. */
export function renderBreakdownText(
  requests: readonly RequestBreakdown[],
  options: BreakdownTextOptions = {},
): string {
  return breakdownTable(requests, options)
}

function headerOf(requests: readonly RequestBreakdown[], leftOut: number): HeaderContent {
  const count = requests.reduce((sum, { requests: some }) => sum + some, 0)
  const [most] = requests
  const [first] = most?.parts ?? []
  const places =
    first === undefined
      ? '–'
      : `${formatShare(first.share)} ${visible(first.service)} ${first.layer}`
  return {
    title: QUESTION,
    service: '',
    traceId: '',
    time: undefined,
    figures: [
      { label: 'REQUESTS', value: grouped(count) },
      { label: 'TYPES', value: grouped(requests.length) },
      { label: 'LARGEST PART', value: places, tone: 'path' },
    ],
    notices:
      leftOut > 0
        ? [
            {
              tone: 'plain',
              text: `${counted(leftOut, 'more request type is', 'more request types are')} not drawn`,
            },
          ]
        : [],
    sentences: breakdownSentences(requests).map(visible),
  }
}

function legendOf(layers: readonly (keyof typeof LAYER_WORDS)[]): readonly LegendItem[] {
  return [
    ...layers.map((layer) => ({
      label: LAYER_WORDS[layer],
      width: CHIP_SWATCH,
      draw: (x: number, y: number) => swatch(x, y - CHIP_SWATCH / 2, LEGEND_COLOR, layer),
    })),
    NUMBERS,
  ]
}

const NUMBERS: LegendItem = {
  label: 'share of all its time · median; bars are as long as the whole request',
  width: 36,
  draw: (x, y) => text({ x, y: y + 4, face: 'inter600', size: 11, fill: COLOR.quiet }, '% · ms'),
}
