/**
 * Ids from pooled randomness: one system call fills 4 KiB, which serves 256 ids. `randomUUID` a call
 * costs several times as much.
 */
const POOL_BYTES = 4096
const pool = new Uint8Array(POOL_BYTES)
let used = POOL_BYTES
let fill = randomly

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** A random version 4 UUID, as Nameko's correlation ids are. */
export function newCallId(): string {
  const at = take(16)
  return (
    `${hex(at)}${hex(at + 1)}${hex(at + 2)}${hex(at + 3)}-${hex(at + 4)}${hex(at + 5)}-` +
    `${HEX[(pool[at + 6]! & 0x0f) | 0x40]}${hex(at + 7)}-${HEX[(pool[at + 8]! & 0x3f) | 0x80]}${hex(at + 9)}-` +
    `${hex(at + 10)}${hex(at + 11)}${hex(at + 12)}${hex(at + 13)}${hex(at + 14)}${hex(at + 15)}`
  )
}

/** Eight random bytes as 16 hex digits. */
export function newHalfId(): string {
  const at = take(8)
  return (
    hex(at) +
    hex(at + 1) +
    hex(at + 2) +
    hex(at + 3) +
    hex(at + 4) +
    hex(at + 5) +
    hex(at + 6) +
    hex(at + 7)
  )
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

function hex(at: number): string {
  return HEX[pool[at]!]!
}
