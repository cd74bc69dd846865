import type { CallTree } from 'clew/trace'

/** `1 call`, `12,345 calls`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** `12,345`: the same everywhere, whatever the machine's language. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `26 %`; `< 1 %` for what is too little to be one. */
export function percent(part: number, whole: number): string {
  if (!(whole > 0) || !Number.isFinite(part)) return '0 %'
  const share = (part * 100) / whole
  return share > 0 && share < 1 ? '< 1 %' : `${Math.round(share)} %`
}

/** What an outsider called the trace in which it asked; nothing where there was none. */
export function foreignOf({ root }: CallTree): string | undefined {
  return root.foreign === undefined ? undefined : `asked from trace ${root.foreign.trace}`
}

/** `2026-11-22 21:42:21.408 UTC`; undefined for what is no time of this age. */
export function utc(timeMs: number): string | undefined {
  // Recordings without a wall clock count from zero: the first day of 1970 is nobody's trace.
  if (!(timeMs > 86_400_000) || timeMs > 8.64e15) return undefined
  return `${new Date(timeMs).toISOString().replace('T', ' ').replace('Z', '')} UTC`
}
