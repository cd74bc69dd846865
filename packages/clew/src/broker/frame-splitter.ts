import { FRAME_OVERHEAD } from './amqp-frames.ts'

/** Type, channel and size come before the payload. */
const PREFIX_BYTES = 7
const NO_BYTES: Buffer = Buffer.alloc(0)

/** Takes a frame: it lies within the bytes, from `start` up to `end`, and only during the call. */
export type TakeFrame = (bytes: Buffer, start: number, end: number) => void

/**
 * Cuts what a socket reads into frames, without an object for any of them: a message has three, and most
 * reads have many messages.
 */
export class FrameSplitter {
  readonly #take: TakeFrame
  readonly #most: () => number
  /** A frame that has begun, and how much of it there is. */
  #begun: Buffer = NO_BYTES
  #filled = 0

  /** @param most bytes of the largest frame that may come */
  constructor(take: TakeFrame, most: () => number) {
    this.#take = take
    this.#most = most
  }

  /** @throws RangeError for what cannot be a frame */
  read(bytes: Buffer): void {
    let at = this.#filled > 0 ? this.#goOn(bytes) : 0
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + this.#sizeAt(bytes, at)
      if (end > bytes.length) break
      this.#take(bytes, at, end)
      at = end
    }
    if (at < bytes.length) this.#begin(bytes, at)
  }

  #sizeAt(bytes: Buffer, at: number): number {
    const size = bytes.readUInt32BE(at + 3) + FRAME_OVERHEAD
    if (size <= this.#most()) return size
    throw new RangeError(`a frame of ${size} bytes, more than agreed (${this.#most()})`)
  }

  /** Keeps the beginning of a frame. */
  #begin(bytes: Buffer, at: number): void {
    const known = bytes.length - at >= PREFIX_BYTES
    this.#begun = Buffer.allocUnsafe(known ? this.#sizeAt(bytes, at) : PREFIX_BYTES)
    this.#filled = bytes.copy(this.#begun, 0, at)
  }

  /** Adds to the frame that has begun; gives where the next one begins. */
  #goOn(bytes: Buffer): number {
    let at = this.#fill(bytes, 0)
    if (this.#begun.length === PREFIX_BYTES && this.#filled === PREFIX_BYTES) {
      const whole = Buffer.allocUnsafe(this.#sizeAt(this.#begun, 0))
      this.#begun.copy(whole)
      this.#begun = whole
      at = this.#fill(bytes, at)
    }
    if (this.#filled < this.#begun.length) return bytes.length
    const frame = this.#begun
    this.#begun = NO_BYTES
    this.#filled = 0
    this.#take(frame, 0, frame.length)
    return at
  }

  #fill(bytes: Buffer, at: number): number {
    const copied = bytes.copy(this.#begun, this.#filled, at)
    this.#filled += copied
    return at + copied
  }
}
