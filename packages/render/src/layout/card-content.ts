import { type CallNode, formatMs } from 'clew/trace'
import {
  type Condition,
  conditionOf,
  isDetached,
  marksOf,
  type Operation,
  operationOf,
  operationOfFold,
} from '../outline/condition.ts'
import type {
  CallPlace,
  FoldedPlace,
  MergedPlace,
  MissingPlace,
  Place,
  RepeatsPlace,
  Spread,
} from '../outline/place.ts'
import { visible } from '../visible.ts'
import { counted, grouped, percent } from '../words.ts'
import { textWidth } from './measure.ts'

export interface Figure {
  readonly label: string
  readonly value: string
}

/** A card for calls: who was called, what it cost, what went wrong. */
export interface CallCard {
  readonly kind: 'calls'
  readonly service: string
  readonly method: string
  /** Where it ran; `3 hosts` for repeats that ran in several places. */
  readonly host: string
  /** Share of the trace's time. */
  readonly share: string
  /** How many calls it stands for. */
  readonly count: number
  readonly marks: readonly string[]
  /** Three, from left to right. */
  readonly figures: readonly [Figure, Figure, Figure]
  readonly condition: Condition
  readonly detached: boolean
  /** Set for what a service does below itself, which is drawn small and without its colour. */
  readonly operation: Operation | undefined
}

/** A small card for what is not drawn call by call. */
export interface SmallCard {
  readonly kind: 'small'
  readonly title: string
  readonly detail: string
}

export type CardContent = CallCard | SmallCard

/** Sizes of cards, in pixels. */
export const CARD = {
  left: 19,
  right: 14,
  height: 108,
  operationHeight: 77,
  noteHeight: 45,
  smallHeight: 46,
  minWidth: 226,
  maxWidth: 300,
  /** How far the cards behind a stack of repeats stick out. */
  stack: 6,
  pillHeight: 16,
} as const

/** What a place's card says. `totalMs` is the trace's. */
export function cardContent(place: Place, totalMs: number, isRoot = false): CardContent {
  return place.kind === 'missing' || place.kind === 'folded'
    ? smallCard(place)
    : callsCard(place, totalMs, isRoot)
}

/** A card with times. */
export function callsCard(
  place: CallPlace | RepeatsPlace | MergedPlace,
  totalMs: number,
  isRoot: boolean,
): CallCard {
  switch (place.kind) {
    case 'call':
      return callCard(place.call, totalMs, isRoot)
    case 'repeats':
      return {
        ...callCard(place.calls[0]!, totalMs, false),
        ...ofSpread(place.spread, totalMs),
        host: hostsOf(place.calls),
      }
    case 'merged': {
      const operation = operationOfFold(place.fold)
      return {
        kind: 'calls',
        service: visible(place.fold.service),
        method: visible(place.fold.method),
        host: 'merged to save room',
        marks: operation === undefined ? [] : [operation],
        condition: { kind: 'ok', title: '', detail: '' },
        detached: false,
        operation,
        ...ofSpread(place.fold, totalMs),
      }
    }
  }
}

/** A card for calls that are not shown. */
export function smallCard(place: MissingPlace | FoldedPlace): SmallCard {
  const [title, detail] =
    place.kind === 'missing'
      ? [`${counted(place.calls, 'call')} missing`, 'nothing came home']
      : [foldedTitle(place), foldedDetail(place)]
  return { kind: 'small', title, detail }
}

/** `+212 calls, 38.2 ms`. */
function foldedTitle(place: FoldedPlace): string {
  return `+${counted(place.calls, 'call')}, ${formatMs(place.sumMs)}`
}

/** What is among them. */
function foldedDetail(place: FoldedPlace): string {
  const what =
    place.why === 'small'
      ? `folded, longest ${formatMs(place.maxMs)}`
      : `${counted(place.levels, 'level')} folded`
  if (place.failed === 0) return what
  const error = place.failed === 1 && place.error !== undefined ? `: ${visible(place.error)}` : ''
  return `${what}, ${grouped(place.failed)} failed${error}`
}

/** How wide a card must be to say everything in full. */
export function cardWidth(content: CardContent): number {
  if (content.kind === 'small') {
    const text = Math.max(
      textWidth(content.title, 'inter600', 12),
      textWidth(content.detail, 'inter400', 10.5),
    )
    return clampWidth(CARD.left + text + 30)
  }
  if (content.operation !== undefined) {
    const rows = [
      20 + textWidth(content.service, 'inter600', 11.5) + textWidth(content.share, 'inter600', 11),
      textWidth(content.method, 'mono400', 11) + countWidth(content) - 14,
      textWidth(timesOf(content), 'inter600', 12.5) + marksWidth(content.marks),
      textWidth(content.condition.title, 'inter600', 11.5) + 8,
      textWidth(content.condition.detail, 'inter400', 11) - 14,
    ]
    return clampWidth(CARD.left + CARD.right + 14 + Math.max(...rows))
  }
  const rows = [
    textWidth(content.service, 'inter600', 11.5) + textWidth(content.share, 'inter600', 11) + 14,
    textWidth(content.method, 'inter600', 14.5) + countWidth(content),
    textWidth(content.host, 'mono400', 10.5) + marksWidth(content.marks),
    textWidth(content.condition.title, 'inter600', 11.5) + 22,
    textWidth(content.condition.detail, 'inter400', 11),
  ]
  return clampWidth(CARD.left + CARD.right + Math.max(...rows))
}

export function cardHeight(content: CardContent): number {
  if (content.kind === 'small') return CARD.smallHeight
  return bodyHeight(content) + (content.condition.title === '' ? 0 : CARD.noteHeight)
}

/** Without what is said of its condition. */
export function bodyHeight({ operation }: CallCard): number {
  return operation === undefined ? CARD.height : CARD.operationHeight
}

/** `orders.create`; where the method is no name, `orders.db SELECT …`. */
export function fullName({ service, method, operation }: CallCard): string {
  const apart = operation === 'db' || operation === 'cache' || /\s/.test(method)
  return `${service}${apart ? ' ' : '.'}${method}`
}

/** An operation's times in a line: `3.40 ms`; `med 310 µs, max 4.10 ms`. */
export function timesOf({ count, figures: [first, second] }: CallCard): string {
  return count > 1 ? `med ${first.value}, max ${second.value}` : first.value
}

/** The width of a pill with a text of 10.5 pixels. */
export function pillWidth(text: string): number {
  return Math.ceil(textWidth(text, 'inter600', 10.5)) + 14
}

export function countWidth(content: CallCard): number {
  return content.count > 1 ? pillWidth(countText(content)) + 8 : 0
}

export function marksWidth(marks: readonly string[]): number {
  return marks.reduce((width, mark) => width + pillWidth(mark) + 4, marks.length > 0 ? 4 : 0)
}

/** `×6`. */
export function countText(content: CallCard): string {
  return `×${grouped(content.count)}`
}

function clampWidth(width: number): number {
  return Math.min(CARD.maxWidth, Math.max(CARD.minWidth, Math.ceil(width)))
}

function callCard(call: CallNode, totalMs: number, isRoot: boolean): CallCard {
  const { kind, title, detail } = conditionOf(call, isRoot)
  return {
    kind: 'calls',
    service: visible(call.service) || 'unknown service',
    method: visible(call.method) || 'unknown method',
    host: hostOf(call),
    share: isRoot ? '100 %' : shareOf(call, totalMs),
    count: 1,
    marks: marksOf(call, isRoot),
    figures: [
      { label: 'TOTAL', value: orDash(call.totalMs) },
      { label: 'HANDLE', value: orDash(call.handleMs) },
      { label: 'SELF', value: orDash(call.selfMs) },
    ],
    condition: { kind, title: visible(title), detail },
    detached: isDetached(call),
    operation: operationOf(call),
  }
}

/** Work that went on after the answer can take longer than the trace: then its share says nothing. */
function shareOf(call: CallNode, totalMs: number): string {
  const time = call.totalMs ?? call.handleMs
  return time === undefined || time > totalMs ? '' : `${percent(time, totalMs)} of trace`
}

function ofSpread(spread: Spread, totalMs: number): Pick<CallCard, 'share' | 'count' | 'figures'> {
  return {
    share: `${percent(spread.sumMs, totalMs)} in all`,
    count: spread.count,
    figures: [
      { label: 'MEDIAN', value: formatMs(spread.medianMs) },
      { label: 'MAX', value: formatMs(spread.maxMs) },
      { label: 'SUM', value: formatMs(spread.sumMs) },
    ],
  }
}

function hostsOf(calls: readonly CallNode[]): string {
  const hosts = new Set(calls.map((call) => call.host))
  return hosts.size > 1 ? counted(hosts.size, 'host') : hostOf(calls[0]!)
}

/** Where the method ran, or at least where it was called from. */
function hostOf(call: CallNode): string {
  if (call.host !== undefined) return visible(call.host)
  return call.callerHost === undefined ? 'host unknown' : `from ${visible(call.callerHost)}`
}

function orDash(ms: number | undefined): string {
  return ms === undefined ? '–' : formatMs(ms)
}
