export * from './analysis/index.ts'
export type * from './call-node.ts'
export { type CallTreeOptions, callTree } from './call-tree.ts'
export { ClockPool } from './clocks/clock-pool.ts'
export type * from './entry.ts'
export {
  encodeEntries,
  encodeTrace,
  parseTraces,
  TraceReader,
  type TraceReaderOptions,
} from './file.ts'
export * from './population/index.ts'
