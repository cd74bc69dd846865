/** Character codes of the digits of each byte. */
const HIGH = new Uint8Array(256)
const LOW = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) {
  HIGH[byte] = (byte >> 4).toString(16).charCodeAt(0)
  LOW[byte] = (byte & 15).toString(16).charCodeAt(0)
}

/** Value of a hex digit by character code, 16 for everything else. */
const DIGITS = new Uint8Array(256).fill(16)
for (let digit = 0; digit < 16; digit++) {
  const lower = digit.toString(16)
  DIGITS[lower.charCodeAt(0)] = digit
  DIGITS[lower.toUpperCase().charCodeAt(0)] = digit
}

/**
 * Writes an id of `size` bytes given in hex. Anything else is hashed, the same on every side, so
 * that a stranger's id still joins the entries of its call. Returns the position behind it.
 */
export function putId(bytes: Uint8Array, at: number, id: string, size: number): number {
  if (id.length !== size * 2) return putHash(bytes, at, id, size)
  for (let index = 0; index < size; index++) {
    const high = DIGITS[id.charCodeAt(index * 2) & 0xff]!
    const low = DIGITS[id.charCodeAt(index * 2 + 1) & 0xff]!
    if (high > 15 || low > 15) return putHash(bytes, at, id, size)
    bytes[at + index] = (high << 4) | low
  }
  return at + size
}

/** FNV-1a of 32 bits, seeded by position: it has to be stable, not strong. */
function putHash(bytes: Uint8Array, at: number, id: string, size: number): number {
  for (let word = 0; word < size; word += 4) {
    let hash = 0x811c9dc5 ^ word
    for (let index = 0; index < id.length; index++) {
      hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
    }
    for (let byte = 0; byte < 4; byte++) bytes[at + word + byte] = (hash >>> (byte * 8)) & 0xff
  }
  return at + size
}

/** Reads an id of `size` bytes, a multiple of eight, as hex. */
export function hexAt(bytes: Uint8Array, at: number, size: number): string {
  let id = ''
  for (let index = at; index < at + size; index += 8) id += hexOfEight(bytes, index)
  return id
}

/** All digits at once: a string put together byte by byte is copied before it can be looked up. */
function hexOfEight(bytes: Uint8Array, at: number): string {
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!]
  const [e, f, g, h] = [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!]
  // biome-ignore format: two digits of each byte.
  return String.fromCharCode(
    HIGH[a]!, LOW[a]!, HIGH[b]!, LOW[b]!, HIGH[c]!, LOW[c]!, HIGH[d]!, LOW[d]!,
    HIGH[e]!, LOW[e]!, HIGH[f]!, LOW[f]!, HIGH[g]!, LOW[g]!, HIGH[h]!, LOW[h]!,
  )
}

/** The id as it comes back from a block: hex in lower case, or the hash of what is not hex. */
export function normalId(id: string, size: number): string {
  const bytes = new Uint8Array(size)
  putId(bytes, 0, id, size)
  return hexAt(bytes, 0, size)
}
