export { type ChosenMap, chooseMap, type MapChoice } from './map/choose-map.ts'
export { renderMapDot, renderMapMermaid } from './map/diagrams.ts'
export {
  type DocumentPage,
  PAGE_MARK,
  renderSystemDocs,
  renderSystemPages,
} from './map/documentation.ts'
export { type MapLayout, mapLayout } from './map/map-layout.ts'
export { type MapPictureOptions, renderMapSvg } from './map/map-svg.ts'
export { type MapTextOptions, renderMapText } from './map/map-text.ts'
export { markdownText } from './map/markdown.ts'
export { type MapMatrix, type MatrixCell, type MatrixEnd, mapMatrix } from './map/matrix.ts'
export { renderMapMatrixSvg } from './map/matrix-svg.ts'
