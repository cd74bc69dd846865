import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { textOf } from './utf8.ts'

/** A field of a message, its value not read yet. */
export class Fields {
  readonly #reader: BinaryReader
  /** Number of the field. */
  number = 0
  #type: WireType = WireType.Varint
  #read = true

  constructor(bytes: Uint8Array) {
    this.#reader = new BinaryReader(bytes, textOf)
  }

  /**
   * Goes on to the next field; false at the end.
   * @throws when the bytes are no message; so do all others
   */
  next(): boolean {
    if (!this.#read) this.#reader.skip(this.#type, this.number)
    if (this.#reader.pos >= this.#reader.len) return false
    const [number, type] = this.#reader.tag()
    this.number = number
    this.#type = type
    this.#read = false
    return true
  }

  bytes(): Uint8Array {
    return this.#take(WireType.LengthDelimited).bytes()
  }

  text(): string {
    return this.#take(WireType.LengthDelimited).string()
  }

  /** A 64-bit integer as a number where that is exact, else as text. */
  int64(): number | string {
    const value = this.#take(WireType.Varint).int64()
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }

  int32(): number {
    return this.#take(WireType.Varint).int32()
  }

  bool(): boolean {
    return this.#take(WireType.Varint).bool()
  }

  double(): number {
    return this.#take(WireType.Bit64).double()
  }

  /** The low and the high half of 64 bits, neither of which loses digits. */
  halves(): readonly [low: number, high: number] {
    const reader = this.#take(WireType.Bit64)
    return [reader.fixed32(), reader.fixed32()]
  }

  #take(type: WireType): BinaryReader {
    if (this.#type !== type) throw new TypeError(`field ${this.number} is of another type`)
    this.#read = true
    return this.#reader
  }
}
