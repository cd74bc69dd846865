import type { Call } from '../call/index.ts'

/** The second half of a UUID, where its shape has been looked at already. */
const HALF = /^[0-9a-f]{4}-[0-9a-f]{12}$/u

/** A call's id in the trace: the last 8 bytes of its correlation id, as 16 hex digits. */
export function callIdOf(call: Call): string {
  return shortId(call.id)
}

/** Peers may use correlation ids that are no UUIDs; those are hashed to 8 bytes. */
export function shortId(correlationId: string): string {
  if (correlationId.length !== 36 || correlationId[18] !== '-') return hash(correlationId)
  const half = correlationId.slice(19).toLowerCase()
  return HALF.test(half) ? half.slice(0, 4) + half.slice(5) : hash(correlationId)
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
