import type { MapPlace, SystemMap } from 'clew/trace'
import { counted, percent, utc } from '../words.ts'
import { chooseMap } from './choose-map.ts'
import { renderMapMermaid } from './diagrams.ts'
import { mapDoubts, mapSentences } from './map-words.ts'
import { markdownTable, markdownText } from './markdown.ts'
import { type DocumentStyle, documentStyle, figures, serviceSection } from './service-section.ts'

/** How each page begins, so that pages can be told from files that others wrote. */
export const PAGE_MARK = '<!-- written by clew docs -->'

/** The page that leads to all others. */
const INDEX = 'README.md'

export interface DocumentPage {
  /** A file's name: letters, digits, `.`, `_` and `-`, whatever the service's name. */
  readonly file: string
  readonly text: string
}

/**
 * Documentation of a system as Markdown: the map, then each service with its methods, callers,
 * callees, events and stores. The same map gives the same bytes, so it can be committed and compared.
 */
export function renderSystemDocs(map: SystemMap): string {
  const style = documentStyle(map)
  return [
    ...head(map),
    ...doubts(style),
    ...servicesOf(map).flatMap((place) => [
      `## ${style.nameOf(place.id)}`,
      '',
      ...serviceSection(place, style),
    ]),
  ].join('\n')
}

/**
 * The same as one page a service, and an index with the map. Pages link to each other; each begins
 * with `PAGE_MARK`.
 */
export function renderSystemPages(map: SystemMap): readonly DocumentPage[] {
  const services = servicesOf(map)
  const files = filesOf(services)
  const style = documentStyle(map, files)
  const index = [
    ...[PAGE_MARK, ''],
    ...head(map),
    ...['## Services', ''],
    ...markdownTable(
      ['service', 'methods', 'calls', 'p50', 'p99', 'queue', 'fail', 'of the time waited for'],
      services.map((place) => [
        style.nameOf(place.id),
        String(place.methods.length),
        ...figures(place, style.seconds),
        place.criticalShare > 0 ? percent(place.criticalShare, 1) : '',
      ]),
    ),
    ...doubts(style),
  ].join('\n')
  return [
    { file: INDEX, text: index },
    ...services.map((place) => ({
      file: files.get(place.id)!,
      text: [
        ...[PAGE_MARK, '', `# ${markdownText(place.name)}`, ''],
        ...[`A service of [the system](${INDEX}).`, ''],
        ...serviceSection(place, style),
      ].join('\n'),
    })),
  ]
}

const servicesOf = ({ places }: SystemMap) => places.filter(({ kind }) => kind === 'service')

function head(map: SystemMap): readonly string[] {
  const from = map.firstMs === undefined ? undefined : utc(map.firstMs)
  const to = map.lastMs === undefined ? undefined : utc(map.lastMs)
  const { places, leftOut } = chooseMap(map)
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
    ...(leftOut > 0
      ? [
          `The map shows ${counted(places.length, 'place')}, those with most calls; ${counted(leftOut, 'place')} more and their calls are not on it. What is near one service: \`clew map FILE --service NAME\`.`,
          '',
        ]
      : []),
  ]
}

function doubts({ map, seconds, nameOf }: DocumentStyle): readonly string[] {
  return [
    '## What is uncertain',
    '',
    '- What was not called in this time is not here. Parameters and results are never in traces.',
    ...(seconds === undefined
      ? ['- Too short a time was observed to tell rates: calls are counted.']
      : []),
    ...mapDoubts(map).map((doubt) => `- ${doubt}.`),
    ...map.cycles.map((ids) => `- In a circle: ${ids.map(nameOf).join(', ')}.`),
    '',
  ]
}

/** Names that are devices on Windows, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/

/** A file for each service: its name where that is one; else what of it is, and a number that tells it from others. */
function filesOf(services: readonly MapPlace[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const taken = new Set([INDEX.toLowerCase()])
  for (const { id, name } of services) {
    const plain = name
      .toLowerCase()
      .replace(/[^a-z0-9_.-]+/g, '-')
      .replace(/^[.-]+|[.-]+$/g, '')
      .slice(0, 80)
    const isDevice = DEVICE.test(plain.replace(/\..*/, ''))
    const stem = plain === '' ? 'service' : isDevice ? `service-${plain}` : plain
    let file = `${stem}.md`
    for (let number = 2; taken.has(file); number++) file = `${stem}-${number}.md`
    taken.add(file)
    files.set(id, file)
  }
  return files
}
