import type { Packet } from '../../trace/blocks.ts'
import type { Sink, SinkCounts } from '../sink.ts'

/**
 * Why calls were dropped: there was no room (the collector is slower than they come, or away), their
 * packet is larger than anybody takes, the collector does not want them (a wrong token, say), or the
 * sink was closed.
 */
export type DropReason = 'buffer_full' | 'too_large' | 'refused' | 'closed'

/** In calls; at any time `taken = written + rejected + dropped + buffered`. */
export interface SendingCounts extends SinkCounts {
  /** Of those sent, what the collector could not read. */
  readonly rejected: number
  /** Not sent yet, or not answered for. */
  readonly buffered: number
  /** What `dropped` consists of. */
  readonly reasons: Readonly<Record<DropReason, number>>
}

/** A sink that sends. */
export interface SendingSink extends Sink {
  takePacket(packet: Packet): void
  readonly counts: SendingCounts
}
