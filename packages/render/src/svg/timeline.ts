import type { ConditionKind } from '../outline/condition.ts'
import type { Place } from '../outline/place.ts'
import { workOf } from '../outline/work.ts'
import { rect } from './markup.ts'
import { COLOR, paler } from './palette.ts'

/** The time that a picture spans, in milliseconds from the root's beginning. */
export interface Scale {
  readonly fromMs: number
  readonly toMs: number
}

export interface TimelineStyle {
  readonly place: Place
  readonly color: string
  readonly scale: Scale
  readonly kind: ConditionKind
  /** All of it in the colour: nothing within it is known. @default false */
  readonly solid?: boolean
}

const HEIGHT = 5
/** What is shorter than this many pixels could not be seen. */
const LEAST = 2.5

interface Strip {
  readonly x: number
  readonly y: number
  readonly width: number
}

/** Where in the trace a call lies: its total pale, the callee's part solid; the rest is network and queue. */
export function timeline(strip: Strip, style: TimelineStyle): string {
  const { place, color, kind } = style
  const track = rect({ ...strip, height: HEIGHT }, { rx: 2.5, fill: COLOR.track })
  const whole = bar(strip, style.scale, place.offsetMs, place.endMs)
  if (kind !== 'ok' && kind !== 'failed' && kind !== 'partial') {
    const stroke = kind === 'unanswered' ? COLOR.failure : COLOR.gap
    const inner = { ...whole, y: whole.y + 0.5, height: HEIGHT - 1 }
    const dashes = kind === 'pending' ? '2 2' : undefined
    return (
      track +
      rect(inner, {
        rx: 2,
        fill: COLOR.paper,
        stroke,
        'stroke-width': 1,
        'stroke-dasharray': dashes,
      })
    )
  }
  const solid = workOf(place).map(([from, to]) =>
    rect(bar(strip, style.scale, from, to), { rx: 2.5, fill: color }),
  )
  return (
    track +
    rect(whole, { rx: 2.5, fill: style.solid ? color : paler(color, 0.62) }) +
    solid.join('')
  )
}

function bar(strip: Strip, scale: Scale, fromMs: number, toMs: number) {
  const lengthMs = scale.toMs - scale.fromMs
  const at = (ms: number) =>
    lengthMs > 0 ? Math.min(1, Math.max(0, (ms - scale.fromMs) / lengthMs)) * strip.width : 0
  const width = Math.max(LEAST, at(toMs) - at(fromMs))
  const x = strip.x + Math.min(at(fromMs), strip.width - width)
  return { x, y: strip.y, width, height: HEIGHT }
}
