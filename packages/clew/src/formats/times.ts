/** Beyond, no calendar has a date (ECMAScript's `Date`), and no clock was right. */
const MAX_MS = 8.64e15

const believable = (ms: number) => (Math.abs(ms) <= MAX_MS ? ms : undefined)

/** A number as others write it: as such, or as text, because JSON's numbers are not exact everywhere. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !/^\s*[-+]?\d+(\.\d+)?\s*$/.test(value)) return undefined
  return Number(value)
}

/** Milliseconds from microseconds; undefined where it is no number, or none that a clock can show. */
export function microsToMs(value: unknown): number | undefined {
  const micros = numberOf(value)
  return micros === undefined ? undefined : believable(micros / 1_000)
}

/**
 * Milliseconds since 1970 from nanoseconds. A double has no room for today's nanoseconds (it counts
 * them by 256), so text is cut before it becomes a number, and a number is taken to be that of the
 * microsecond next to it.
 * @returns undefined where it is no number, and for 0, which stands for "not told"
 */
export function nanosToMs(value: unknown): number | undefined {
  if (typeof value === 'number') {
    return value > 0 ? believable(Math.round(value / 1_000) / 1_000) : undefined
  }
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) return undefined
  return msOf(Number(value.slice(0, -3)), Number(value.slice(-3)))
}

/** The same of a 64-bit number in two halves, as protobuf has it. */
export function halvesToMs(low: number, high: number): number | undefined {
  const rest = (high % 1_000) * 2 ** 32 + low
  const micros = Math.floor(high / 1_000) * 2 ** 32 + Math.floor(rest / 1_000)
  return msOf(micros, rest % 1_000)
}

const msOf = (micros: number, nanos: number) =>
  micros === 0 && nanos === 0 ? undefined : believable((micros + nanos / 1_000) / 1_000)
