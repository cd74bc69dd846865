export {
  type BreakdownPictureOptions,
  type BreakdownTextOptions,
  renderBreakdownSvg,
  renderBreakdownText,
} from './breakdown.ts'
export type { CallCard, CardContent, Figure, SmallCard } from './layout/card-content.ts'
export type { PlacedCard, PlacedLink, TreeLayout } from './layout/tree-layout.ts'
export { treeLayout } from './layout/tree-layout.ts'
export type { BarLabel, Extent, PlacedRow, WaterfallLayout } from './layout/waterfall-layout.ts'
export { waterfallLayout } from './layout/waterfall-layout.ts'
export {
  type LoadPictureOptions,
  type LoadTextOptions,
  renderLoadSvg,
  renderLoadText,
} from './load.ts'
export * from './map.ts'
export type { PictureOptions, PictureView, RenderOptions } from './options.ts'
export type {
  CallPlace,
  FoldedPlace,
  MergedPlace,
  MissingPlace,
  Outline,
  Place,
  RepeatsPlace,
  Spread,
} from './outline/place.ts'
export { renderSvg } from './svg.ts'
export { columns, cut, padded, printable } from './text/columns.ts'
export type { TextOptions, TextView } from './text.ts'
export { renderText } from './text.ts'
export { visible } from './visible.ts'
