import type { Scene } from './view.ts'

interface Stage {
  readonly left: number
  readonly width: number
}

/**
 * The wheel: with Ctrl, or where there is nothing to scroll, it zooms around the pointer; sideways or
 * with Shift it moves along the axis; else the page's own scrolling is left to itself.
 */
export function wheeling(
  host: HTMLElement,
  { timeline, redraw }: Scene,
  stageOf: () => Stage,
  scrollable: () => boolean,
): void {
  host.addEventListener(
    'wheel',
    (event) => {
      const { left, width } = stageOf()
      const share = (event.clientX - left) / Math.max(1, width)
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX
      if (event.ctrlKey || event.metaKey || (sideways === 0 && !scrollable())) {
        event.preventDefault()
        timeline.zoom(Math.exp(Math.sign(event.deltaY) * 0.18), Math.min(1, Math.max(0, share)))
      } else if (sideways !== 0) {
        event.preventDefault()
        timeline.pan(sideways / Math.max(1, width))
      } else return
      redraw()
    },
    { passive: false },
  )
}

/** Dragging moves along the axis, and up and down. */
export function dragging(
  host: HTMLElement,
  { timeline, redraw }: Scene,
  stageOf: () => Stage,
  scroll: (pixels: number) => void,
): void {
  let last: { x: number; y: number } | undefined
  let moved = false
  host.addEventListener('pointerdown', (event) => {
    moved = false
    // Fingers scroll; on the axis, two of them zoom the page as everywhere.
    if (event.button !== 0 || event.pointerType === 'touch') return
    if (event.clientX >= stageOf().left) last = { x: event.clientX, y: event.clientY }
  })
  host.addEventListener('pointermove', (event) => {
    if (last === undefined || event.buttons === 0) return
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y]
    if (!moved && Math.hypot(dx, dy) < 4) return
    moved = true
    last = { x: event.clientX, y: event.clientY }
    timeline.pan(-dx / Math.max(1, stageOf().width))
    scroll(dy)
    redraw()
  })
  const stop = () => {
    last = undefined
  }
  window.addEventListener('pointerup', stop)
  host.addEventListener(
    'click',
    (event) => {
      if (moved) event.stopPropagation()
    },
    { capture: true },
  )
}
