import type { MapPlace, SystemMap } from 'clew/trace'
import { visible } from '../visible.ts'
import { chooseMap, type MapChoice } from './choose-map.ts'
import { failing, observedSeconds, volume } from './map-words.ts'

/** The layout of a system in Graphviz's language. Names are quoted: none can end its string. */
export function renderMapDot(map: SystemMap, choice: MapChoice = {}): string {
  const { places, links } = chooseMap(map, { maxPlaces: 1_000, ...choice })
  const seconds = observedSeconds(map)
  const numbers = new Map(places.map(({ id }, index) => [id, `p${index}`]))
  const quoted = (text: string) => `"${visible(text).replace(/[\\"]/g, '\\$&')}"`
  const shapes: Readonly<Record<MapPlace['kind'], string>> = {
    ...{ service: 'box', db: 'cylinder', cache: 'cylinder', event: 'note', outside: 'plaintext' },
  }
  return [
    'digraph system {',
    '  rankdir=LR',
    ...places.map(
      ({ id, name, kind }) => `  ${numbers.get(id)} [label=${quoted(name)}, shape=${shapes[kind]}]`,
    ),
    ...links.map((link) => {
      const style = link.kind === 'event' ? ', style=dashed' : ''
      const label = [volume(link.calls, seconds), failing(link)].filter((part) => part !== '')
      return `  ${numbers.get(link.from)} -> ${numbers.get(link.to)} [label=${quoted(label.join(', '))}${style}]`
    }),
    '}',
    '',
  ].join('\n')
}

/**
 * The same as a Mermaid flowchart. What has a meaning in Mermaid or HTML is written as a number: two
 * `%` begin a comment or settings even within quotes.
 */
export function renderMapMermaid(map: SystemMap, choice: MapChoice = {}): string {
  const { places, links } = chooseMap(map, choice)
  const seconds = observedSeconds(map)
  const numbers = new Map(places.map(({ id }, index) => [id, `p${index}`]))
  const quoted = (text: string) =>
    `"${visible(text).replace(/%(?=%)|(?<=%)%|[^\p{L}\p{N} _.,:/{}()%-]/gu, (sign) => `#${sign.codePointAt(0)};`) || ' '}"`
  const drawn = ({ id, name, kind }: MapPlace) => {
    const [open, close] = {
      service: ['[', ']'],
      db: ['[(', ')]'],
      cache: ['[(', ')]'],
      event: ['>', ']'],
      outside: ['([', '])'],
    }[kind] as [string, string]
    return `  ${numbers.get(id)}${open}${quoted(name)}${close}`
  }
  return [
    'flowchart LR',
    ...places.map(drawn),
    ...links.map((link) => {
      const label = [volume(link.calls, seconds), failing(link)].filter((part) => part !== '')
      const line = link.kind === 'event' ? '-.->' : '-->'
      return `  ${numbers.get(link.from)} ${line}|${quoted(label.join(', '))}| ${numbers.get(link.to)}`
    }),
    '',
  ].join('\n')
}
