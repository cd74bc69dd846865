import { Assembly, type Packet } from '../trace/blocks.ts'
import type { Trace } from '../trace/index.ts'

/** Gets a root call's trace once it is whole, or as whole as it will be: read, or as it came. */
export interface Taker {
  take(trace: Trace): void
  /** Gets it, and what comes late, as it came; then nothing is read here that nobody else wants. */
  takePacket?(packet: Packet): void
}

/** Gives a packet to somebody who may want it read. */
export function giveLate(taker: Taker, late: Packet): void {
  if (taker.takePacket !== undefined) {
    taker.takePacket(late)
    return
  }
  const assembly = new Assembly(late.traceId)
  if (late.root !== undefined) assembly.addRoot(late.root.record, late.root, late.root.block)
  const taken = late.pieces.filter((piece) => assembly.addPiece(piece)).length
  if (late.root === undefined && taken === 0) return
  const trace = assembly.finish({ alone: true })
  taker.take(taken > 0 ? { ...trace, complete: false } : trace)
}
