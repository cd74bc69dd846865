import type { Place } from '../outline/place.ts'
import { workOf } from '../outline/work.ts'

/** Half a column: nothing, in total, at work. */
type Half = 0 | 1 | 2

/** Left half and right half of a column, as `left * 3 + right`. */
const UNICODE = [' ', '╶', '╺', '╴', '─', '╼', '╸', '╾', '━'] as const
const ASCII = [' ', '-', '=', '-', '-', '=', '=', '=', '='] as const

/** Where in the trace a place lies: a thin line for its total, a thick one while its callee worked. */
export function strip(
  place: Place,
  scale: { readonly fromMs: number; readonly toMs: number },
  options: { readonly width: number; readonly unicode: boolean },
): string {
  const halves = new Array<Half>(options.width * 2).fill(0)
  if (place.kind === 'missing') return ' '.repeat(options.width)
  fill(halves, scale, [place.offsetMs, place.endMs], 1)
  for (const work of workOf(place)) fill(halves, scale, work, 2)
  const signs = options.unicode ? UNICODE : ASCII
  return Array.from(
    { length: options.width },
    (_, column) => signs[halves[column * 2]! * 3 + halves[column * 2 + 1]!],
  ).join('')
}

function fill(
  halves: Half[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  [from, to]: readonly [number, number],
  half: Half,
): void {
  const lengthMs = toMs - fromMs
  const at = (ms: number) => (lengthMs > 0 ? ((ms - fromMs) / lengthMs) * halves.length : 0)
  const first = Math.min(halves.length - 1, Math.max(0, Math.floor(at(from) + 1e-6)))
  const end = Math.min(halves.length, Math.max(first + 1, Math.ceil(at(to) - 1e-6)))
  halves.fill(half, first, end)
}
