export { formatOf } from './format-of.ts'
export {
  type FormatName,
  type FormatReader,
  type FormatReaderOptions,
  formatReader,
} from './format-reader.ts'
export { joinParts } from './join-parts.ts'
export * from './out/index.ts'
export { pairParts } from './pair-parts.ts'
