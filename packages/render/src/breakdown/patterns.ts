import type { Layer } from 'clew/trace'
import { element, rect } from '../svg/markup.ts'
import { COLOR, paler } from '../svg/palette.ts'

/** How much white is in the ground of each layer, and what is drawn on it: told without the colour. */
const GROUNDS: Readonly<Record<Layer, number>> = {
  self: 0,
  db: 0.55,
  cache: 0.55,
  queue: 0.78,
  rpc: 1,
}

/** The colour behind a layer's pattern. */
export const groundOf = (color: string, layer: Layer | undefined) =>
  layer === undefined ? COLOR.gapGround : paler(color, GROUNDS[layer])

const idOf = (color: string, layer: Layer) => `clew-${layer}-${color.slice(1)}`

/** What a part of a layer is filled with. */
export function fillOf(color: string, layer: Layer | undefined): string {
  if (layer === undefined || layer === 'self' || layer === 'queue') return groundOf(color, layer)
  return `url(#${idOf(color, layer)})`
}

/** The patterns of these colours: hatching for databases, dots for caches, bars for the unknown. */
export function layerPatterns(colors: readonly string[], layers: readonly Layer[]): string {
  const all = [...new Set(colors)].flatMap((color) =>
    layers.flatMap((layer) => {
      const sign = signOf(color, layer)
      if (sign === undefined) return []
      const size = { width: 6, height: 6, patternUnits: 'userSpaceOnUse' }
      const turned = layer === 'db' ? { patternTransform: 'rotate(45)' } : {}
      const ground = rect({ x: 0, y: 0, width: 6, height: 6 }, { fill: groundOf(color, layer) })
      return [element('pattern', { id: idOf(color, layer), ...size, ...turned }, ground + sign)]
    }),
  )
  return element('defs', {}, all.join(''))
}

function signOf(color: string, layer: Layer): string | undefined {
  switch (layer) {
    case 'db':
      return rect({ x: 0, y: 0, width: 2.5, height: 6 }, { fill: color })
    case 'cache':
      return [1.5, 4.5]
        .map((at) => element('circle', { cx: at, cy: at, r: 1.15, fill: color }))
        .join('')
    case 'rpc':
      return rect({ x: 0, y: 0, width: 1.5, height: 6 }, { fill: color })
    default:
      return undefined
  }
}
