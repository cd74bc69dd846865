import { formatMs, type MapFigures, type MapLink, type MapPlace, type SystemMap } from 'clew/trace'
import { visible } from '../visible.ts'
import { counted, grouped, utc } from '../words.ts'
import { renderMapMermaid } from './diagrams.ts'
import { failing, mapDoubts, mapSentences, observedSeconds, volume } from './map-words.ts'

/** Names as Markdown text: nothing in them is taken for Markdown or HTML. */
export function markdownText(text: string): string {
  return visible(text).replace(/[\\`*_{}[\]()#+!|<>&~$@:-]/g, (sign) =>
    sign === '<'
      ? '&lt;'
      : sign === '>'
        ? '&gt;'
        : sign === '&'
          ? '&amp;'
          : sign === '-' || sign === ':' || sign === '@'
            ? `&#${sign.charCodeAt(0)};`
            : `\\${sign}`,
  )
}

/**
 * Documentation of a system as Markdown: the map, then each service with its methods, callers,
 * callees, events and stores. The same map gives the same bytes, so it can be committed and compared.
 */
export function renderSystemDocs(map: SystemMap): string {
  const names = new Map(map.places.map((place) => [place.id, markdownText(place.name)]))
  const seconds = observedSeconds(map)
  const from = map.firstMs === undefined ? undefined : utc(map.firstMs)
  const to = map.lastMs === undefined ? undefined : utc(map.lastMs)
  const services = map.places.filter(({ kind }) => kind === 'service')
  return [
    '# The system, as its traces show it',
    '',
    ...mapSentences(map).map((sentence) => `${markdownText(sentence)}\n`),
    `Written by \`clew docs\` from ${counted(map.traces, 'trace')}, ${counted(map.calls, 'call')}${from === undefined ? '' : `, ${from} to ${to}`}.`,
    '',
    '```mermaid',
    renderMapMermaid(map).trimEnd(),
    '```',
    '',
    '## What is uncertain',
    '',
    '- What was not called in this time is not here. Parameters and results are never in traces.',
    ...(seconds === undefined
      ? ['- Too short a time was observed to tell rates: calls are counted.']
      : []),
    ...mapDoubts(map).map((doubt) => `- ${doubt}.`),
    ...map.cycles.map((ids) => `- In a circle: ${ids.map((id) => names.get(id)).join(', ')}.`),
    '',
    ...services.flatMap((place) => section(place, map, names, seconds)),
  ].join('\n')
}

function section(
  place: MapPlace,
  map: SystemMap,
  names: ReadonlyMap<string, string>,
  seconds: number | undefined,
): readonly string[] {
  const kinds = new Map(map.places.map(({ id, kind }) => [id, kind]))
  const into = map.links.filter(({ to }) => to === place.id)
  const out = map.links.filter(({ from }) => from === place.id)
  const list = (links: readonly MapLink[], end: 'from' | 'to') =>
    links.map(
      (link) =>
        `- ${names.get(link[end])}: ${volume(link.calls, seconds)}${link.kind === 'event' ? ', as an event' : ''}${link.failed > 0 ? `, ${failing(link)}` : ''}`,
    )
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`**${title}**`, '', ...lines, '']
  const calls = out.filter(({ to }) => kinds.get(to) === 'service')
  const events = out.filter(({ to }) => kinds.get(to) === 'event')
  const stores = out.filter(({ kind }) => kind === 'down')
  const statements = stores.flatMap((link) =>
    link.methods.map((one) => `- ${names.get(link.to)}: ${code(one.to)}, ${figures(one, seconds)}`),
  )
  const versions = place.versions.map(code).join(', ')
  return [
    `## ${names.get(place.id)}`,
    '',
    place.profiled
      ? `Hosts: ${place.instances.map(code).join(', ') || 'unknown'}.${versions === '' ? '' : ` Versions: ${versions}.`}`
      : 'Keeps no records of its own: known from those who call it.',
    '',
    ...(place.methods.length === 0
      ? []
      : [
          '| method | kind | calls | p50 | p99 | fail | example |',
          '|---|---|---|---|---|---|---|',
        ]),
    ...place.methods.map((method) => {
      const errors = method.errors.map(
        ({ error, calls: count }) => `${markdownText(error)} ×${grouped(count)}`,
      )
      const cells = [
        code(method.method),
        method.kind,
        volume(method.calls, seconds),
        ms(method.p50Ms),
        ms(method.p99Ms),
        errors.join(', '),
        method.example === '' ? '' : code(method.example),
      ]
      return `| ${cells.join(' | ')} |`
    }),
    '',
    ...part('Called by', list(into, 'from')),
    ...part('Calls', list(calls, 'to')),
    ...part('Publishes', list(events, 'to')),
    ...part('Stores', statements),
  ]
}

const ms = (value: number | undefined) => (value === undefined ? '' : formatMs(value))

const figures = (some: MapFigures, seconds: number | undefined) =>
  [volume(some.calls, seconds), ms(some.p50Ms), failing(some)]
    .filter((one) => one !== '')
    .join(', ')

/** A name as HTML's code: backticks could be ended by the name, and a `|` would end a table's cell. */
const code = (name: string) => `<code>${markdownText(name)}</code>`
