/** A mark on a time axis. */
export interface Tick {
  readonly ms: number
  readonly label: string
}

const UNITS = [
  { ms: 60_000, name: 'min' },
  { ms: 1000, name: 's' },
  { ms: 1, name: 'ms' },
  { ms: 0.001, name: 'µs' },
] as const

/** Marks at round times, about `count` of them, labelled in one unit. */
export function ticksBetween(fromMs: number, toMs: number, count: number): readonly Tick[] {
  const lengthMs = toMs - fromMs
  if (!(lengthMs > 0) || !Number.isFinite(lengthMs)) return [{ ms: fromMs, label: '0' }]
  const unit = UNITS.find(({ ms }) => lengthMs >= ms) ?? UNITS[3]
  const step = roundStep(lengthMs / unit.ms / Math.max(1, count)) * unit.ms
  const first = Math.ceil(fromMs / step - 1e-9)
  const last = Math.floor(toMs / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const ms = (first + index) * step
    const value = Number((ms / unit.ms).toPrecision(6))
    return { ms, label: value === 0 ? '0' : `${value} ${unit.name}` }
  })
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * 0.999)
  return (factor ?? 10) * power
}
