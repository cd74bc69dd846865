import { formatShare, type Layer, type LoadReport, loadNumber, plusMinus } from 'clew/trace'
import { swatch } from './breakdown/body.ts'
import { layerPatterns } from './breakdown/patterns.ts'
import { LAYER_WORDS } from './breakdown/sentence.ts'
import { BODY_HEIGHT, drawLoad } from './load/body.ts'
import { loadChart } from './load/chart.ts'
import { type LoadTextOptions, loadTable } from './load/table.ts'
import { LOAD_QUESTION } from './load/words.ts'
import { svgDocument } from './svg/document.ts'
import { type Band, drawHeader, MARGIN } from './svg/header.ts'
import type { HeaderContent, KeyFigure } from './svg/header-content.ts'
import { drawLegend } from './svg/legend.ts'
import { rect } from './svg/markup.ts'
import { COLOR, serviceColors } from './svg/palette.ts'
import { visible } from './visible.ts'
import { counted, grouped } from './words.ts'

export type { LoadTextOptions } from './load/table.ts'

export interface LoadPictureOptions {
  /**
   * Width of the picture in pixels, at least 1000.
   * @default 1480
   */
  readonly width?: number | undefined
}

/**
 * Draws how the bottleneck appears and moves with the load as an SVG document: shares of the critical
 * path, a ribbon that names what holds requests up, latencies and waits, the limit with its error. The
 * same report and options give the same bytes.
 */
export function renderLoadSvg(report: LoadReport, options: LoadPictureOptions = {}): string {
  const width = Math.max(1000, options.width ?? 1480)
  const header = headerOf(report)
  const bands: Band[] = [drawHeader(header, width)]
  if (report.bands.length > 0) bands.push(...chartOf(report, width))
  return svgDocument(
    { title: LOAD_QUESTION, description: header.sentences.join(' ') },
    width,
    bands,
  )
}

/** The same as tables for a terminal, the answer in words above them. Lines end with `\n`. */
export function renderLoadText(report: LoadReport, options: LoadTextOptions = {}): string {
  return loadTable(report, options)
}

function chartOf(report: LoadReport, width: number): readonly Band[] {
  const chart = loadChart(namesVisible(report), width - MARGIN * 2)
  const services = rankingOf(chart.areas)
  const colorOf = serviceColors(services)
  const layers = [...new Set(chart.areas.map(({ layer }) => layer))].filter(
    (each) => each !== undefined,
  )
  const colors = [...services.map(colorOf), COLOR.pillDark]
  const axis = report.by === 'rate' ? 'REQUESTS A SECOND' : 'REQUESTS IN FLIGHT'
  return [
    {
      markup: [
        layerPatterns(colors, layers),
        rect({ x: 0, y: 0, width, height: BODY_HEIGHT }, { fill: COLOR.paper }),
        `<g transform="translate(${MARGIN} 0)">`,
        drawLoad(chart, colorOf, axis),
        '</g>',
      ].join('\n'),
      height: BODY_HEIGHT,
    },
    drawLegend(layers.map(legendItem), width),
  ]
}

/** Names that could steer something are written out before anything is measured. */
function namesVisible(report: LoadReport): LoadReport {
  return {
    ...report,
    bands: report.bands.map((band) => ({
      ...band,
      parts: band.parts.map((part) => ({ ...part, service: visible(part.service) })),
      stations: band.stations.map((each) => ({ ...each, service: visible(each.service) })),
      bottleneck: { ...band.bottleneck, service: visible(band.bottleneck.service) },
    })),
  }
}

/** The service with the largest area first: it gets the first colour. */
function rankingOf(areas: ReturnType<typeof loadChart>['areas']): readonly string[] {
  const sums = new Map<string, number>()
  for (const { service, top, bottom } of areas) {
    if (service === '') continue
    const size = top.reduce((sum, { y }, at) => sum + bottom[at]!.y - y, 0)
    sums.set(service, (sums.get(service) ?? 0) + size)
  }
  return [...sums].sort(([, a], [, b]) => b - a).map(([service]) => service)
}

const legendItem = (layer: Layer) => ({
  label: LAYER_WORDS[layer],
  width: 13,
  draw: (x: number, y: number) => swatch(x, y - 6.5, COLOR.pillDark, layer),
})

function headerOf(report: LoadReport): HeaderContent {
  const { bands, limit, requests, passedOver } = report
  const [first, last] = [bands[0], bands.at(-1)]
  const failed = bands.reduce((sum, band) => sum + band.failed * band.requests, 0)
  const figures: KeyFigure[] = [{ label: 'REQUESTS', value: grouped(requests) }]
  if (first !== undefined && last !== undefined) {
    const range = `${loadNumber(first.rate)} – ${loadNumber(last.rate)}/s`
    figures.push({
      label: 'LOAD',
      value: bands.length === 1 ? `${loadNumber(last.rate)}/s` : range,
    })
  }
  if (failed > 0) {
    figures.push({ label: 'FAILED', value: formatShare(failed / requests), tone: 'failure' })
  }
  const most =
    typeof limit === 'string' ? 'not reached' : `${plusMinus(limit.peakRate, limit.peakError)}/s`
  figures.push({ label: 'LIMIT', value: most, tone: typeof limit === 'string' ? 'plain' : 'path' })
  const others = counted(
    passedOver,
    'trace without a root call that ended is',
    'traces without a root call that ended are',
  )
  return {
    ...{ title: LOAD_QUESTION, service: '', traceId: '', time: undefined, figures },
    notices: passedOver > 0 ? [{ tone: 'plain', text: `${others} left out` }] : [],
    sentences: report.sentences.map(visible),
  }
}
