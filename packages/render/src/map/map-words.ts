import { formatMs, type MapFigures, type MapLink, type MapPlace, type SystemMap } from 'clew/trace'
import { visible } from '../visible.ts'
import { counted, grouped, percent } from '../words.ts'

/** Signs of what a place is, in words. */
export const KIND_WORDS: Readonly<Record<MapPlace['kind'], string>> = {
  service: 'service',
  db: 'database',
  cache: 'cache',
  event: 'event',
  outside: 'outside',
}

/** Seconds over which calls were observed; undefined where that is too little to tell a rate by. */
export function observedSeconds(map: SystemMap): number | undefined {
  if (map.traces < 2 || map.firstMs === undefined || map.lastMs === undefined) return undefined
  const seconds = (map.lastMs - map.firstMs) / 1000
  return seconds >= 1 ? seconds : undefined
}

/** `12/s`; without a time to tell a rate by, `12 calls`. */
export function volume(calls: number, seconds: number | undefined): string {
  if (seconds === undefined) return counted(calls, 'call')
  const rate = calls / seconds
  return `${rate >= 100 ? grouped(rate) : rate.toPrecision(2).replace(/\.0$/, '')}/s`
}

/** `2 % fail`; empty where none does. */
export const failing = ({ failed, calls }: MapFigures) =>
  failed === 0 ? '' : `${percent(failed, calls)} fail`

/** `p50 3.0 ms · p99 8.1 ms`; empty where no duration is known. */
export function timesOf({ p50Ms, p99Ms }: MapFigures): string {
  if (p50Ms === undefined || p99Ms === undefined) return ''
  return `p50 ${formatMs(p50Ms)} · p99 ${formatMs(p99Ms)}`
}

/** The map in a few sentences: how large, where everything enters, what is busiest, what fails. */
export function mapSentences(map: SystemMap): readonly string[] {
  const names = new Map(map.places.map(({ id, name }) => [id, visible(name)]))
  const services = map.places.filter(({ kind }) => kind === 'service')
  const stores = map.places.filter(({ kind }) => kind === 'db' || kind === 'cache')
  const size = [
    counted(services.length, 'service'),
    ...(stores.length === 0 ? [] : [counted(stores.length, 'store')]),
  ].join(', ')
  const doors = map.links.filter(({ from }) => from.startsWith('outside:'))
  const entered = [...new Set(doors.map(({ to }) => names.get(to)!))]
  const most = (list: readonly MapLink[], of: (link: MapLink) => number) =>
    list.reduce<MapLink | undefined>(
      (best, link) => (of(link) > (best === undefined ? 0 : of(best)) ? link : best),
      undefined,
    )
  const inner = map.links.filter(({ from }) => !from.startsWith('outside:'))
  const busiest = most(inner, ({ calls }) => calls)
  // Whoever's own calls fail too only passed it on.
  const passing = new Set(map.links.filter(({ failed }) => failed > 0).map(({ from }) => from))
  const origins = map.links.filter(({ to }) => !passing.has(to))
  const worst = most(origins, ({ failed }) => failed) ?? most(map.links, ({ failed }) => failed)
  const critical = map.places.toSorted((a, b) => b.criticalShare - a.criticalShare)[0]
  const name = ({ from, to }: MapLink) => `${names.get(from)} to ${names.get(to)}`
  return [
    [
      `${size}.`,
      entered.length === 1 ? ` Everything enters by ${entered[0]}.` : '',
      entered.length > 1 ? ` Requests enter by ${listed(entered)}.` : '',
      busiest === undefined || busiest.calls < 2
        ? ''
        : ` Busiest: ${name(busiest)}, ${counted(busiest.calls, 'call')}.`,
    ].join(''),
    ...(critical === undefined || critical.criticalShare === 0
      ? []
      : [
          `Answers waited most for ${visible(critical.name)}: ${percent(critical.criticalShare, 1)} of the time.`,
        ]),
    ...(worst === undefined
      ? []
      : [
          `${percent(worst.failed, worst.calls)} of the calls from ${name(worst)} fail (${visible(worst.errors[0]!.error)}).`,
        ]),
    ...map.cycles
      .slice(0, 1)
      .map((ids) => `In a circle: ${listed(ids.map((id) => names.get(id)!))}.`),
  ]
}

/** What is uncertain of it. */
export function mapDoubts(map: SystemMap): readonly string[] {
  const silent = map.places.filter(({ kind, profiled }) => kind === 'service' && !profiled)
  return [
    ...(map.missingCalls > 0 ? [`${counted(map.missingCalls, 'call')} missing`] : []),
    ...(silent.length > 0
      ? [
          `${counted(silent.length, 'service')} without records of its own`.replace(
            'services without records of its',
            'services without records of their',
          ),
        ]
      : []),
    ...(map.leftOut > 0 ? [`${counted(map.leftOut, 'call')} beyond the bounds of a map`] : []),
  ]
}

export function listed(names: readonly string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  return names.length < 2
    ? (names[0] ?? '')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
