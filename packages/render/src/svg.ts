import type { CallTree } from 'clew/trace'
import { factsOf } from './facts.ts'
import { criticalLayout } from './layout/critical-layout.ts'
import { flameLayout } from './layout/flame-layout.ts'
import { treeLayout } from './layout/tree-layout.ts'
import { waterfallLayout } from './layout/waterfall-layout.ts'
import type { PictureView, RenderOptions } from './options.ts'
import {
  criticalHeight,
  criticalLegend,
  drawCriticalPath,
  firstSentence,
  waitFigure,
} from './svg/critical-path.ts'
import { svgDocument } from './svg/document.ts'
import { drawFlame, flameHeight, flameLegend } from './svg/flame.ts'
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
  return PICTURES[options.view ?? 'tree'](tree, options)
}

const PICTURES: Readonly<Record<PictureView, (tree: CallTree, options: RenderOptions) => string>> =
  {
    tree: treePicture,
    waterfall: waterfallPicture,
    flame: flamePicture,
    'critical-path': criticalPicture,
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

function flamePicture(tree: CallTree, options: RenderOptions): string {
  const { verdict = true, width = 1480, ...others } = options
  const facts = factsOf(tree)
  const layout = flameLayout(tree, { ...others, width: Math.max(640, width) - MARGIN * 2 })
  const last = criticalPathFigure(tree)
  const header = headerContent(tree, { facts, outline: layout.outline, last, verdict })
  const frame = { left: MARGIN, width: layout.width + MARGIN * 2 }
  return svgDocument(aboutOf(header), frame.width, [
    drawHeader(header, frame.width),
    { markup: drawFlame(layout, facts, frame), height: flameHeight(layout) },
    drawLegend(flameLegend(layout, facts), frame.width),
  ])
}

function criticalPicture(tree: CallTree, options: RenderOptions): string {
  const { verdict = true, width = 1480 } = options
  const facts = factsOf(tree)
  const layout = criticalLayout(tree, Math.max(760, width) - MARGIN * 2)
  const last = waitFigure(tree, layout)
  const content = headerContent(tree, { facts, outline: NOTHING_FOLDED, last, verdict })
  const first = verdict ? firstSentence(tree, layout) : undefined
  const sentences = first === undefined ? content.sentences : [...content.sentences, first]
  const header = { ...content, sentences }
  const frame = { left: MARGIN, width: layout.width + MARGIN * 2 }
  return svgDocument(aboutOf(header), frame.width, [
    drawHeader(header, frame.width),
    { markup: drawCriticalPath(layout, facts, frame), height: criticalHeight(layout) },
    drawLegend(criticalLegend(layout, facts), frame.width),
  ])
}

/** The path has all of its time; methods beyond the lanes share one that says so. */
const NOTHING_FOLDED = { foldedCalls: 0, calls: 0 }

function aboutOf({ title, service, sentences }: HeaderContent) {
  return { title: `${title} · ${service}`, description: sentences.join(' ') }
}
