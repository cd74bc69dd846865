import { formatMs, formatShare, LAYERS, type Layer, type RequestBreakdown } from 'clew/trace'
import { textWidth } from '../layout/measure.ts'
import { type Tick, ticksBetween } from '../layout/ticks.ts'
import { visible } from '../visible.ts'
import { counted } from '../words.ts'

export interface BreakdownPictureOptions {
  /**
   * Kinds of request that are drawn, those that took most time in all first.
   * @default 12
   */
  readonly maxRequests?: number | undefined
  /**
   * Parts of a request that are told apart, the largest first; the others are one.
   * @default 8
   */
  readonly maxParts?: number | undefined
  /**
   * Width of the picture in pixels, at least 1100.
   * @default 1480
   */
  readonly width?: number | undefined
}

/** A part of a bar and its entry below; `layer` is undefined for what stands for several. */
export interface ChartPart {
  readonly service: string
  readonly layer: Layer | undefined
  /** `orders db`; `3 others`. */
  readonly name: string
  /** `42 %`. */
  readonly share: string
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Segment {
  readonly part: ChartPart
  readonly x: number
  readonly width: number
}

export interface Bar {
  readonly label: string
  readonly y: number
  readonly height: number
  readonly segments: readonly Segment[]
  /** Of the whole request, as which the bar is as long. */
  readonly total: string
  readonly totalX: number
}

/** An entry of the list below a request's bars. */
export interface Chip {
  readonly part: ChartPart
  readonly x: number
  readonly y: number
  readonly value: string
}

export interface Block {
  readonly request: RequestBreakdown
  readonly service: string
  readonly method: string
  readonly count: string
  readonly y: number
  readonly height: number
  readonly bars: readonly [Bar, Bar]
  readonly chips: readonly Chip[]
}

export interface Chart {
  readonly width: number
  readonly height: number
  readonly axis: { readonly x: number; readonly width: number }
  readonly ticks: readonly (Tick & { readonly x: number })[]
  readonly blocks: readonly Block[]
  /** Services in the order of their colours. */
  readonly services: readonly string[]
  readonly layers: readonly Layer[]
  /** Kinds of request that are not drawn. */
  readonly leftOut: number
}

export const GUTTER = 290
export const BAR_LABEL = 64
/** Behind the longest bar, for its total. */
const TOTAL_ROOM = 84
const TOP = 16
const MEDIAN = 24
const TAIL = 14
const BAR_GAP = 7
const CHIP_LINE = 22
export const CHIP_SIZE = 11.5
export const CHIP_SWATCH = 12
/** What is thinner could not be seen. */
const LEAST = 1.5

/** Where everything of the picture lies, from the left side of its content and the top of its body. */
export function breakdownChart(
  all: readonly RequestBreakdown[],
  options: BreakdownPictureOptions & { readonly width: number },
): Chart {
  const { maxRequests = 12, maxParts = 8, width } = options
  const requests = all.slice(0, Math.max(1, maxRequests))
  const services = servicesOf(requests)
  const parts = requests.map((request) => partsOf(request, services, Math.max(2, maxParts)))
  const axis = { x: GUTTER + BAR_LABEL, width: width - GUTTER - BAR_LABEL - TOTAL_ROOM }
  const longest = requests.reduce((most, { p50Ms, p99Ms }) => Math.max(most, p50Ms, p99Ms), 0)
  // Nothing here is finer than a nanosecond.
  const scale = longest > 1e-6 ? axis.width / longest : 0
  const blocks: Block[] = []
  let y = 0
  for (const [index, request] of requests.entries()) {
    const block = blockOf(request, parts[index]!, { y, axis, scale, right: width })
    blocks.push(block)
    y += block.height
  }
  const drawn = new Set(parts.flat().map(({ layer }) => layer))
  return {
    width,
    height: y,
    axis,
    ticks: ticksBetween(0, longest, 8).map((tick) => ({ ...tick, x: axis.x + tick.ms * scale })),
    blocks,
    services,
    layers: LAYERS.filter((layer) => drawn.has(layer)),
    leftOut: all.length - requests.length,
  }
}

/** By the time they take in all, of all requests. */
function servicesOf(requests: readonly RequestBreakdown[]): readonly string[] {
  const times = new Map<string, number>()
  for (const { requests: count, p50Ms, parts } of requests) {
    for (const { service, share } of parts) {
      times.set(service, (times.get(service) ?? 0) + share * p50Ms * count)
    }
  }
  return [...times].sort(([, a], [, b]) => b - a).map(([service]) => service)
}

/** The same order in every bar: by service, then by layer; what stands for several comes last. */
function partsOf(
  { parts }: RequestBreakdown,
  services: readonly string[],
  most: number,
): readonly ChartPart[] {
  const several = parts.length > most
  const named = parts.slice(0, several ? most - 1 : most).map((part): ChartPart => {
    const { service, layer, share, p50Ms, p99Ms } = part
    const name = `${visible(service)} ${layer}`
    return { service, layer, name, share: formatShare(share), p50Ms, p99Ms }
  })
  const rank = new Map(services.map((service, index) => [service, index]))
  named.sort(
    (a, b) =>
      rank.get(a.service)! - rank.get(b.service)! ||
      LAYERS.indexOf(a.layer!) - LAYERS.indexOf(b.layer!),
  )
  if (!several) return named
  const rest = parts.slice(most - 1)
  const total = (of: 'share' | 'p50Ms' | 'p99Ms') => rest.reduce((all, part) => all + part[of], 0)
  const others = { service: '', layer: undefined, name: counted(rest.length, 'other') }
  const times = { p50Ms: total('p50Ms'), p99Ms: total('p99Ms') }
  return [...named, { ...others, share: formatShare(total('share')), ...times }]
}

interface Frame {
  readonly y: number
  readonly axis: Chart['axis']
  readonly scale: number
  readonly right: number
}

function blockOf(request: RequestBreakdown, parts: readonly ChartPart[], frame: Frame): Block {
  const { y } = frame
  const median = barOf('median', parts, 'p50Ms', request.p50Ms, { ...frame, y: y + TOP }, MEDIAN)
  const below = y + TOP + MEDIAN + BAR_GAP
  const tail = barOf('p99', parts, 'p99Ms', request.p99Ms, { ...frame, y: below }, TAIL)
  const chips = chipsOf(parts, { ...frame, y: below + TAIL + 10 })
  const end = (chips.at(-1)?.y ?? below) + CHIP_LINE
  return {
    request,
    service: visible(request.service),
    method: visible(request.method),
    count: counted(request.requests, 'request'),
    y,
    height: Math.max(end - y + 6, TOP + 74),
    bars: [median, tail],
    chips,
  }
}

/**
 * As long as the request took in the median, or at the 99th percentile, and divided as the parts' own
 * medians or percentiles are: those need not add up, as not all parts are slow at once.
 */
function barOf(
  label: string,
  parts: readonly ChartPart[],
  of: 'p50Ms' | 'p99Ms',
  totalMs: number,
  { y, axis, scale }: Frame,
  height: number,
): Bar {
  const all = parts.reduce((total, part) => total + part[of], 0)
  const length = totalMs * scale
  let x = axis.x
  const segments = parts.flatMap((part): Segment[] => {
    const width = all > 0 ? (part[of] / all) * length : 0
    const at = { part, x, width: Math.max(LEAST, width) }
    x += width
    return part[of] > 0 ? [at] : []
  })
  return { label, y, height, segments, total: formatMs(totalMs), totalX: axis.x + length + 9 }
}

function chipsOf(parts: readonly ChartPart[], { y: top, axis, right }: Frame): readonly Chip[] {
  let [x, y] = [axis.x, top]
  return parts.map((part) => {
    const value = `${part.share} · ${formatMs(part.p50Ms)}`
    const width = chipWidth(part.name, value)
    if (x > axis.x && x + width > right) {
      x = axis.x
      y += CHIP_LINE
    }
    const chip = { part, x, y, value }
    x += width + 22
    return chip
  })
}

function chipWidth(name: string, value: string): number {
  return (
    CHIP_SWATCH +
    7 +
    textWidth(name, 'inter600', CHIP_SIZE) +
    7 +
    textWidth(value, 'inter400', CHIP_SIZE)
  )
}
