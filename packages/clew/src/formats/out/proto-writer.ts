import { ByteWriter } from '../../trace/byte-writer.ts'
import { putCodePoint } from '../../trace/text.ts'

const VARINT = 0
const BITS_64 = 1
const LENGTH = 2

/** Writes protobuf's wire format: the few kinds of fields that OTLP has. */
export class ProtoWriter {
  #out = new ByteWriter(256)

  /** What was written, as bytes of its own. */
  take(): Uint8Array {
    const taken = this.#out.buffer.slice(0, this.#out.at)
    this.#out.at = 0
    return taken
  }

  uint(field: number, value: number): void {
    this.#tag(field, VARINT)
    this.#out.varint(value)
  }

  /** Of either sign; negative ones take ten bytes, as protobuf has it. */
  int64(field: number, value: number): void {
    this.#tag(field, VARINT)
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 0x7fn; rest >>= 7n) this.#out.byte(Number(rest & 0x7fn) | 0x80)
    this.#out.byte(Number(rest))
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, BITS_64)
    for (let shift = 0n; shift < 64n; shift += 8n) this.#out.byte(Number((value >> shift) & 0xffn))
  }

  double(field: number, value: number): void {
    const bits = new DataView(new ArrayBuffer(8))
    bits.setFloat64(0, value)
    this.fixed64(field, bits.getBigUint64(0))
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, LENGTH)
    this.#out.varint(value.length)
    this.#out.bytes(value, 0, value.length)
  }

  text(field: number, value: string): void {
    this.bytes(field, utf8(value))
  }

  /** An id given in hex. */
  id(field: number, hex: string): void {
    const bytes = new Uint8Array(hex.length / 2)
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16)
    }
    this.bytes(field, bytes)
  }

  #tag(field: number, type: number): void {
    this.#out.varint(field * 8 + type)
  }
}

function utf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3)
  let end = 0
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at)!
    if (point > 0xffff) at++
    end = putCodePoint(bytes, end, point)
  }
  return bytes.subarray(0, end)
}
