import { element, rounded } from './markup.ts'

export type MarkShape = 'circle' | 'square' | 'triangle' | 'diamond' | 'ring'

/** What tells values from others, beside their labels. */
export interface Mark {
  /** Stem of the CSS classes that colour it. */
  readonly name: string
  readonly marker: MarkShape
}

/** Marks of one kind at some places, as one path. @param size times the size it has on lines */
export function marks(
  { name, marker }: Mark,
  places: readonly (readonly [x: number, y: number])[],
  size = 1,
): string {
  return element('path', {
    d: places.map(([x, y]) => outline(marker, x, y, size)).join(''),
    class: `${marker === 'ring' ? 'hollow' : 'solid'} ${name}`,
  })
}

function outline(shape: MarkShape, x: number, y: number, size: number): string {
  const at = (dx: number, dy: number) => `${rounded(x + size * dx)} ${rounded(y + size * dy)}`
  const [side, radius] = [rounded(5.2 * size), rounded(2.8 * size)]
  switch (shape) {
    case 'square':
      return `M${at(-2.6, -2.6)}h${side}v${side}h-${side}z`
    case 'triangle':
      return `M${at(0, -3.4)}L${at(3.3, 2.6)}L${at(-3.3, 2.6)}z`
    case 'diamond':
      return `M${at(0, -3.6)}L${at(3.6, 0)}L${at(0, 3.6)}L${at(-3.6, 0)}z`
    default: {
      const across = rounded(5.6 * size)
      const half = `a${radius} ${radius} 0 1 0`
      return `M${at(-2.8, 0)}${half} ${across} 0${half} -${across} 0z`
    }
  }
}
