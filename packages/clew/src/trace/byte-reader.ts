import { hexAt } from './ids.ts'
import { decodeText } from './text.ts'

/**
 * Reads within bounds. After a read that does not fit `bad` is true and every further read gives 0
 * or the empty string, so that a caller checks once per item instead of once per field.
 */
export class ByteReader {
  bytes: Uint8Array
  at: number
  end: number
  bad = false

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  byte(): number {
    if (this.bad || this.at >= this.end) {
      this.bad = true
      return 0
    }
    return this.bytes[this.at++]!
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < 8; index++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return this.bad ? 0 : value
      }
      scale *= 0x80
    }
    this.bad = true
    return 0
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Passes over `size` bytes and gives the position of the first. */
  skip(size: number): number {
    const start = this.at
    if (this.bad || size > this.end - start) {
      this.bad = true
      return start
    }
    this.at = start + size
    return start
  }

  id(size: number): string {
    const start = this.skip(size)
    return this.bad ? '' : hexAt(this.bytes, start, size)
  }

  /** @param before whose first `shared` characters come first */
  text(before = '', shared = 0): string {
    const size = this.varint()
    const start = this.skip(size)
    return this.bad ? '' : decodeText(this.bytes, start, start + size, before, shared)
  }
}
