import { formatMs, type MapFigures, type MapLink, type MapPlace, type SystemMap } from 'clew/trace'
import { counted, grouped, percent } from '../words.ts'
import { failing, observedSeconds, volume } from './map-words.ts'
import { markdownCode, markdownTable, markdownText } from './markdown.ts'

/** Rows of one table of who calls which method. */
const MOST_ROWS = 200

/** What sections on services know beside the service. */
export interface DocumentStyle {
  readonly map: SystemMap
  readonly places: ReadonlyMap<string, MapPlace>
  /** Links by where they lead, and by where they come from. */
  readonly into: ReadonlyMap<string, readonly MapLink[]>
  readonly out: ReadonlyMap<string, readonly MapLink[]>
  readonly seconds: number | undefined
  /** A place's name, as a link where there is something to link to. */
  readonly nameOf: (id: string) => string
}

export function documentStyle(map: SystemMap, fileOf?: ReadonlyMap<string, string>): DocumentStyle {
  const places = new Map(map.places.map((place) => [place.id, place]))
  return {
    ...{ map, places, seconds: observedSeconds(map) },
    into: grouping(map.links, ({ to }) => to),
    out: grouping(map.links, ({ from }) => from),
    nameOf: (id) => {
      const name = markdownText(places.get(id)?.name ?? id)
      const file = fileOf?.get(id)
      return file === undefined ? name : `[${name}](${file})`
    },
  }
}

/** All that is known of a service, below a heading that whoever asks writes. */
export function serviceSection(place: MapPlace, style: DocumentStyle): readonly string[] {
  const { seconds, nameOf, places } = style
  const into = style.into.get(place.id) ?? []
  const out = style.out.get(place.id) ?? []
  const kindOf = (id: string) => places.get(id)?.kind
  const titled = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`**${title}**`, '', ...lines]
  const head = ['calls', 'p50', 'p99', 'queue', 'fail']
  const called = into.filter(({ from }) => kindOf(from) !== 'event')
  const handled = into.filter(({ from }) => kindOf(from) === 'event')
  const calls = out.filter(({ to }) => kindOf(to) === 'service')
  const others = out.filter(({ to }) => kindOf(to) !== 'service')
  return [
    ...standing(place, style),
    '',
    ...markdownTable(
      ['method', 'kind', ...head, 'example'],
      place.methods.map((method) => [
        markdownCode(method.method),
        method.kind,
        ...figures(method, seconds),
        method.example === '' ? '' : markdownCode(method.example),
      ]),
    ),
    ...titled(
      'Versions side by side',
      markdownTable(
        ['version', ...head],
        place.byVersion.map((one) => [markdownCode(one.version), ...figures(one, seconds)]),
      ),
    ),
    ...titled('Called by', methodRows(called, 'from', style)),
    ...titled('Handles', methodRows(handled, 'from', style)),
    ...titled('Calls', methodRows(calls, 'to', style)),
    ...titled(
      'Publishes',
      linesOf(
        others.filter(({ kind }) => kind === 'event'),
        (link) => `${nameOf(link.to)}: ${told(link, seconds)}`,
      ),
    ),
    ...titled(
      'Stores',
      linesOf(
        others.filter(({ kind }) => kind !== 'event').flatMap(statements),
        ({ to, one }) => `${nameOf(to)}: ${markdownCode(one.to)}, ${told(one, seconds)}`,
      ),
    ),
  ]
}

/** `12/s, 3.0 ms, 2% fail`. */
function told(some: MapFigures, seconds: number | undefined): string {
  return [volume(some.calls, seconds), ms(some.p50Ms), failing(some)]
    .filter((part) => part !== '')
    .join(', ')
}

/** Where it runs, who starts it, what it costs, and which circle it is in: a few sentences. */
function standing(place: MapPlace, { map, into, nameOf }: DocumentStyle): readonly string[] {
  const { profiled, instances, versions, methods, calls, criticalShare, selfCalls, localWork } =
    place
  const callers = (into.get(place.id) ?? []).filter(({ from }) => from !== place.id)
  const outside = callers.length > 0 && callers.every(({ from }) => from.startsWith('outside:'))
  const timed = methods.length > 0 && methods.every(({ kind }) => kind === 'timer')
  const circle = map.cycles.find((ids) => ids.includes(place.id))
  return [
    profiled
      ? `Hosts: ${instances.map(markdownCode).join(', ') || 'unknown'}.${versions.length === 0 ? '' : ` Versions: ${versions.map(markdownCode).join(', ')}.`}`
      : 'Keeps no records of its own: known from those who call it.',
    ...(calls === 0 && callers.length === 0
      ? ['No call of it was seen: it only calls, or publishes.']
      : timed && outside
        ? ['No service calls it: timers start its work.']
        : outside
          ? ['No service calls it: its requests come from outside.']
          : []),
    ...(criticalShare > 0
      ? [`It takes ${percent(criticalShare, 1)} of the time that answers waited for.`]
      : []),
    ...(selfCalls > 0 ? [`It calls itself (${counted(selfCalls, 'time')}).`] : []),
    ...(localWork > 0
      ? [`${counted(localWork, 'record')} of work within it, which are no calls.`]
      : []),
    ...(circle === undefined
      ? []
      : [
          `In a circle with ${circle
            .filter((id) => id !== place.id)
            .map(nameOf)
            .join(', ')}.`,
        ]),
  ]
}

/** Who calls which method of whom, row by row. */
function methodRows(
  links: readonly MapLink[],
  end: 'from' | 'to',
  { nameOf, seconds }: DocumentStyle,
): readonly string[] {
  const rows = links.flatMap((link) =>
    link.methods.map((one) => [
      `${nameOf(link[end])}${link.kind === 'event' ? ' (event)' : ''}`,
      one.from === '' ? '' : markdownCode(one.from),
      one.to === '' ? '' : markdownCode(one.to),
      ...figures(one, seconds),
    ]),
  )
  const more = rows.length - MOST_ROWS
  const head = end === 'from' ? ['who', 'in its', 'asks for'] : ['whom', 'in its own', 'asked for']
  return [
    ...markdownTable(
      [...head, 'calls', 'p50', 'p99', 'queue', 'fail'],
      more > 0 ? rows.slice(0, MOST_ROWS) : rows,
    ),
    ...(more > 0 ? [`And ${grouped(more)} more.`, ''] : []),
  ]
}

const statements = ({ to, methods }: MapLink) => methods.map((one) => ({ to, one }))

function linesOf<Item>(items: readonly Item[], lineOf: (item: Item) => string): readonly string[] {
  if (items.length === 0) return []
  const more = items.length - MOST_ROWS
  return [
    ...items.slice(0, MOST_ROWS).map((item) => `- ${lineOf(item)}`),
    ...(more > 0 ? [`- and ${grouped(more)} more`] : []),
    '',
  ]
}

/** Calls, p50, p99, queue, and what failed with which error. */
export function figures(some: MapFigures, seconds: number | undefined): readonly string[] {
  const errors = some.errors.map(({ error, calls }) => `${markdownText(error)} ×${grouped(calls)}`)
  return [
    volume(some.calls, seconds),
    ms(some.p50Ms),
    ms(some.p99Ms),
    ms(some.queueMs),
    errors.join(', '),
  ]
}

const ms = (value: number | undefined) => (value === undefined ? '' : formatMs(value))

function grouping(
  links: readonly MapLink[],
  keyOf: (link: MapLink) => string,
): ReadonlyMap<string, readonly MapLink[]> {
  const groups = new Map<string, MapLink[]>()
  for (const link of links) {
    const group = groups.get(keyOf(link))
    if (group === undefined) groups.set(keyOf(link), [link])
    else group.push(link)
  }
  return groups
}
