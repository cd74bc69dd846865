/** Packets in the order in which they came, with what they hold; nothing is allocated for one of them. */
export class PacketQueue {
  #packets: (Uint8Array | undefined)[] = []
  #calls: number[] = []
  #head = 0
  /** Of all packets in it. */
  bytes = 0
  calls = 0

  get length(): number {
    return this.#packets.length - this.#head
  }

  /** Length of the first packet in bytes; 0 where there is none. */
  get nextBytes(): number {
    return this.#packets[this.#head]?.length ?? 0
  }

  /** Calls in the first packet; 0 where there is none. */
  get nextCalls(): number {
    return this.length === 0 ? 0 : this.#calls[this.#head]!
  }

  push(packet: Uint8Array, calls: number): void {
    this.#packets.push(packet)
    this.#calls.push(calls)
    this.bytes += packet.length
    this.calls += calls
  }

  shift(): Uint8Array | undefined {
    const packet = this.#packets[this.#head]
    if (packet === undefined) return undefined
    this.bytes -= packet.length
    this.calls -= this.#calls[this.#head]!
    this.#packets[this.#head++] = undefined
    if (this.#head >= 1024 && this.#head * 2 >= this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head)
      this.#calls = this.#calls.slice(this.#head)
      this.#head = 0
    }
    return packet
  }
}
