import type { MapLink, MapPlace, SystemMap } from 'clew/trace'
import { formatMs } from 'clew/trace'
import { fitText, textWidth } from '../layout/measure.ts'
import { svgDocument } from '../svg/document.ts'
import { type Band, MARGIN } from '../svg/header.ts'
import { bolt, drum, type Icon, letter, question, warning } from '../svg/icons.ts'
import { drawLegend, type LegendItem } from '../svg/legend.ts'
import { element, number, path, rect, text, titled } from '../svg/markup.ts'
import { COLOR, serviceColors } from '../svg/palette.ts'
import { visible } from '../visible.ts'
import { counted, grouped } from '../words.ts'
import { chooseMap, type MapChoice } from './choose-map.ts'
import { mapHeader } from './map-header.ts'
import { BENDS, type LaidCard, type LaidLine, mapLayout, PORT } from './map-layout.ts'
import { failing, KIND_WORDS, mapSentences, observedSeconds, timesOf, volume } from './map-words.ts'
import { PLACE_ICONS, renderMapMatrixSvg } from './matrix-svg.ts'

export interface MapPictureOptions extends MapChoice {
  /**
   * Whether services show their methods.
   * @default false
   */
  readonly methods?: boolean | undefined
  /**
   * Least width in pixels; the picture grows as it needs to.
   * @default 900
   */
  readonly width?: number | undefined
  /**
   * Whether it is a matrix instead of cards and lines.
   * @default true for more than 40 places, unless `maxPlaces` says how many
   */
  readonly matrix?: boolean | undefined
}

/** Places of which a picture of cards and lines can be read at all. */
const MOST_CARDS = 40
const CARD = 236
const PAD = 14
const METHOD_LINE = 18
const MOST_METHODS = 12
const WORDS = 10.5

/**
 * Draws the layout of a system as an SVG document: services as cards, databases and caches as drums,
 * lines from whoever calls to whoever is called. The same map and options give the same bytes.
 */
export function renderMapSvg(map: SystemMap, options: MapPictureOptions = {}): string {
  if (options.matrix ?? isLarge(map, options)) return renderMapMatrixSvg(map, options)
  const chosen = chooseMap(map, options)
  const { places, links } = chosen
  const seconds = observedSeconds(map)
  const index = new Map(places.map(({ id }, at) => [id, at]))
  const lines = links.map(({ from, to }) => ({ from: index.get(from)!, to: index.get(to)! }))
  const words = links.map((link) => wordsOf(link, seconds))
  const widths = words.map((some) => textWidth(some, 'inter500', WORDS) + 16)
  const ports = places.map(({ id }) =>
    Math.max(
      links.filter(({ to }) => to === id).length,
      links.filter(({ from }) => from === id).length,
    ),
  )
  const boxes = places.map((place, at) => ({
    width: CARD,
    height: Math.max(heightOf(place, options), (ports[at]! + 1) * PORT),
  }))
  const layout = mapLayout(boxes, lines, widths)
  const width = Math.max(options.width ?? 900, layout.width + MARGIN * 2)
  const ranking = places.toSorted((a, b) => b.criticalShare - a.criticalShare)
  const colorOf = serviceColors(
    ranking.filter(({ kind }) => kind === 'service').map(({ name }) => name),
  )
  const most = links.reduce((all, { calls }) => Math.max(all, calls), 1)
  const body = [
    ...layout.lines.map((line, at) => line && drawLine(line, links[at]!, most)),
    ...layout.cards.map((card, at) =>
      drawCard(places[at]!, card, { ...options, seconds, colorOf }),
    ),
    ...layout.lines.map((line, at) => line && drawWords(line, links[at]!, words[at]!)),
  ]
  const height = layout.height + 64
  const left = (width - layout.width) / 2
  const bands: readonly Band[] = [
    mapHeader(map, chosen.leftOut, width),
    {
      height,
      markup: [
        rect({ x: 0, y: 0, width, height }, { fill: COLOR.ground }),
        `<g transform="translate(${number(left)} 32)">`,
        ...body.filter((part) => part !== undefined),
        '</g>',
      ].join('\n'),
    },
    drawLegend(legend(places, links), width),
  ]
  return svgDocument(
    { title: 'Layout of the system', description: mapSentences(map).join(' ') },
    width,
    bands,
  )
}

function isLarge(map: SystemMap, { maxPlaces, ...choice }: MapPictureOptions): boolean {
  if (maxPlaces !== undefined) return false
  return chooseMap(map, { ...choice, maxPlaces: map.places.length }).places.length > MOST_CARDS
}

function wordsOf(link: MapLink, seconds: number | undefined): string {
  const time = link.p50Ms === undefined ? '' : formatMs(link.p50Ms)
  return [volume(link.calls, seconds), time, failing(link)]
    .filter((part) => part !== '')
    .join(' · ')
}

const methodsOf = ({ methods }: MapPlace) =>
  methods.toSorted((a, b) => b.calls - a.calls).slice(0, MOST_METHODS)

function heightOf(place: MapPlace, { methods }: MapPictureOptions): number {
  if (place.kind === 'outside') return 52
  const shown = methods === true && place.kind !== 'event' ? methodsOf(place).length : 0
  const more = shown > 0 && place.methods.length > shown ? 1 : 0
  return 92 + (shown > 0 ? (shown + more) * METHOD_LINE + 8 : 0)
}

interface CardStyle extends MapPictureOptions {
  readonly seconds: number | undefined
  readonly colorOf: (service: string) => string
}

function drawCard(place: MapPlace, card: LaidCard, style: CardStyle): string {
  const { x, y } = card
  const name = visible(place.kind === 'outside' ? 'outside' : place.name)
  const icon = PLACE_ICONS[place.kind] ?? (place.profiled ? undefined : question)
  const titleX = x + PAD + (icon === undefined || place.kind === 'outside' ? 0 : 18)
  const line = { x: x + PAD, face: 'inter400', size: 11, fill: COLOR.quiet } as const
  const room = CARD - PAD * 2
  const fit = (some: string) => fitText(some, 'inter400', 11, room)
  const title = fitText(name, 'inter600', 14, x + CARD - PAD - titleX)
  const heading = text({ x: titleX, y: y + 25, face: 'inter600', size: 14, fill: COLOR.ink }, title)
  if (place.kind === 'outside') {
    return titled(
      name,
      shape(place, card, style) +
        heading +
        text({ ...line, y: y + 42 }, 'who calls from elsewhere'),
    )
  }
  const fails = failing(place)
  const failLine =
    fails === ''
      ? ''
      : warning(x + PAD, y + 71) +
        text(
          { ...line, x: x + PAD + 17, y: y + 81, face: 'inter600', fill: COLOR.failure },
          fitText(`${fails}: ${visible(place.errors[0]!.error)}`, 'inter600', 11, room - 17),
        )
  return titled(
    name,
    [
      shape(place, card, style),
      icon === undefined ? '' : icon(x + PAD, y + 14),
      heading,
      text({ ...line, y: y + 43 }, fit(identity(place))),
      text(
        { ...line, y: y + 61, fill: COLOR.text },
        fit(
          [volume(place.calls, style.seconds), timesOf(place)]
            .filter((part) => part !== '')
            .join(' · '),
        ),
      ),
      failLine,
      style.methods === true && place.kind !== 'event' ? drawMethods(place, card) : '',
    ].join(''),
  )
}

function identity(place: MapPlace): string {
  const { kind, methods, instances, versions, profiled, selfCalls } = place
  if (kind === 'event') return 'published event'
  if (kind !== 'service') return `${KIND_WORDS[kind]} · ${counted(methods.length, 'statement')}`
  return [
    counted(methods.length, 'method'),
    profiled ? counted(instances.length, 'instance') : 'keeps no records',
    ...(versions.length === 1 ? [`version ${visible(versions[0]!)}`] : []),
    ...(versions.length > 1 ? [counted(versions.length, 'version')] : []),
    ...(selfCalls > 0 ? [`calls itself ${grouped(selfCalls)}×`] : []),
  ].join(' · ')
}

function drawMethods(place: MapPlace, { x, y }: LaidCard): string {
  const shown = methodsOf(place)
  const more = place.methods.length - shown.length
  const lines = shown.map((method, index) => {
    const at = y + 104 + index * METHOD_LINE
    const right = `${grouped(method.calls)}×${method.failed > 0 ? ` · ${failing(method)}` : ''}`
    const room = CARD - PAD * 2 - textWidth(right, 'inter400', WORDS) - 10
    const style = { y: at, face: 'inter400', size: WORDS, fill: COLOR.quiet } as const
    return (
      text(
        { ...style, x: x + PAD, face: 'mono400', fill: COLOR.text },
        fitText(visible(method.method), 'mono400', WORDS, room),
      ) + text({ ...style, x: x + CARD - PAD, anchor: 'end' }, right)
    )
  })
  const end = { x: x + PAD, y: y + 104 + shown.length * METHOD_LINE } as const
  return (
    lines.join('') +
    (more > 0
      ? text({ ...end, face: 'inter400', size: WORDS, fill: COLOR.quiet }, `and ${more} more`)
      : '')
  )
}

function shape(place: MapPlace, card: LaidCard, { colorOf }: CardStyle): string {
  const { x, y, width, height } = card
  const { kind } = place
  if (kind === 'db' || kind === 'cache') return cylinder(card)
  const dashed = kind === 'outside' || kind === 'event' || !place.profiled
  const box = rect(card, {
    rx: kind === 'outside' || kind === 'event' ? Math.min(20, height / 2) : 7,
    fill: COLOR.paper,
    stroke: place.failed > 0 ? COLOR.failure : COLOR.gap,
    'stroke-width': place.failed > 0 ? 1.75 : 1,
    'stroke-dasharray': dashed ? '5 4' : undefined,
  })
  if (kind !== 'service') return box
  // How much of the time that answers waited for is its own.
  const track = { x: x + 8, y: y + height - 5, width: width - 16, height: 3 }
  return (
    box +
    rect(track, { fill: COLOR.track }) +
    rect({ ...track, width: track.width * place.criticalShare }, { fill: colorOf(place.name) })
  )
}

function cylinder({ x, y, width, height }: LaidCard): string {
  const stroke = { stroke: COLOR.gap, 'stroke-width': 1 }
  const [rx, ry] = [width / 2, 5]
  const sides = `M${number(x)} ${number(y + ry)}V${number(y + height - ry)}a${rx} ${ry} 0 0 0 ${width} 0V${number(y + ry)}`
  const top = { cx: x + rx, cy: y + ry, rx, ry }
  return (
    path(sides, { fill: COLOR.paper, ...stroke }) +
    element('ellipse', { ...top, fill: COLOR.track, ...stroke })
  )
}

function drawLine({ points, back }: LaidLine, link: MapLink, most: number): string {
  const [first] = points
  const width = 1.25 + 3.25 * Math.sqrt(link.calls / most)
  const color = link.failed > 0 ? COLOR.failure : COLOR.gap
  const course = [`M${number(first!.fromX)} ${number(first!.y)}H${number(first!.toX)}`]
  for (const [index, { fromX, toX, y }] of points.entries()) {
    if (index === 0) continue
    const half = BENDS / 2
    const start = points[index - 1]!
    const bendX = start.toX + BENDS
    course.push(
      `C${number(start.toX + half)} ${number(start.y)} ${number(bendX - half)} ${number(y)} ${number(bendX)} ${number(y)}`,
      `H${number(Math.max(fromX, toX) - (index === points.length - 1 ? 6 : 0))}`,
    )
  }
  const last = points.at(-1)!
  const tip = back
    ? { x: first!.fromX + 1, y: first!.y, way: 1 }
    : { x: last.toX - 1, y: last.y, way: -1 }
  const arrow = `M${number(tip.x)} ${number(tip.y)}l${tip.way * 9} -5v10Z`
  return (
    path(course.join(''), {
      fill: 'none',
      stroke: color,
      'stroke-width': width,
      'stroke-dasharray': link.kind === 'event' ? '6 4' : undefined,
    }) + path(arrow, { fill: color })
  )
}

/** Above the level end of the line, where no other line is. */
function drawWords({ label, back }: LaidLine, link: MapLink, words: string): string {
  const failed = link.failed > 0
  const x = label.x + 6 + (failed ? 13 : 0)
  return (
    (failed ? warning(label.x + 4, label.y - 15) : '') +
    text(
      {
        ...{ x, y: label.y - 5, size: WORDS },
        face: failed ? 'inter600' : 'inter500',
        fill: failed ? COLOR.failure : COLOR.text,
      },
      fitText(
        `${back ? '← ' : ''}${words}`,
        failed ? 'inter600' : 'inter500',
        WORDS,
        label.width - 12,
      ),
    )
  )
}

function legend(places: readonly MapPlace[], links: readonly MapLink[]): readonly LegendItem[] {
  const line = (dash: string | undefined, stroke: string) => (x: number, y: number) =>
    path(`M${x} ${y}h30`, { stroke, 'stroke-width': 2, 'stroke-dasharray': dash })
  const mark = (icon: Icon) => (x: number, y: number) => icon(x, y - 6)
  const has = (kind: MapPlace['kind']) => places.some((place) => place.kind === kind)
  const items: readonly (LegendItem & { readonly when: boolean })[] = [
    {
      when: true,
      label: 'calls, thicker where there are more',
      width: 30,
      draw: line(undefined, COLOR.gap),
    },
    {
      when: links.some(({ kind }) => kind === 'event'),
      label: 'events: nobody waits',
      width: 30,
      draw: line('6 4', COLOR.gap),
    },
    {
      when: links.some(({ failed }) => failed > 0),
      label: 'some fail',
      width: 12,
      draw: mark(warning),
    },
    { when: has('db'), label: 'database', width: 12, draw: mark(drum) },
    { when: has('cache'), label: 'cache', width: 12, draw: mark(bolt) },
    { when: has('event'), label: 'published event', width: 12, draw: mark(letter) },
    {
      when: true,
      label: "bar at a card's foot: its share of the time that answers waited for",
      width: 30,
      draw: (x, y) =>
        rect({ x, y: y - 1.5, width: 30, height: 3 }, { fill: COLOR.track }) +
        rect({ x, y: y - 1.5, width: 12, height: 3 }, { fill: COLOR.pillDark }),
    },
    {
      when: true,
      label: 'times are medians',
      width: 22,
      draw: (x, y) => text({ x, y: y + 4, face: 'inter600', size: 11, fill: COLOR.quiet }, 'ms'),
    },
  ]
  return items.filter(({ when }) => when)
}
