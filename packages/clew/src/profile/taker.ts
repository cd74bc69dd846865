import { Assembly, type Packet } from '../trace/blocks.ts'
import type { Trace } from '../trace/index.ts'

/** Gets a root call's trace once it is whole, or as whole as it will be: read, or as it came. */
export interface Taker {
  take(trace: Trace): void
  /** Gets it, and what comes late, as it came; then nothing is read here that nobody else wants. */
  takePacket?(packet: Packet): void
}

/** Gives a packet to somebody who may want it read. */
export function givePacket(taker: Taker, packet: Packet): void {
  if (taker.takePacket !== undefined) {
    taker.takePacket(packet)
    return
  }
  const trace = readPacketAlone(packet)
  if (trace !== undefined) taker.take(trace)
}

/**
 * The trace of one packet; of one that came late what it brings beside those before it. Undefined where
 * there is nothing in it.
 */
export function readPacketAlone({ traceId, root, pieces, ended }: Packet): Trace | undefined {
  const late = root === undefined ? !ended : root.record.late === true
  const assembly = new Assembly(traceId)
  if (root !== undefined) assembly.addRoot(root.record, root, root.block)
  const taken = pieces.filter((piece) => assembly.addPiece(piece)).length
  if (root === undefined && taken === 0) return undefined
  const trace = assembly.finish({ alone: late })
  return late && root === undefined ? { ...trace, complete: false } : trace
}
