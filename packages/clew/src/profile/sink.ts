import type { CollectQueue } from '../call/index.ts'
import type { Packet } from '../trace/blocks.ts'
import type { Trace } from '../trace/index.ts'

/** Takes finished traces. */
export interface Sink {
  /** Must return at once and must not throw: it is called beside running calls. */
  take(trace: Trace): void
  /**
   * Takes traces as they came, without anybody having read them: in one packet, or with late pieces and
   * late replies in several. A sink that has it is given them here and not by `take`. The same holds:
   * at once, and nothing thrown. Its bytes may be used again when it returns.
   */
  takePacket?(packet: Packet): void
  /**
   * Told by each profile whose process has connected by which queue it reaches collectors. Gives what is
   * called when that connection ends, after a last `flush`.
   */
  useQueue?(queue: CollectQueue): () => void
  /** Resolves when everything taken so far is safe, or was counted as dropped. */
  flush(): Promise<void>
  /** Flushes and lets go of everything; what comes afterwards is dropped. */
  close(): Promise<void>
  /** Calls taken, written, and dropped because the buffer was full, writing failed or the sink was closed. */
  readonly counts: SinkCounts
}

export interface SinkCounts {
  readonly taken: number
  readonly written: number
  readonly dropped: number
}
