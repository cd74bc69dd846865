/**
 * A duration for people, three significant digits: `486 ms`, `12.3 ms`, `5.70 ms`, `850 µs`, `1.23 s`.
 * Microseconds have no decimals, since no clock here is finer. What is no number becomes `?`.
 */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined || Number.isNaN(ms)) return '?'
  if (ms < 0) return `-${formatMs(-ms)}`
  if (ms === 0) return '0 ms'
  const microseconds = Math.round(ms * 1000)
  if (microseconds < 1000) return `${microseconds} µs`
  // Rounding may carry into the next unit: 999.9 ms are 1.00 s.
  if (ms < 999.5) return `${digits(ms)} ms`
  return `${digits(ms / 1000)} s`
}

function digits(value: number): string {
  if (value < 9.995) return value.toFixed(2)
  if (value < 99.95) return value.toFixed(1)
  return value.toFixed(0)
}

/** A share for people: `62 %`, `3.4 %`, `< 0.1 %`. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (!(percent > 0)) return '0 %'
  if (percent < 0.1) return '< 0.1 %'
  return `${percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`
}
