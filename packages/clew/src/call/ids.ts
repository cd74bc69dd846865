/**
 * Ids from pooled randomness: one system call fills 4 KiB, which serves 256 ids. `randomUUID` a call
 * costs several times as much.
 */
const POOL_BYTES = 4096
const pool = new Uint8Array(POOL_BYTES)
let used = POOL_BYTES
let fill = randomly

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Where the digits of a UUID's 16 bytes stand in its text. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)
// One text of each kind, written anew for each id and copied out: made of 16 pieces, a string is
// put together again by whoever reads it.
const uuid = Buffer.from('00000000-0000-4000-8000-000000000000', 'latin1')
const half = Buffer.alloc(16)

/** A random version 4 UUID, as Nameko's correlation ids are. */
export function newCallId(): string {
  const at = take(16)
  for (let index = 0; index < 16; index++) putByte(uuid, PLACES[index]!, pool[at + index]!)
  uuid[14] = 0x34 // version 4
  uuid[19] = DIGITS[((pool[at + 8]! >> 4) & 0x3) | 0x8]!
  return uuid.toString('latin1')
}

/** Eight random bytes as 16 hex digits. */
export function newHalfId(): string {
  const at = take(8)
  for (let index = 0; index < 8; index++) putByte(half, index * 2, pool[at + index]!)
  return half.toString('latin1')
}

/** Ids that begin alike: 16 given hex digits, then 16 random ones. */
export class SharedIds {
  readonly #text: Buffer

  /** @param shared 16 hex digits */
  constructor(shared: string) {
    this.#text = Buffer.from(shared.slice(0, 16).padEnd(32, '0'), 'latin1')
  }

  /** 32 hex digits. */
  next(): string {
    const at = take(8)
    for (let index = 0; index < 8; index++) putByte(this.#text, 16 + index * 2, pool[at + index]!)
    return this.#text.toString('latin1')
  }
}

function putByte(text: Uint8Array, at: number, byte: number): void {
  text[at] = DIGITS[byte >> 4]!
  text[at + 1] = DIGITS[byte & 0xf]!
}

function take(bytes: number): number {
  if (used + bytes > POOL_BYTES) {
    fill(pool)
    used = 0
  }
  const at = used
  used += bytes
  return at
}

function randomly(bytes: Uint8Array<ArrayBuffer>): void {
  globalThis.crypto.getRandomValues(bytes)
}

/**
 * Makes ids from other bytes than random ones, in this process, from the next id on; for tests. Ids
 * are drawn from a full pool, so who asks for one is not slowed by it.
 * @returns undoes it
 */
export function drawIdsFrom(source: (bytes: Uint8Array<ArrayBuffer>) => void): () => void {
  const before = fill
  fill = source
  used = POOL_BYTES
  return () => {
    fill = before
    used = POOL_BYTES
  }
}
