// What writes and reads the blocks that replies bring and the pieces that go around them: `clew/trace/blocks`.
// Apart from `clew/trace`, because pages read entries and trees, never blocks.
export {
  type Batch,
  encodeBatch,
  MAX_BATCH_BYTES,
  MAX_BATCH_PACKETS,
  type ReadBatch,
  readBatch,
  type Sender,
} from './batch.ts'
export { CallColumns } from './call-columns.ts'
export { blockCalls } from './head.ts'
export { Log } from './log.ts'
export {
  encodePacket,
  type Packet,
  type PacketHead,
  type PacketRoot,
  packetCalls,
  packetHead,
  pieceCalls,
  readPacket,
} from './packet.ts'
export { lookAtPacket, type PacketLook } from './packet-look.ts'
export { Assembly, pieceTraceId, readPiece } from './read.ts'
export {
  type BlockOwner,
  blockAsPiece,
  encodeRecall,
  MAX_RECALL_TRACES,
  type RecallRequest,
  readRecall,
  worstStatus,
} from './recall-request.ts'
export type * from './records.ts'
export { isSelfContained } from './self-contained.ts'
export { isUneven } from './uneven.ts'
export { unreadTrace } from './unread.ts'
