import { type CallTree, formatMs } from 'clew/trace'
import { type PictureOptions, waterfallOptions } from '../options.ts'
import { uncertainParts } from '../outline/legs.ts'
import { outlineOf } from '../outline/outline.ts'
import type { Outline, Place, Spread } from '../outline/place.ts'
import { workOf } from '../outline/work.ts'
import { type CardContent, cardContent, countWidth, marksWidth } from './card-content.ts'
import { criticalStretches } from './critical.ts'
import { fitText, textWidth } from './measure.ts'
import { type Tick, ticksBetween } from './ticks.ts'

/** A stretch of a row, in pixels. */
export interface Extent {
  readonly x: number
  readonly width: number
}

/** What is written at a bar, shortened if need be, and on which side of it there was room. */
export interface BarLabel {
  readonly text: string
  readonly x: number
  readonly side: 'right' | 'left' | 'inside'
}

/** One row: a name on the left, bars on the time axis, self time on the right. */
export interface PlacedRow {
  readonly place: Place
  readonly content: CardContent
  readonly level: number
  /** Upper edge. */
  readonly y: number
  /** Upper edge of the last row directly below this one in the tree; undefined where none is. */
  readonly lastCalleeY: number | undefined
  /** From request to finish; undefined for what has no time. */
  readonly total: Extent | undefined
  /** When the callee was at work. */
  readonly work: readonly Extent[]
  /** Where within the total the work began and ended, as far as the clocks leave it open. */
  readonly unsure: readonly Extent[]
  /** When the critical path ran through it. */
  readonly critical: readonly Extent[]
  readonly label: BarLabel | undefined
  readonly self: string
  /** At least a tenth of the trace's critical path was spent here. */
  readonly selfMatters: boolean
}

/** Pixels from the upper left corner of the rows; the ruler is above. */
export interface WaterfallLayout {
  readonly width: number
  readonly height: number
  readonly rowHeight: number
  /** How far a row is moved to the right by its level. */
  readonly indent: (level: number) => number
  /** The width of the names. */
  readonly gutter: number
  /** Where the time axis begins, and how wide it is. */
  readonly axis: Extent
  readonly ticks: readonly (Tick & { readonly x: number })[]
  /** Where the root's caller had its answer, when the picture goes on beyond. */
  readonly answeredX: number | undefined
  readonly rows: readonly PlacedRow[]
  readonly outline: Outline
}

const ROW = 28
/** To the right for each level; less when there are many, so that names keep some room. */
const INDENT = 18
const LEAST_INDENT = 6
const LEAST_NAME = 190
const SELF_COLUMN = 84
const LEAST_GUTTER = 240
const MOST_GUTTER = 470
const LABEL_GAP = 8
const MOST_LABEL = 300
/** What is shorter than this many pixels could not be seen. */
const LEAST_BAR = 3
const MATTERS = 0.1

/** Lays a trace out as rows over a time axis, callers above callees. `width`: all of it, in pixels. */
export function waterfallLayout(
  tree: CallTree,
  options: PictureOptions & { readonly width?: number | undefined } = {},
): WaterfallLayout {
  const { maxCards, maxLevels, minShare, full } = waterfallOptions(options)
  const most = full ? Number.POSITIVE_INFINITY : maxLevels
  const outline = outlineOf(tree, { maxPlaces: maxCards, maxLevels: most, minShare, full })
  const contents = outline.places.map(({ place, level }) =>
    cardContent(place, tree.totalMs, level === 0),
  )
  const indent = indentOf(outline)
  const gutter = gutterOf(outline, contents, indent)
  const width = Math.max(options.width ?? 1408, gutter + SELF_COLUMN + 480)
  const axis = { x: gutter + 12, width: width - gutter - 12 - SELF_COLUMN }
  const scale = scaleOf(outline, axis)
  const critical = criticalStretches(tree, outline)
  const rows = outline.places.map(({ place, level }, index): PlacedRow => {
    const content = contents[index]!
    const stretches = critical.get(place) ?? []
    const total =
      place.kind === 'missing' ? undefined : scale(place.offsetMs, place.endMs, LEAST_BAR)
    const self = selfOf(place)
    const spent = stretches.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
    return {
      place,
      content,
      level,
      y: index * ROW,
      lastCalleeY: undefined,
      total,
      work: workOf(place).map(([from, to]) => scale(from, to, LEAST_BAR - 1)),
      unsure: unsureOf(place, scale),
      critical: joined(stretches.map(({ fromMs, toMs }) => scale(fromMs, toMs, LEAST_BAR))),
      label: total === undefined ? undefined : labelOf(barText(place, content), total, axis),
      self,
      selfMatters: self !== '–' && self !== '' && spent > 0 && spent >= MATTERS * tree.totalMs,
    }
  })
  const rootEnd = scale(outline.root.endMs, outline.root.endMs, 0).x
  return {
    width,
    height: rows.length * ROW,
    rowHeight: ROW,
    indent,
    gutter,
    axis,
    ticks: ticksBetween(outline.fromMs, outline.toMs, axis.width / 150).map((tick) => ({
      ...tick,
      x: scale(tick.ms, tick.ms, 0).x,
    })),
    answeredX: axis.x + axis.width - rootEnd > 12 ? rootEnd : undefined,
    rows: withLastCallees(rows),
    outline,
  }
}

function indentOf(outline: Outline): (level: number) => number {
  const deepest = outline.places.reduce((most, { level }) => Math.max(most, level), 1)
  const room = MOST_GUTTER - LEAST_NAME
  const step = Math.min(INDENT, Math.max(LEAST_INDENT, Math.floor(room / deepest)))
  return (level) => Math.min(level * step, room)
}

function gutterOf(
  outline: Outline,
  contents: readonly CardContent[],
  indent: (level: number) => number,
): number {
  const widest = outline.places.reduce(
    (width, { level }, index) => Math.max(width, indent(level) + nameWidth(contents[index]!)),
    LEAST_GUTTER,
  )
  return Math.min(MOST_GUTTER, widest)
}

function nameWidth(content: CardContent): number {
  if (content.kind === 'small') return 18 + textWidth(content.title, 'inter600', 12.5) + 10
  const sign = content.condition.title === '' ? 0 : 20
  return (
    18 +
    textWidth(content.service, 'inter600', 13) +
    8 +
    textWidth(content.method, 'inter400', 13) +
    countWidth(content) +
    marksWidth(content.marks) +
    sign +
    10
  )
}

function scaleOf(outline: Outline, axis: Extent) {
  const lengthMs = outline.toMs - outline.fromMs
  const at = (ms: number) =>
    axis.x +
    (lengthMs > 0 ? Math.min(1, Math.max(0, (ms - outline.fromMs) / lengthMs)) * axis.width : 0)
  return (fromMs: number, toMs: number, least: number): Extent => {
    const width = Math.max(least, at(toMs) - at(fromMs))
    return { x: Math.min(at(fromMs), axis.x + axis.width - width), width }
  }
}

/** What is narrower than this many pixels could not be told from an edge. */
const LEAST_UNSURE = 5

function unsureOf(place: Place, scale: ReturnType<typeof scaleOf>): readonly Extent[] {
  if (place.kind !== 'call') return []
  return uncertainParts(place.call)
    .map(([fromMs, toMs]) => scale(fromMs, toMs, 0))
    .filter(({ width }) => width >= LEAST_UNSURE)
}

function barText(place: Place, content: CardContent): string {
  switch (place.kind) {
    case 'call': {
      const { condition } = content.kind === 'calls' ? content : { condition: undefined }
      const time = place.call.totalMs ?? place.call.handleMs
      const words = [time === undefined ? '' : formatMs(time), condition?.title ?? '']
      return words.filter((word) => word !== '').join(' · ')
    }
    case 'repeats':
      return spreadText(place.spread)
    case 'merged':
      return spreadText(place.fold)
    case 'folded':
      return content.kind === 'small' ? content.detail : ''
    case 'missing':
      return ''
  }
}

function spreadText(spread: Spread): string {
  const [median, max] = [formatMs(spread.medianMs), formatMs(spread.maxMs)]
  return median === max ? `${median} each` : `${median} median, ${max} max`
}

/** To the right of the bar where there is room, else to its left, else in it. */
function labelOf(words: string, bar: Extent, axis: Extent): BarLabel | undefined {
  if (words === '') return undefined
  const text = fitText(words, 'inter600', 12, MOST_LABEL)
  const width = textWidth(text, 'inter600', 12)
  const right = bar.x + bar.width + LABEL_GAP
  if (right + width <= axis.x + axis.width) return { text, x: right, side: 'right' }
  const left = bar.x - LABEL_GAP
  if (left - width >= axis.x) return { text, x: left, side: 'left' }
  return { text, x: bar.x + bar.width / 2, side: 'inside' }
}

function selfOf(place: Place): string {
  switch (place.kind) {
    case 'call':
      return place.call.selfMs === undefined ? '–' : formatMs(place.call.selfMs)
    case 'repeats': {
      const known = place.calls.filter((call) => call.selfMs !== undefined)
      if (known.length === 0) return '–'
      return formatMs(known.reduce((sum, call) => sum + call.selfMs!, 0))
    }
    case 'merged':
    case 'folded':
    case 'missing':
      return ''
  }
}

function joined(extents: readonly Extent[]): readonly Extent[] {
  const whole: { x: number; width: number }[] = []
  for (const { x, width } of extents.toSorted((one, other) => one.x - other.x)) {
    const last = whole.at(-1)
    if (last !== undefined && x <= last.x + last.width + 0.5) {
      last.width = Math.max(last.width, x + width - last.x)
    } else {
      whole.push({ x, width })
    }
  }
  return whole
}

function withLastCallees(rows: readonly PlacedRow[]): readonly PlacedRow[] {
  const ys = new Map(rows.map((row) => [row.place, row.y]))
  return rows.map((row) => {
    const last = row.place.places.at(-1)
    return last === undefined ? row : { ...row, lastCalleeY: ys.get(last) }
  })
}
