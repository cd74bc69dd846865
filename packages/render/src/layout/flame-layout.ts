import type { CallTree } from 'clew/trace'
import { type PictureOptions, waterfallOptions } from '../options.ts'
import { outlineOf } from '../outline/outline.ts'
import { ownWorkOf } from '../outline/own-work.ts'
import type { Outline, Place } from '../outline/place.ts'
import { type CardContent, cardContent } from './card-content.ts'
import { criticalStretches } from './critical.ts'
import { lanesOf } from './lanes.ts'
import { type Tick, ticksBetween } from './ticks.ts'
import type { Extent } from './waterfall-layout.ts'

/** A call, or what stands for several, as a block over time. */
export interface PlacedBlock {
  readonly place: Place
  readonly content: CardContent
  readonly lane: number
  readonly extent: Extent
  /** Where the callee itself worked. */
  readonly own: readonly Extent[]
  /** Where the critical path ran through it. */
  readonly critical: readonly Extent[]
}

export interface FlameLayout {
  readonly width: number
  readonly lanes: number
  readonly ticks: readonly (Tick & { readonly x: number })[]
  /** Where the root's caller had its answer, when the picture goes on beyond. */
  readonly answeredX: number | undefined
  readonly blocks: readonly PlacedBlock[]
  readonly outline: Outline
}

/** What is shorter than this many pixels could not be seen. */
const LEAST = 1.5

/** Lays a trace out as blocks over time, callers above callees; what went on at once in lanes of its own. */
export function flameLayout(
  tree: CallTree,
  options: PictureOptions & { readonly width: number },
): FlameLayout {
  const { maxCards, maxLevels, minShare, full } = waterfallOptions(options)
  const most = full ? Number.POSITIVE_INFINITY : maxLevels
  const outline = outlineOf(tree, { maxPlaces: maxCards, maxLevels: most, minShare, full })
  const critical = criticalStretches(tree, outline)
  const { lane, count, shown } = flameLanes(outline)
  const extent = scaleOf(outline, options.width)
  const blocks = shown.map((place, index): PlacedBlock => {
    const whole = extent(place.offsetMs, place.endMs, LEAST)
    const within = (fromMs: number, toMs: number, least: number): Extent => {
      const { x, width } = extent(fromMs, toMs, least)
      const from = Math.max(whole.x, Math.min(x, whole.x + whole.width - least))
      return { x: from, width: Math.max(0, Math.min(x + width, whole.x + whole.width) - from) }
    }
    return {
      place,
      content: cardContent(place, tree.totalMs, index === 0),
      lane: lane[index]!,
      extent: whole,
      own: ownWorkOf(place).map(([from, to]) => within(from, to, 0.75)),
      critical: (critical.get(place) ?? []).map(({ fromMs, toMs }) => within(fromMs, toMs, 1)),
    }
  })
  const end = extent(outline.root.endMs, outline.root.endMs, 0).x
  const ticks = ticksBetween(outline.fromMs, outline.toMs, options.width / 150)
  return {
    width: options.width,
    lanes: count,
    ticks: ticks.map((tick) => ({ ...tick, x: extent(tick.ms, tick.ms, 0).x })),
    answeredX: options.width - end > 12 ? end : undefined,
    blocks,
    outline,
  }
}

/** The places that are blocks, callers first, and the lane of each. */
export function flameLanes(outline: Outline): {
  readonly shown: readonly Place[]
  readonly lane: Int32Array
  readonly count: number
} {
  // Of calls that did not come nobody knows when they were.
  const shown = outline.places.map(({ place }) => place).filter(({ kind }) => kind !== 'missing')
  const parents = new Map<Place, number>()
  for (const [index, { places }] of shown.entries()) {
    for (const place of places) parents.set(place, index)
  }
  const lanes = lanesOf({
    count: shown.length,
    fromOf: (index) => shown[index]!.offsetMs,
    toOf: (index) => shown[index]!.endMs,
    parentOf: (index) => parents.get(shown[index]!) ?? -1,
  })
  return { shown, ...lanes }
}

function scaleOf({ fromMs, toMs }: Outline, width: number) {
  const length = toMs - fromMs
  const at = (ms: number) =>
    length > 0 ? Math.min(1, Math.max(0, (ms - fromMs) / length)) * width : 0
  return (from: number, to: number, least: number): Extent => {
    const wide = Math.max(least, at(to) - at(from))
    return { x: Math.max(0, Math.min(at(from), width - wide)), width: wide }
  }
}
