import type { Consumer } from './consumer.ts'

/**
 * What became of a batch: `taken`, the broker has it on disk; `full`, the queue holds as much as it may;
 * `too_large` for this broker; `unavailable`, the connection is lost, blocked or does not answer, or
 * there is no queue.
 */
export type Handed = 'taken' | 'full' | 'too_large' | 'unavailable'

export interface HandOptions {
  /** How long to wait for the broker's confirmation; what was sent may arrive all the same. */
  readonly timeoutMs: number
  /** @default 'clew.collect' */
  readonly queue?: string | undefined
}

export interface CollectOptions {
  /** Batches that the broker may hand over before they are acknowledged. */
  readonly prefetch: number
  /** @default 'clew.collect' */
  readonly queue?: string | undefined
}

/** How much lies in a collect queue. */
export interface CollectBacklog {
  /** Batches that no collector has been handed. */
  readonly batches: number
  /** Collectors that take from it. */
  readonly collectors: number
  /** Batches that no collector could take, in the queue with `dead-` before its name. */
  readonly dead: number
}

/**
 * Brings batches of packets to collectors: by a durable queue of the broker, which is there before any
 * collector has ever run, and from which any number of them take.
 */
export interface CollectQueue {
  /** Hands a batch to the broker. Never rejects and never waits for a connection. */
  hand(batch: Uint8Array, options: HandOptions): Promise<Handed>
  /**
   * Takes batches until stopped, each acknowledged when `take` has resolved: it is durable elsewhere, or
   * not wanted. Where it rejects the batch goes back to the queue, a second later; the broker puts into
   * another queue, its name with `dead-` before it, what has gone back fifty times.
   * @throws ConfigError when the queue exists with other properties; RpcError `disconnected`
   */
  consume(
    take: (batch: Uint8Array, redelivered: boolean) => Promise<void>,
    options: CollectOptions,
  ): Promise<Consumer>
  /**
   * How much lies in the queue; undefined where there is none: nobody has sent or collected here yet.
   * @throws RpcError `disconnected`
   * @param queue its name. @default 'clew.collect'
   */
  backlog(queue?: string): Promise<CollectBacklog | undefined>
}
