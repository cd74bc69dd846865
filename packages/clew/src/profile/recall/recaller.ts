import { type Mailbox, newHalfId } from '../../call/index.ts'
import {
  encodeRecall,
  MAX_RECALL_TRACES,
  type Packet,
  pieceTraceId,
  readPacket,
} from '../../trace/blocks.ts'

/** Traces asked for of late, whose answers are taken; the oldest is forgotten first. */
const MOST_WANTED = 10_000

/** Asks the processes at a broker what they know of traces, and takes what they answer. */
export interface Recaller extends AsyncDisposable {
  /**
   * Asks for traces by their ids of 32 hex digits, a hundred at a time.
   * @returns false when nobody listens there, or the broker cannot be reached
   */
  ask(traceIds: readonly string[]): Promise<boolean>
}

/**
 * Opens a box for answers. They come as soon as they are there, in no order, and nobody says when the
 * last has come: half a second is long for a process that is well.
 * @param mailbox of a connection to the broker that the services use
 * @param take takes an answer: pieces, or a root's own record, of a trace that was asked for. Must not throw
 */
export async function openRecaller(
  mailbox: Mailbox,
  take: (packet: Packet) => void,
): Promise<Recaller> {
  const inbox = newHalfId()
  const wanted = new Set<string>()
  // Whoever may publish there can send anything: only what was asked for is taken.
  const box = await mailbox.open(inbox, (message) => {
    const packet = packetOf(message)
    if (packet !== undefined && wanted.has(packet.traceId)) take(packet)
  })
  return {
    async ask(traceIds) {
      let heard = false
      for (let at = 0; at < traceIds.length; at += MAX_RECALL_TRACES) {
        const some = traceIds.slice(at, at + MAX_RECALL_TRACES)
        for (const id of some) want(wanted, id)
        const request = encodeRecall({ nonce: newHalfId(), inbox, traceIds: some })
        heard = (await mailbox.ask(request)) || heard
      }
      return heard
    },
    [Symbol.asyncDispose]: async () => {
      await box[Symbol.asyncDispose]()
    },
  }
}

function want(wanted: Set<string>, traceId: string): void {
  wanted.delete(traceId)
  wanted.add(traceId)
  const [oldest] = wanted
  if (wanted.size > MOST_WANTED && oldest !== undefined) wanted.delete(oldest)
}

/** A message as a packet of its own: the connection's buffer is used again. */
function packetOf(message: Uint8Array): Packet | undefined {
  const bytes = message.slice()
  const traceId = pieceTraceId(bytes)
  if (traceId !== undefined) return { traceId, pieces: [bytes], ended: false }
  const packet = readPacket(bytes)
  if (packet === undefined) return undefined
  const { root, pieces } = packet
  const own = pieces.filter((piece) => pieceTraceId(piece) === packet.traceId)
  return { traceId: packet.traceId, root, pieces: own, ended: false }
}
