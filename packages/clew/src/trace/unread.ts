import type { Entry, Fold, Missing, Relay, Trace } from './entry.ts'
import * as format from './format.ts'
import type { Packet } from './packet.ts'
import { Assembly } from './read.ts'
import { Skim } from './skim.ts'

const ROOT_PIECE = format.PIECE_OWN | format.PIECE_ROOT
const NO_FOLDS: readonly Fold[] = Object.freeze([])
const NOTHING_MISSING: readonly Missing[] = Object.freeze([])
const NO_RELAYS: readonly Relay[] = Object.freeze([])

const skim = new Skim()

/**
 * A trace that is whole in one packet, not read before somebody looks at its entries: who keeps one
 * call in a thousand does not pay for reading the others. To whoever has it, it is a trace like any
 * other. Its bytes must not change afterwards.
 * @param bytes the packet's block, or its only piece
 * @returns undefined where a look at the bytes says that more may come, or that there is more in them
 *   than calls: an `Assembly` reads those
 */
export function unreadTrace(packet: Packet, bytes: Uint8Array): Trace | undefined {
  const plain = skim.begin(bytes) && hasOnlyCalls()
  skim.finish()
  return plain ? new UnreadTrace(packet) : undefined
}

function hasOnlyCalls(): boolean {
  if (skim.pieceFlags !== undefined && skim.pieceFlags !== ROOT_PIECE) return false
  for (let kind = skim.next(); kind !== undefined; kind = skim.next()) {
    if (kind !== format.ITEM_CALL || skim.lost) return false
    if (skim.end === undefined && !skim.isAlone) return false
  }
  return !skim.bad && !skim.pauses
}

class UnreadTrace implements Trace {
  readonly id: string
  declare readonly entries: readonly Entry[]
  // As they are of what has only calls; of damaged bytes more is known when they have been read.
  readonly folds: readonly Fold[] = NO_FOLDS
  readonly missing: readonly Missing[] = NOTHING_MISSING
  readonly relays: readonly Relay[] = NO_RELAYS
  readonly complete: boolean = true
  #packet: Packet | undefined
  #entries: readonly Entry[] | undefined

  constructor(packet: Packet) {
    this.id = packet.traceId
    this.#packet = packet
    // Its own, or copies of the trace would lack them.
    Object.defineProperty(this, 'entries', ENTRIES)
  }

  static entriesOf(trace: UnreadTrace): readonly Entry[] {
    trace.#entries ??= trace.#read()
    return trace.#entries
  }

  #read(): readonly Entry[] {
    const { traceId, root, pieces } = this.#packet!
    this.#packet = undefined
    const assembly = new Assembly(traceId)
    if (root !== undefined) assembly.addRoot(root.record, root, root.block)
    for (const piece of pieces) assembly.addPiece(piece)
    const { id: _, entries, ...others } = assembly.finish()
    Object.assign(this, others)
    return entries
  }
}

// One function for all traces: the engine then gives all of them one shape.
const ENTRIES: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get(this: UnreadTrace) {
    return UnreadTrace.entriesOf(this)
  },
}
