import { ticksBetween } from '../layout/ticks.ts'
import { make, sized } from './dom.ts'
import type { Timeline } from './timeline.ts'
import type { Scene } from './view.ts'

const HEIGHT = 26

/** Marks at round times within what is looked at. */
export function ticksOf(
  timeline: Timeline,
  width: number,
): readonly { readonly us: number; readonly label: string }[] {
  const count = Math.max(1, width / 110)
  return ticksBetween(timeline.from / 1000, timeline.to / 1000, count).map(({ ms, label }) => ({
    us: ms * 1000,
    label,
  }))
}

/** The axis above a view; dragging along it shows what was dragged over. */
export function ruler(scene: Scene): {
  readonly host: HTMLElement
  readonly canvas: HTMLCanvasElement
} {
  const canvas = make('canvas', { 'aria-hidden': 'true' })
  const host = make('div', { class: 'ruler', title: 'drag to zoom into a stretch' }, canvas)
  selecting(canvas, scene, () => canvas.getBoundingClientRect())
  return { host, canvas }
}

/** Dragging chooses the stretch of time to look at; the whole is what the element spans. */
export function selecting(
  element: HTMLElement,
  { timeline, redraw }: Scene,
  boxOf: () => { readonly left: number; readonly width: number },
  whole = false,
): void {
  let from: number | undefined
  const at = (event: PointerEvent) => {
    const { left, width } = boxOf()
    const share = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)))
    const [begin, end] = whole ? [timeline.least, timeline.most] : [timeline.from, timeline.to]
    return begin + share * (end - begin)
  }
  element.addEventListener('pointerdown', (event) => {
    from = at(event)
    element.setPointerCapture(event.pointerId)
  })
  element.addEventListener('pointerup', (event) => {
    if (from === undefined) return
    const to = at(event)
    const least = (whole ? timeline.most - timeline.least : timeline.length) / 200
    if (Math.abs(to - from) > least) timeline.show(Math.min(from, to), Math.max(from, to))
    else if (whole) timeline.show(to - timeline.length / 2, to + timeline.length / 2)
    from = undefined
    redraw()
  })
}

export function drawRuler(
  canvas: HTMLCanvasElement,
  { timeline, paint }: Scene,
  frame: { readonly left: number; readonly width: number; readonly right: number },
): void {
  const { left, width, right } = frame
  canvas.style.marginLeft = `${left}px`
  const pen = sized(canvas, width, HEIGHT)
  const colors = paint()
  pen.font = '11px system-ui, sans-serif'
  for (const { us, label } of ticksOf(timeline, width)) {
    const x = Math.round(timeline.x(us, width))
    pen.fillStyle = colors.gap
    pen.fillRect(x, HEIGHT - 7, 1, 7)
    pen.fillStyle = colors.quiet
    const wide = pen.measureText(label).width
    pen.fillText(label, x + 4 + wide > width ? x - 4 - wide : x + 4, HEIGHT - 10)
  }
  canvas.parentElement?.classList.toggle('with-self', right > 0)
}
