import type { Call } from '../call/index.ts'

/** A call's id in the trace: the last 8 bytes of its correlation id, as 16 hex digits. */
export function callIdOf(call: Call): string {
  return shortId(call.id)
}

/** Where the second half of a UUID begins, and the dash within it. */
const HALF_AT = 19
const DASH_AT = 23
const UUID_LENGTH = 36

const half = Buffer.alloc(16)

/** Peers may use correlation ids that are no UUIDs; those are hashed to 8 bytes. */
export function shortId(correlationId: string): string {
  if (!endsAsUuid(correlationId)) return hash(correlationId)
  putHalf(half, 0, correlationId)
  return half.toString('latin1')
}

/** Writes the 16 digits that a UUID ends in, in lower case. */
export function putHalf(text: Uint8Array, at: number, uuid: string): void {
  for (let index = 0; index < 4; index++) text[at + index] = uuid.charCodeAt(HALF_AT + index) | 0x20
  for (let index = 4; index < 16; index++) {
    text[at + index] = uuid.charCodeAt(HALF_AT + index + 1) | 0x20
  }
}

/** True when an id in the trace, 16 digits in lower case, is the one of a correlation id. */
export function isIdOf(id: string, correlationId: string): boolean {
  if (correlationId.length !== UUID_LENGTH) return id === hash(correlationId)
  for (let index = 0; index < 16; index++) {
    const at = HALF_AT + index + (index < 4 ? 0 : 1)
    if (id.charCodeAt(index) !== correlationId.charCodeAt(at)) return id === shortId(correlationId)
  }
  return correlationId[HALF_AT - 1] === '-' && correlationId[DASH_AT] === '-'
}

/** By character code: 1 for a digit of hex. */
const DIGITS = new Uint8Array(128)
for (const digit of '0123456789abcdefABCDEF') DIGITS[digit.charCodeAt(0)] = 1

/** Every call has one: its digits are looked at one by one, where a pattern would cost more. */
export function endsAsUuid(id: string): boolean {
  if (id.length !== UUID_LENGTH || id[HALF_AT - 1] !== '-' || id[DASH_AT] !== '-') return false
  for (let at = HALF_AT; at < UUID_LENGTH; at++) {
    if (at !== DASH_AT && DIGITS[id.charCodeAt(at)] !== 1) return false
  }
  return true
}

/** FNV-1a over UTF-16 units, 64 bits in two halves with different seeds. Never all zeroes. */
function hash(text: string): string {
  let high = 0x811c9dc5
  let low = 0x01000193
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ unit, 0x85ebca6b) + high
  }
  return hex(high | 1) + hex(low)
}

function hex(number: number): string {
  return (number >>> 0).toString(16).padStart(8, '0')
}
