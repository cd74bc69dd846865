import type { CallTree } from 'clew/trace'
import { factsOf } from './facts.ts'
import { treeLayout } from './layout/tree-layout.ts'
import { waterfallLayout } from './layout/waterfall-layout.ts'
import type { RenderOptions } from './options.ts'
import { type Band, drawHeader, MARGIN } from './svg/header.ts'
import { headerContent } from './svg/header-content.ts'
import { drawLegend } from './svg/legend.ts'
import { element, number, rect, xml } from './svg/markup.ts'
import { COLOR } from './svg/palette.ts'
import { drawTree, slowestPathFigure, treeLegend } from './svg/tree.ts'
import { criticalPathFigure, drawWaterfall, waterfallHeight } from './svg/waterfall.ts'
import { waterfallLegend } from './svg/waterfall-legend.ts'

/**
 * Draws a trace as an SVG document. The same tree and options give the same bytes. Needs no fonts to
 * be laid out; where Inter and JetBrains Mono are not installed, viewers take fonts of their own.
 */
export function renderSvg(tree: CallTree, options: RenderOptions = {}): string {
  return options.view === 'waterfall' ? waterfallPicture(tree, options) : treePicture(tree, options)
}

function treePicture(tree: CallTree, options: RenderOptions): string {
  const { verdict = true, width: least = 760 } = options
  const facts = factsOf(tree)
  const layout = treeLayout(tree, options)
  const width = Math.max(least, layout.width + MARGIN * 2)
  const { outline } = layout
  const last = slowestPathFigure(tree)
  const header = headerContent(tree, { facts, outline, last, verdict })
  const x = (width - layout.width) / 2
  const height = layout.height + 56
  const body: Band = {
    markup: [
      rect({ x: 0, y: 0, width, height }, { fill: COLOR.ground }),
      `<g transform="translate(${number(x)} 28)">`,
      drawTree(layout, facts),
      '</g>',
    ].join('\n'),
    height,
  }
  return document(`${header.title} · ${header.service}`, header.sentences.join(' '), width, [
    drawHeader(header, width),
    body,
    drawLegend(treeLegend(layout, facts), width),
  ])
}

function waterfallPicture(tree: CallTree, options: RenderOptions): string {
  const { verdict = true, width: least = 1480, ...others } = options
  const facts = factsOf(tree)
  const layout = waterfallLayout(tree, { ...others, width: least - MARGIN * 2 })
  const width = layout.width + MARGIN * 2
  const { outline } = layout
  const last = criticalPathFigure(tree)
  const header = headerContent(tree, { facts, outline, last, verdict })
  const body: Band = {
    markup: drawWaterfall(layout, facts, { left: MARGIN, width }),
    height: waterfallHeight(layout),
  }
  return document(`${header.title} · ${header.service}`, header.sentences.join(' '), width, [
    drawHeader(header, width),
    body,
    drawLegend(waterfallLegend(layout, facts), width),
  ])
}

function document(
  title: string,
  description: string,
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
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: wide,
      height,
      viewBox: `0 0 ${wide} ${height}`,
      role: 'img',
    },
    [
      `\n<title>${xml(title)}</title>`,
      description === '' ? '' : `<desc>${xml(description)}</desc>`,
      ...stacked,
      '',
    ].join('\n'),
  )}\n`
}
