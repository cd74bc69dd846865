import { decodeText } from './text.ts'

/** Names that are told apart at a time; then everything is forgotten, and numbers begin anew. */
const MOST_NAMES = 65_536
const MOST_BYTES = 4 * 1024 * 1024
const BUCKETS = 131_072

/**
 * Names by number, each once: a name that was seen before is known by its bytes, and makes no string.
 * Bounded: between traces, `renew` forgets all when there are very many.
 */
export class Names {
  /** By number. The first is the empty name. */
  texts: string[] = ['']
  #bytes = new Uint8Array(65_536)
  #used = 0
  #starts = new Uint32Array(MOST_NAMES + 2)
  /** Number of the name that was put into a bucket last, and of the one before it in the same. */
  #heads = new Int32Array(BUCKETS)
  #nexts = new Int32Array(MOST_NAMES + 2)

  constructor() {
    this.#starts[1] = 0
  }

  /** The number of the name that these bytes are, UTF-8. */
  of(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return 0
    let hash = 0x811c9dc5
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
    const bucket = (hash ^ (hash >>> 15)) & (BUCKETS - 1)
    for (let number = this.#heads[bucket]!; number > 0; number = this.#nexts[number]!) {
      if (this.#is(number, bytes, start, end)) return number
    }
    return this.#add(bucket, bytes, start, end)
  }

  /** The bytes of a name, put at a place. Returns the end. */
  copy(number: number, length: number, into: Uint8Array, at: number): number {
    const start = this.#starts[number]!
    for (let index = 0; index < length; index++) into[at + index] = this.#bytes[start + index]!
    return at + length
  }

  /** Forgets everything when there is much. Not while numbers are in use. */
  renew(): void {
    if (this.texts.length < MOST_NAMES * 0.75 && this.#used < MOST_BYTES * 0.75) return
    this.texts = ['']
    this.#used = 0
    this.#heads.fill(0)
  }

  #is(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[number]!
    if (this.#starts[number + 1]! - from !== end - start) return false
    const known = this.#bytes
    for (let at = start, place = from; at < end; at++, place++) {
      if (known[place] !== bytes[at]) return false
    }
    return true
  }

  #add(bucket: number, bytes: Uint8Array, start: number, end: number): number {
    const number = this.texts.length
    if (number >= MOST_NAMES) return 0
    const needed = this.#used + end - start
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#used))
      this.#bytes = grown
    }
    this.#bytes.set(bytes.subarray(start, end), this.#used)
    this.#starts[number] = this.#used
    this.#used = needed
    this.#starts[number + 1] = needed
    this.texts.push(decodeText(bytes, start, end))
    this.#nexts[number] = this.#heads[bucket]!
    this.#heads[bucket] = number
    return number
  }
}
