import { formatMs, type MapFigures, type SystemMap } from 'clew/trace'
import { wrapText } from '../layout/measure.ts'
import { columns, padded, printable } from '../text/columns.ts'
import { painter } from '../text/paint.ts'
import { counted, grouped } from '../words.ts'
import { chooseMap, type MapChoice } from './choose-map.ts'
import { inOrder } from './in-order.ts'
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

interface Row {
  readonly lead: string
  readonly name: string
  readonly volume: string
  readonly times: string
  readonly fails: string
  /** With the error's class. */
  readonly failsHow: string
  readonly strong: boolean
}

const GAP = 2
const LEAST_NAME = 14
const LEAST_FAILS = 10
/** Pairs of methods told of one link. */
const MOST_METHODS = 20

/**
 * The layout of a system for a terminal: what it is in words, then each place and what it calls, from
 * where requests enter on. Lines end with `\n`.
 */
export function renderMapText(map: SystemMap, options: MapTextOptions = {}): string {
  const { width = 100, color = false, unicode = true, methods = false } = options
  const paint = painter(color)
  const shown = chooseMap(map, { maxPlaces: 1_000, ...options })
  const seconds = observedSeconds(map)
  const say = (text: string) => printable(text, unicode)
  const lines = mapSentences(map).flatMap((sentence) =>
    wrapText(say(sentence), { width, lines: 6 }, columns),
  )
  for (const doubt of mapDoubts(map)) lines.push(paint('doubt', say(`? ${doubt}`)))
  lines.push('')
  const row = (lead: string, name: string, of: MapFigures, strong = false): Row => {
    const error = of.errors[0] === undefined ? '' : ` (${of.errors[0].error})`
    const fails = failing(of)
    return {
      ...{ lead, strong, name: say(name), volume: volume(of.calls, seconds) },
      ...{
        times: say(timesOf(of) + queued(of)),
        fails,
        failsHow: fails && say(`${fails}${error}`),
      },
    }
  }
  // The wait for a worker is the method's, so it is told where methods are.
  const queued = ({ queueMs }: MapFigures) =>
    methods && queueMs !== undefined ? ` · queue ${formatMs(queueMs)}` : ''
  const rows = rowsOf(shown, { methods, arrow: unicode ? '→' : '->', row })
  lines.push(...rowLines(rows, width, paint))
  if (shown.leftOut > 0) lines.push(paint('quiet', `${counted(shown.leftOut, 'place')} not shown`))
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`
  // What shortens a name is no ASCII character.
  return unicode ? text : text.replaceAll('…', '~')
}

function rowsOf(
  { places, links }: ReturnType<typeof chooseMap>,
  how: {
    readonly methods: boolean
    readonly arrow: string
    row(lead: string, name: string, of: MapFigures, strong?: boolean): Row
  },
): readonly (Row | string)[] {
  const { methods, arrow, row } = how
  const rows: (Row | string)[] = []
  const named = new Map(places.map((place) => [place.id, place]))
  const outs = Map.groupBy(links, ({ from }) => from)
  const ins = Map.groupBy(links, ({ to }) => to)
  for (const place of inOrder(places, links)) {
    const out = outs.get(place.id) ?? []
    // What calls nobody and is called by one has its line there.
    const isLeaf = out.length === 0 && (place.kind !== 'service' || ins.get(place.id)?.length === 1)
    if (isLeaf && !(methods && place.kind === 'service')) continue
    rows.push(place.kind === 'outside' ? 'outside' : row('', place.name, place, true))
    if (methods && place.kind === 'service') {
      for (const method of place.methods) rows.push(row('    ', method.method, method))
    }
    for (const link of out) {
      const to = named.get(link.to)!
      const kind =
        link.kind === 'event' ? 'event' : to.kind === 'service' ? '' : KIND_WORDS[to.kind]
      rows.push(row(`  ${arrow} `, `${to.name}${kind === '' ? '' : ` (${kind})`}`, link))
      if (!methods) continue
      for (const one of link.methods.toSorted((a, b) => b.calls - a.calls).slice(0, MOST_METHODS)) {
        const ends = [one.from, one.to].filter((end) => end !== '')
        if (ends.length > 0) rows.push(row('      ', ends.join(` ${arrow} `), one))
      }
      const more = link.methods.length - MOST_METHODS
      if (more > 0) rows.push(`      and ${grouped(more)} more`)
    }
  }
  return rows
}

/** Names give way first, then times; what fails is said in any case. */
function rowLines(
  rows: readonly (Row | string)[],
  width: number,
  paint: ReturnType<typeof painter>,
): readonly string[] {
  const full = rows.filter((row) => typeof row !== 'string')
  const most = (of: (row: Row) => number) =>
    full.reduce((widest, row) => Math.max(widest, of(row)), 0)
  const [volumes, times] = [most((row) => columns(row.volume)), most((row) => columns(row.times))]
  const fails = most((row) => columns(row.failsHow))
  const named = most((row) => columns(row.lead) + columns(row.name))
  const failRoom = fails === 0 ? 0 : GAP + Math.min(fails, LEAST_FAILS)
  const withTimes = LEAST_NAME + GAP + volumes + GAP + times + failRoom <= width
  const others = GAP + volumes + (withTimes ? GAP + times : 0)
  const names = Math.max(LEAST_NAME, Math.min(named, width - others - failRoom))
  const gap = ' '.repeat(GAP)
  return rows.map((row) => {
    if (typeof row === 'string') return paint(row === 'outside' ? 'strong' : 'quiet', row)
    const name = padded(row.name, names - columns(row.lead))
    const left = [
      row.lead + (row.strong ? paint('strong', name) : name),
      padded(row.volume, volumes, 'right'),
      ...(withTimes ? [padded(row.times, times)] : []),
    ].join(gap)
    if (row.fails === '') return left.trimEnd()
    const room = Math.max(LEAST_FAILS, width - names - others - GAP)
    return `${left}${gap}${paint('failure', columns(row.failsHow) > room ? row.fails : row.failsHow)}`.trimEnd()
  })
}
