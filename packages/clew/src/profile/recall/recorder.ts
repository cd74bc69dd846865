import { type Call, type Place, UnderWay } from '../../call/index.ts'
import { blockAsPiece, encodePacket, type Packet, type PacketRoot } from '../../trace/blocks.ts'
import type { LogOwner } from '../../trace/records.ts'
import { shortId } from '../call-id.ts'
import { type Kept, Ring } from './ring.ts'

/** A worker that has not answered yet. */
export interface Running {
  readonly traceId: string
  /** What is known of it now, as a piece. */
  peek(): Uint8Array
}

/** Root calls of this process that have not ended. */
export interface OpenRoots {
  pending(traceId: string): PacketRoot | undefined
}

/** Most workers of one trace that are told of while they run. */
const MOST_RUNNING = 100

/**
 * The flight recorder of a process: what its workers finished of late, in a fixed number of bytes, and
 * the workers that are running now. When a reply is lost on its way, or a call never answered, this is
 * where what happened can still be asked for.
 */
export class Recorder {
  readonly #ring: Ring
  readonly #roots: OpenRoots
  readonly #running = new UnderWay<Running>()

  constructor(bytes: number, roots: OpenRoots) {
    this.#ring = new Ring(bytes)
    this.#roots = roots
  }

  /** Gives the place that the worker leaves when it has answered. */
  begin(worker: Running): Place<Running> {
    return this.#running.add(worker)
  }

  /** The block that a worker's reply took along. */
  block(owner: LogOwner, call: Call, block: Uint8Array): void {
    this.#ring.put('block', owner, callerIn(call), block)
  }

  /** What went around the reply. */
  piece(owner: LogOwner, piece: Uint8Array): void {
    this.#ring.put('piece', owner, '', piece)
  }

  /** The caller's side of a root call that has ended, and the block that its reply brought, if any. */
  root(traceId: string, root: PacketRoot): void {
    const packet = encodePacket({ traceId, root, pieces: [], ended: false })
    this.#ring.put('packet', { traceId, callId: root.record.id }, '', packet)
  }

  /** All that is known here of these traces: bytes of packets and of pieces, each of at most one of the traces. */
  recall(traceIds: readonly string[]): Uint8Array[] {
    const wanted = new Set(traceIds)
    const found: Uint8Array[] = []
    for (const kept of this.#ring.find(wanted)) {
      const bytes = kept.kind === 'block' ? pieceOf(kept) : kept.bytes
      if (bytes !== undefined) found.push(bytes)
    }
    let told = 0
    for (const worker of this.#running) {
      if (!wanted.has(worker.traceId) || told++ >= MOST_RUNNING * wanted.size) continue
      found.push(worker.peek())
    }
    for (const traceId of wanted) {
      const root = this.#roots.pending(traceId)
      if (root !== undefined) found.push(pending(traceId, root))
    }
    return found
  }
}

const pending = (traceId: string, root: PacketRoot) =>
  encodePacket({ traceId, root, pieces: [], ended: false } satisfies Packet)

function pieceOf({ bytes, traceId, callId, parent }: Kept): Uint8Array | undefined {
  return blockAsPiece(bytes, { traceId, callId, parent: callerId(parent) })
}

/** Nameko's id of the worker's call that made this one; empty where there is none. */
export function callerIn(call: Call): string {
  const stack = call.context.call_id_stack
  const last: unknown = Array.isArray(stack) ? stack.at(-1) : undefined
  return typeof last === 'string' ? last : ''
}

const UUID_LENGTH = 36

/** The call's id in the trace, where it was made with Clew: such ids end in a UUID of version 8. */
export function callerId(namekoId: string): string | undefined {
  const uuid = namekoId.slice(-UUID_LENGTH)
  return uuid.length === UUID_LENGTH && uuid[14] === '8' ? shortId(uuid) : undefined
}
