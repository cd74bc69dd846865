import { MAX_TEXT_BYTES } from './format.ts'
import { putId } from './ids.ts'
import { cutText, putCodePoint } from './text.ts'

/** Below this, a loop copies faster than a call into the engine. */
const SMALL_COPY = 96

/** Copies bytes between buffers without allocating for short ones. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): void {
  if (end - start > SMALL_COPY) to.set(from.subarray(start, end), at)
  else for (let index = start, place = at; index < end; index++, place++) to[place] = from[index]!
}

export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** A buffer that grows as it is written. Every method makes its own room; none throws on any value. */
export class ByteWriter {
  buffer: Uint8Array
  at = 0

  constructor(size: number) {
    this.buffer = new Uint8Array(size)
  }

  /** Makes sure that `size` more bytes can be put directly into the buffer. */
  room(size: number): void {
    const needed = this.at + size
    if (needed > this.buffer.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.at))
    this.buffer = grown
  }

  byte(value: number): void {
    this.room(1)
    this.buffer[this.at++] = value
  }

  /** A whole number from 0 to 2^53-1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.room(8)
    let rest = value
    while (rest > 0x7fffffff) {
      this.buffer[this.at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    while (rest >= 0x80) {
      this.buffer[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.at++] = rest
  }

  /** A whole number of either sign, small ones short. */
  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : value * -2 - 1)
  }

  id(id: string, size: number): void {
    this.room(size)
    this.at = putId(this.buffer, this.at, id, size)
  }

  /** Length and UTF-8 of a text from `start` on, cut where it is longer than the format allows. */
  text(text: string, start = 0): void {
    const length = text.length - start
    if (length > 0x7f) {
      this.#longText(text.slice(start))
      return
    }
    this.room(length + 1)
    const { buffer } = this
    let at = this.at
    buffer[at++] = length
    for (let index = start; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) {
        this.#longText(text.slice(start))
        return
      }
      buffer[at++] = unit
    }
    this.at = at
  }

  #longText(text: string): void {
    this.room(MAX_TEXT_BYTES + 4)
    const kept = cutText(text)
    // The length comes first and is known last: two bytes are kept free for it.
    const start = this.at + 2
    let end = start
    for (let index = 0; index < kept.length; index++) {
      const point = kept.codePointAt(index)!
      if (point > 0xffff) index++
      end = putCodePoint(this.buffer, end, point)
    }
    const size = end - start
    this.varint(size)
    this.buffer.copyWithin(this.at, start, end)
    this.at += size
  }

  bytes(from: Uint8Array, start: number, end: number): void {
    this.room(end - start)
    copyBytes(from, start, end, this.buffer, this.at)
    this.at += end - start
  }
}

const SLAB_BYTES = 16_384
const LARGEST_SHARED = 2_048

/**
 * Gives room for finished bytes. Short ones share a slab: an allocation of its own would cost more than
 * everything else that is done for a call. A slab lives as long as anything in it, so what is kept for
 * long must not share one with what is not.
 */
export function slabs(): (size: number) => Uint8Array {
  let slab = new Uint8Array(0)
  let at = 0
  return (size) => {
    if (size > LARGEST_SHARED) return new Uint8Array(size)
    if (at + size > slab.length) {
      slab = new Uint8Array(SLAB_BYTES)
      at = 0
    }
    const room = new Uint8Array(slab.buffer, at, size)
    at += size
    return room
  }
}

/** Room for blocks, which are gone when they have been sent. */
export const allocate = slabs()
