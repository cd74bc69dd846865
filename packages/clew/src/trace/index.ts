export * from './analysis/index.ts'
export type * from './call-node.ts'
export { callTree } from './call-tree.ts'
export type * from './entry.ts'
export {
  encodeEntries,
  encodeTrace,
  parseTraces,
  TraceReader,
  type TraceReaderOptions,
} from './file.ts'
export * from './population/index.ts'
