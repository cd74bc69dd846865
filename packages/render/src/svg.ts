import type { CallTree } from 'clew/trace'
import { factsOf } from './facts.ts'
import { treeLayout } from './layout/tree-layout.ts'
import { waterfallLayout } from './layout/waterfall-layout.ts'
import type { RenderOptions } from './options.ts'
import { svgDocument } from './svg/document.ts'
import { type Band, drawHeader, MARGIN } from './svg/header.ts'
import { type HeaderContent, headerContent } from './svg/header-content.ts'
import { drawLegend } from './svg/legend.ts'
import { number, rect } from './svg/markup.ts'
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
  return svgDocument(aboutOf(header), width, [
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
  return svgDocument(aboutOf(header), width, [
    drawHeader(header, width),
    body,
    drawLegend(waterfallLegend(layout, facts), width),
  ])
}

function aboutOf({ title, service, sentences }: HeaderContent) {
  return { title: `${title} · ${service}`, description: sentences.join(' ') }
}
