/** Who sends batches: one process, from its start to its end. */
export interface Sender {
  /** For people: name of the program or its services. */
  readonly name: string
  readonly host: string
  readonly pid: number
  /** 16 hex digits, random, fixed per sink. */
  readonly instance: string
}

/** What a sink hands to a collector at a time: packets, and what became of all that it was given. */
export interface Batch {
  /** 32 hex digits; the same when it is sent again. */
  readonly id: string
  readonly sender: Sender
  /** Calls taken by the sink since it began. */
  readonly taken: number
  /** Of those, calls that were dropped and will not come, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Bytes of packets. */
  readonly packets: readonly Uint8Array[]
}
