// What reads the blocks that replies bring and the pieces that go around them: `clew/trace/blocks`.
// Apart from `clew/trace`, because pages read entries and trees, never blocks.
export { blockCalls } from './head.ts'
export { Assembly, pieceTraceId, readPiece } from './read.ts'
export type { CallRecord } from './records.ts'
