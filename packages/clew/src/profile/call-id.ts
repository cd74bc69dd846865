import type { Call } from '../call/index.ts'

/** A call's id in the trace: the last 8 bytes of its correlation id, as 16 hex digits. */
export function callIdOf(call: Call): string {
  return shortId(call.id)
}

/** Where the second half of a UUID begins, and the dash within it. */
const HALF_AT = 19
const DASH_AT = 23
const UUID_LENGTH = 36

/** Peers may use correlation ids that are no UUIDs; those are hashed to 8 bytes. */
export function shortId(correlationId: string): string {
  if (!endsAsUuid(correlationId)) return hash(correlationId)
  const half = correlationId.slice(HALF_AT, DASH_AT) + correlationId.slice(DASH_AT + 1)
  return isLowerCase(half) ? half : half.toLowerCase()
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

/** By character code. */
const LOWER = 1
const UPPER = 2
const KINDS = new Uint8Array(128)
for (const digit of '0123456789abcdef') KINDS[digit.charCodeAt(0)] = LOWER
for (const digit of 'ABCDEF') KINDS[digit.charCodeAt(0)] = UPPER

/** Every call has one: its digits are looked at one by one, where a pattern would cost more. */
function endsAsUuid(id: string): boolean {
  if (id.length !== UUID_LENGTH || id[HALF_AT - 1] !== '-' || id[DASH_AT] !== '-') return false
  for (let at = HALF_AT; at < UUID_LENGTH; at++) {
    if (at !== DASH_AT && !KINDS[id.charCodeAt(at)]) return false
  }
  return true
}

function isLowerCase(digits: string): boolean {
  for (let at = 0; at < digits.length; at++)
    if (KINDS[digits.charCodeAt(at)] === UPPER) return false
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
