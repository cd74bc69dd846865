import type { MapPlace, SystemMap } from 'clew/trace'
import { columns, cut, padded, printable } from '../text/columns.ts'
import { painter } from '../text/paint.ts'
import { counted } from '../words.ts'
import { chooseMap, type MapChoice } from './choose-map.ts'
import {
  failing,
  KIND_WORDS,
  mapDoubts,
  mapSentences,
  observedSeconds,
  timesOf,
  volume,
} from './map-words.ts'

export interface MapTextOptions extends MapChoice {
  /** @default false */
  readonly methods?: boolean | undefined
  /** Columns of a line. @default 100 */
  readonly width?: number | undefined
  /** @default false */
  readonly color?: boolean | undefined
  /** @default true */
  readonly unicode?: boolean | undefined
}

/** The layout of a system for a terminal: what it is in words, then each place and what it calls. Lines end with `\n`. */
export function renderMapText(map: SystemMap, options: MapTextOptions = {}): string {
  const { width = 100, color = false, unicode = true, methods = false } = options
  const paint = painter(color)
  const shown = chooseMap(map, { maxPlaces: 1_000, ...options })
  const seconds = observedSeconds(map)
  const names = new Map(shown.places.map((place) => [place.id, place]))
  const say = (text: string) => printable(text, unicode)
  const longest = shown.places.reduce((most, { name }) => Math.max(most, columns(say(name))), 8)
  const nameWidth = Math.min(longest, Math.max(12, Math.floor(width * 0.4)))
  const volumeWidth = 13
  const row = (
    lead: string,
    name: string,
    place: Parameters<typeof failing>[0],
    role?: 'strong',
  ) => {
    const room = nameWidth + 6 - columns(lead)
    const fails = failing(place)
    const error = place.errors[0] === undefined ? '' : ` (${place.errors[0].error})`
    const times = say(timesOf(place))
    const left = `${lead}${paint(role, padded(name, room))} ${padded(volume(place.calls, seconds), volumeWidth, 'right')}  ${fails === '' ? times : padded(times, 26)}`
    if (fails === '') return left.trimEnd()
    const used = nameWidth + 6 + 1 + volumeWidth + 2 + 26
    return `${left} ${paint('failure', cut(say(`${fails}${error}`), Math.max(8, width - used - 1)))}`.trimEnd()
  }
  const arrow = unicode ? '→' : '->'
  const lines = mapSentences(map).map(say)
  for (const doubt of mapDoubts(map)) lines.push(paint('doubt', say(`? ${doubt}`)))
  lines.push('')
  for (const place of shown.places.toSorted(inOrder)) {
    const out = shown.links.filter(({ from }) => from === place.id)
    if (place.kind !== 'service' && out.length === 0) continue
    if (place.kind === 'outside') lines.push(paint('strong', 'outside'))
    else lines.push(row('', say(place.name), place, 'strong'))
    if (methods && place.kind === 'service') {
      for (const method of place.methods) lines.push(row('    ', say(method.method), method))
    }
    for (const link of out) {
      const to = names.get(link.to)!
      const kind =
        link.kind === 'event'
          ? ' (event)'
          : to.kind === 'service'
            ? ''
            : ` (${KIND_WORDS[to.kind]})`
      lines.push(row(`  ${arrow} `, say(`${to.name}${kind}`), link))
    }
  }
  if (shown.leftOut > 0) lines.push(paint('quiet', `${counted(shown.leftOut, 'place')} not shown`))
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const ORDER: readonly MapPlace['kind'][] = ['outside', 'service', 'event', 'db', 'cache']

const inOrder = (a: MapPlace, b: MapPlace) =>
  ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
  b.criticalShare - a.criticalShare ||
  (a.id < b.id ? -1 : 1)
