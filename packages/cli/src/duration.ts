import { usageFault } from './fault.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** The longest time a timer can wait: 2^31 - 1 ms, almost 25 days. */
const LONGEST_MS = 2_147_483_647

/**
 * `500ms`, `2s`, `1.5m`, `1h`, or plain milliseconds.
 * @returns milliseconds
 * @throws Fault when it is no such time, not above zero, or too long for a timer
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|)$/.exec(text.trim())
  const ms = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!]!
  if (!(ms > 0 && ms <= LONGEST_MS)) {
    throw usageFault(`${JSON.stringify(text)} is no time above zero; write 500ms, 2s, 1.5m or 1h`)
  }
  return ms
}
