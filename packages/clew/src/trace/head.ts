import { ByteReader } from './byte-reader.ts'
import { BLOCK_MAGIC, MAX_MESSAGE_BYTES, VERSION } from './format.ts'
import { decodeText, isAscii } from './text.ts'

/** More calls than bytes cannot be: a count that says so is not believed. */
export const believable = (calls: number, bytes: number) => Math.min(calls, bytes)

/** Version of a block, 0 where the bytes are none. */
export function blockVersion(block: Uint8Array): number {
  const first = block.length > 0 ? block[0]! : 0
  return (first & 0xf0) === BLOCK_MAGIC ? first & 0x0f : 0
}

/**
 * How many calls a block says it holds below its own; undefined when it is damaged. Works for every
 * version: length and count stand at the same place in all of them.
 */
export function blockCalls(block: Uint8Array): number | undefined {
  if (blockVersion(block) === 0) return undefined
  const reader = new ByteReader(block, 1)
  const length = reader.varint()
  const start = reader.at
  const calls = Math.floor(reader.varint() / 2)
  if (reader.bad || length !== block.length - start) return undefined
  return believable(calls, block.length)
}

/**
 * What the caller of a block's callee looks at: everything before the opaque remainder, in the form
 * in which a reply brings it. Made to be filled again and again, so that a call allocates nothing.
 */
export class BlockHead {
  calls = 0
  worst = 0
  own = 0
  /** Levels of blocks within this one, itself included. */
  depth = 1
  pid = 0
  receiveUs = 0
  /** Where the opaque remainder begins. */
  rest = 0
  #reader = new ByteReader(new Uint8Array(0))
  #hostAt = 0
  #hostEnd = 0
  #serviceAt = 0
  #serviceEnd = 0
  #methodAt = 0
  #methodEnd = 0

  /** False when the block is damaged, too long or of another version. */
  fill(block: Uint8Array): boolean {
    if (blockVersion(block) !== VERSION || block.length > MAX_MESSAGE_BYTES) return false
    const reader = this.#reader
    reader.bytes = block
    reader.at = 1
    reader.end = block.length
    reader.bad = false
    const length = reader.varint()
    if (length !== block.length - reader.at) return false
    const count = reader.varint()
    const status = count % 2 === 1 ? reader.byte() : 0
    this.calls = believable(Math.floor(count / 2), block.length)
    this.worst = status >> 4
    this.own = status & 0x0f
    this.depth = Math.min(reader.varint(), block.length)
    this.#hostEnd = this.#text()
    this.#hostAt = this.#start
    this.pid = reader.varint()
    this.#serviceEnd = this.#text()
    this.#serviceAt = this.#start
    this.#methodEnd = this.#text()
    this.#methodAt = this.#start
    this.receiveUs = reader.varint()
    this.rest = reader.at
    return !reader.bad
  }

  #start = 0

  #text(): number {
    const size = this.#reader.varint()
    this.#start = this.#reader.skip(size)
    return this.#start + size
  }

  hostIs(host: string): boolean {
    return isAscii(this.#reader.bytes, this.#hostAt, this.#hostEnd, host)
  }

  /** The host; `likely` itself where it is that, which saves making a string. */
  host(likely: string): string {
    return this.hostIs(likely)
      ? likely
      : decodeText(this.#reader.bytes, this.#hostAt, this.#hostEnd)
  }

  service(likely: string): string {
    return isAscii(this.#reader.bytes, this.#serviceAt, this.#serviceEnd, likely)
      ? likely
      : decodeText(this.#reader.bytes, this.#serviceAt, this.#serviceEnd)
  }

  method(likely: string): string {
    return isAscii(this.#reader.bytes, this.#methodAt, this.#methodEnd, likely)
      ? likely
      : decodeText(this.#reader.bytes, this.#methodAt, this.#methodEnd)
  }

  /** Lets the bytes go: the head outlives the block. */
  clear(): void {
    this.#reader.bytes = NOTHING
  }
}

const NOTHING = new Uint8Array(0)
