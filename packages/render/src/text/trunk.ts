import type { Place } from '../outline/place.ts'

/** The lines of a tree before a name: heavy along the slowest path. */
export interface Trunk {
  readonly text: string
  /** Columns at its end that are heavy, being the way to this place. */
  readonly heavy: number
}

interface Signs {
  /** Beside later siblings; heavy when the slowest path is among them. */
  readonly down: readonly [string, string]
  /** To a place that has later siblings: light, past a heavy line, heavy. */
  readonly branch: readonly [string, string, string]
  /** To a last one: light, heavy. */
  readonly last: readonly [string, string]
  readonly more: string
}

const UNICODE: Signs = {
  down: ['│  ', '┃  '],
  branch: ['├─ ', '┠─ ', '┣━ '],
  last: ['└─ ', '┗━ '],
  more: '⋯',
}

const ASCII: Signs = {
  down: ['|  ', '|  '],
  branch: ['+- ', '+- ', '+= '],
  last: ["'- ", "'= "],
  more: '..',
}

/**
 * Draws the lines before each place of an outline, which must be asked in its order. Only the last
 * `levels` levels are drawn; what is deeper has the number of its level in front.
 */
export function trunks(
  levels: number,
  unicode: boolean,
): (place: Place, level: number, siblings: readonly Place[]) => Trunk {
  const signs = unicode ? UNICODE : ASCII
  const passing: string[] = []
  return (place, level, siblings) => {
    passing.length = Math.min(passing.length, level)
    if (level === 0) return { text: '', heavy: 0 }
    const later = siblings.slice(siblings.indexOf(place) + 1)
    const pathLater = later.some((sibling) => sibling.onPath)
    passing[level] = later.length === 0 ? '   ' : signs.down[pathLater ? 1 : 0]
    const from = Math.max(1, level - levels)
    const lead = from > 1 ? `${level}${signs.more} ` : ''
    const before = passing.slice(from, level).join('')
    if (later.length === 0) {
      const end = signs.last[place.onPath ? 1 : 0]
      return { text: lead + before + end, heavy: place.onPath ? 3 : 0 }
    }
    const end = signs.branch[place.onPath ? 2 : pathLater ? 1 : 0]
    return { text: lead + before + end, heavy: place.onPath ? 3 : 0 }
  }
}
