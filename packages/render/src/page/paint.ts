import { inkOn, paler, serviceColors } from '../svg/palette.ts'
import type { Calls } from './calls.ts'

/** Colours of what is drawn, from the style sheet, so that both themes are decided in one place. */
export interface Paint {
  readonly ink: string
  readonly quiet: string
  readonly paper: string
  readonly stripe: string
  readonly grid: string
  readonly gap: string
  readonly path: string
  readonly failure: string
  readonly focus: string
  readonly colorOf: (row: number) => string
  readonly inkOn: (color: string) => string
  /** Behind failed calls: told by lines, not by colour alone. */
  readonly hatch: (pen: CanvasRenderingContext2D, color: string) => CanvasPattern | string
}

const dark = window.matchMedia('(prefers-color-scheme: dark)')

export function onThemeChange(told: () => void): void {
  dark.addEventListener('change', told)
}

export function paintOf(calls: Calls): Paint {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim() || '#777777'
  const gap = read('gap')
  const names = calls.trace.ranking.map(String)
  const hues = serviceColors(names)
  // The hues were chosen for white paper; on black they need light.
  const hueOf = (service: string) => (dark.matches ? paler(hues(service), 0.28) : hues(service))
  const colors = new Map<number, string>()
  const hatches = new Map<string, CanvasPattern | string>()
  return {
    ...{ ink: read('ink'), quiet: read('quiet'), paper: read('paper'), stripe: read('stripe') },
    ...{ grid: read('grid'), gap, path: read('path'), failure: read('failure') },
    focus: read('focus'),
    inkOn,
    colorOf(row) {
      if (calls.column.kind[row] !== 0 || calls.has('placeholder', row)) return gap
      const service = calls.column.service[row]!
      const known = colors.get(service) ?? hueOf(String(service))
      colors.set(service, known)
      return known
    },
    hatch(pen, color) {
      const known = hatches.get(color) ?? hatchOf(pen, color)
      hatches.set(color, known)
      return known
    },
  }
}

function hatchOf(pen: CanvasRenderingContext2D, color: string): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = 6
  tile.height = 6
  const tilePen = tile.getContext('2d')!
  tilePen.strokeStyle = color
  tilePen.lineWidth = 2
  tilePen.beginPath()
  for (const from of [-6, 0, 6]) {
    tilePen.moveTo(from, 6)
    tilePen.lineTo(from + 6, 0)
  }
  tilePen.stroke()
  return pen.createPattern(tile, 'repeat') ?? color
}
