import { joinParts } from 'clew/formats'
import type { Missing, Trace } from 'clew/trace'
import { TraceReader } from 'clew/trace'
import { Assembly, type Packet, packetHead, readPacket } from 'clew/trace/blocks'

/** A trace put together, and for how many it stands. */
export interface GatheredTrace {
  readonly trace: Trace
  readonly weight: number
}

/**
 * The trace that its packets make, in whatever order and however often they came. Never throws: what
 * cannot be read is told as missing calls.
 * @param traceId 32 hex digits; packets of others count as unreadable
 */
export function traceOf(traceId: string, packets: readonly Uint8Array[]): GatheredTrace {
  const assembly = new Assembly(traceId)
  const parts: Trace[] = []
  const missing: Missing[] = []
  let [weight, blocks, ended] = [1, 0, false]
  for (const bytes of packets) {
    const packet = readPacket(bytes)
    if (packet === undefined || packet.traceId !== traceId) {
      const calls = packetHead(bytes)?.calls ?? 1
      missing.push({ parent: '', trace: traceId, calls, reason: 'unreadable' })
      continue
    }
    weight = Math.max(weight, packet.weight ?? 1)
    ended ||= packet.ended
    blocks += addBlocks(assembly, packet)
    if (packet.lines !== undefined) parts.push(...tracesIn(packet.lines, traceId))
  }
  if (blocks > 0 || parts.length === 0) parts.unshift(assembly.finish())
  const whole = joinParts(parts)
  // Of one system's own records, one side of a call is all that there is: nobody tells when it ended.
  const complete = whole.complete && (ended || whole.source !== undefined)
  return {
    trace: { ...whole, missing: [...whole.missing, ...missing], complete },
    weight,
  }
}

/** @returns how many messages of blocks there were */
function addBlocks(assembly: Assembly, { root, pieces }: Packet): number {
  if (root !== undefined) assembly.addRoot(root.record, root, root.block)
  for (const piece of pieces) assembly.addPiece(piece)
  return pieces.length + (root === undefined ? 0 : 1)
}

function tracesIn(lines: Uint8Array, traceId: string): readonly Trace[] {
  const reader = new TraceReader()
  const traces = [...reader.push(new TextDecoder().decode(lines)), ...reader.end()]
  return traces.filter(({ id }) => id === traceId)
}
