import type { Packet } from '../../trace/blocks.ts'
import { encodeTrace, type Trace } from '../../trace/index.ts'

/** A trace that was read already as a packet: the lines of its file. */
export function linesOf(trace: Trace): Packet {
  const lines = new TextEncoder().encode(encodeTrace(trace))
  const lineCalls = new Set(trace.entries.map(({ id }) => id)).size
  return { traceId: trace.id, pieces: [], lines, lineCalls, ended: trace.complete }
}
