export interface Consumer {
  /** Takes no new requests; resolves when those taken already have been answered and acknowledged. */
  stop(): Promise<void>
}
