import { fitted, make, sized } from './dom.ts'
import { dragging, wheeling } from './gestures.ts'
import { drawRuler, ruler } from './ruler.ts'
import type { Scene, TraceView } from './view.ts'
import { drawCritical } from './waterfall.ts'

export const LANE = 20

/** Calls over time, each below its caller; the solid part of a block is its own work. */
export function flame(scene: Scene): TraceView {
  const { calls, timeline } = scene
  const lanes = new LaneIndex(scene)
  const head = ruler(scene)
  const canvas = make('canvas', { 'aria-hidden': 'true' })
  const stage = make('div', { class: 'stage' }, canvas)
  const room = make('div', { class: 'room' })
  const scroller = make(
    'div',
    {
      ...{ class: 'scroller', tabindex: 0, role: 'application' },
      'aria-label':
        'Flame: calls over time. j and k go to the next and previous call, h and l to caller and callee.',
    },
    stage,
    room,
  )
  const host = make('div', { class: 'timed' }, head.host, scroller)
  const box = () => ({
    left: scroller.getBoundingClientRect().left,
    width: scroller.clientWidth,
  })
  const rowUnder = (event: MouseEvent) => {
    const { left, width } = box()
    const y = event.clientY - scroller.getBoundingClientRect().top + scroller.scrollTop
    return lanes.rowAt(Math.floor(y / LANE), timeline.at(event.clientX - left, width), width)
  }
  wheeling(scroller, scene, box, () => scroller.scrollHeight > scroller.clientHeight + 1)
  dragging(scroller, scene, box, (dy) => {
    scroller.scrollTop -= dy
  })
  scroller.addEventListener('scroll', scene.redraw, { passive: true })
  scroller.addEventListener('click', (event) => {
    const row = rowUnder(event)
    if (row >= 0) scene.select(row)
  })
  scroller.addEventListener('dblclick', (event) => {
    const row = rowUnder(event)
    if (row >= 0) timeline.show(calls.from(row), calls.to(row))
    scene.redraw()
  })
  scroller.addEventListener('pointermove', (event) => scene.hover(rowUnder(event), event))
  scroller.addEventListener('pointerleave', () => scene.hover(-1, undefined))
  return {
    host,
    timed: true,
    draw() {
      const [width, height] = [scroller.clientWidth, scroller.clientHeight]
      room.style.height = `${calls.lanes.count * LANE + 8}px`
      drawRuler(head.canvas, scene, { left: 0, width, right: 0 })
      const pen = sized(canvas, width, height)
      const first = Math.floor(scroller.scrollTop / LANE)
      const last = Math.min(calls.lanes.count, first + Math.ceil(height / LANE) + 1)
      pen.font = '11px system-ui, sans-serif'
      for (let lane = first; lane < last; lane++) {
        const y = lane * LANE - scroller.scrollTop
        for (const row of lanes.inView(lane, width)) drawBlock(scene, pen, { row, y, width })
      }
    },
    reveal() {
      const row = scene.selected()
      if (row < 0) return
      const y = calls.lanes.lane[row]! * LANE
      const { scrollTop, clientHeight } = scroller
      if (y < scrollTop || y > scrollTop + clientHeight - LANE * 2) {
        scroller.scrollTop = y - clientHeight / 2
      }
      const [from, to] = [calls.from(row), calls.to(row)]
      if (to < timeline.from || from > timeline.to) {
        const middle = (from + to) / 2
        timeline.show(middle - timeline.length / 2, middle + timeline.length / 2)
      }
    },
    move(step) {
      const row = scene.selected()
      if (row < 0) return scene.select(0)
      const next = { down: row + 1, up: row - 1, in: row + 1, out: calls.parent[row]! }[step]
      if (step === 'in' && calls.end[row]! <= row + 1) return
      if (next >= 0 && next < calls.rows) scene.select(next)
    },
  }
}

/** Rows by lane in order of time, so that only what is in view is looked at. */
class LaneIndex {
  readonly #scene: Scene
  #rows: Int32Array | undefined
  #first: Int32Array = new Int32Array(0)

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** Rows of a lane that can be seen; of those closer than a pixel, the first. */
  *inView(lane: number, width: number): Generator<number> {
    const { calls, timeline } = this.#scene
    const rows = this.#laneOf(lane)
    const pixel = timeline.length / Math.max(1, width)
    let at = Math.max(0, this.#firstEndingAfter(rows, timeline.from))
    while (at < rows.length) {
      const row = rows[at]!
      const from = calls.from(row)
      if (from > timeline.to) return
      yield row
      const next = at + 1
      const until = Math.max(calls.to(row), from + pixel) - pixel / 2
      // The next one that is not wholly within the pixel drawn last.
      at =
        next < rows.length && calls.to(rows[next]!) < until + pixel
          ? Math.max(next, this.#firstEndingAfter(rows, until + pixel, next))
          : next
    }
  }

  rowAt(lane: number, us: number, width: number): number {
    const { calls, timeline } = this.#scene
    if (lane < 0 || lane >= calls.lanes.count) return -1
    const rows = this.#laneOf(lane)
    const slack = timeline.length / Math.max(1, width)
    const row = rows[this.#firstEndingAfter(rows, us - slack)]
    return row !== undefined && calls.from(row) <= us + slack ? row : -1
  }

  #laneOf(lane: number): Int32Array {
    if (this.#rows === undefined) this.#sort()
    return this.#rows!.subarray(this.#first[lane]!, this.#first[lane + 1]!)
  }

  #sort(): void {
    const { calls } = this.#scene
    const { lane, count } = calls.lanes
    const rows = Int32Array.from({ length: calls.rows }, (_, row) => row)
    rows.sort((one, other) => lane[one]! - lane[other]! || calls.from(one) - calls.from(other))
    this.#first = new Int32Array(count + 1)
    for (const at of lane) this.#first[at + 1]!++
    for (let at = 0; at < count; at++) this.#first[at + 1]! += this.#first[at]!
    this.#rows = rows
  }

  /** Within a lane nothing overlaps, so ends are in order as beginnings are. */
  #firstEndingAfter(rows: Int32Array, us: number, from = 0): number {
    let [low, high] = [from, rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#scene.calls.to(rows[middle]!) < us) low = middle + 1
      else high = middle
    }
    return low
  }
}

function drawBlock(
  scene: Scene,
  pen: CanvasRenderingContext2D,
  { row, y, width }: { row: number; y: number; width: number },
): void {
  const { calls, timeline, paint, selected, found } = scene
  const colors = paint()
  const x = (us: number) => Math.min(width + 4, Math.max(-4, timeline.x(us, width)))
  const [from, to] = [x(calls.from(row)), x(calls.to(row))]
  const long = Math.max(1, to - from - 1)
  const color = colors.colorOf(row)
  const high = LANE - 4
  pen.globalAlpha = calls.has('operation', row) ? 0.75 : 0.4
  pen.fillStyle = color
  pen.fillRect(from, y, long, high)
  pen.globalAlpha = 1
  if (long > 4) {
    for (const [begin, end] of calls.ownWork(row)) {
      pen.fillRect(x(begin), y, Math.max(0.5, Math.min(x(end), from + long) - x(begin)), high)
    }
  }
  if (calls.failed(row)) {
    pen.fillStyle = colors.hatch(pen, colors.failure)
    pen.fillRect(from, y, long, high)
  }
  drawCritical(scene, pen, { x, y: y + high, row })
  const marked = row === selected() ? colors.ink : found().has(row) ? colors.path : undefined
  if (marked !== undefined || (calls.failed(row) && long > 3)) {
    pen.strokeStyle = marked ?? colors.failure
    pen.lineWidth = marked === undefined ? 1.5 : 2
    pen.strokeRect(from + 1, y + 1, Math.max(1, long - 2), high - 2)
  }
  if (long > 34) writeName(pen, calls, { row, x: Math.max(0, from), y, to: from + long, colors })
}

/** On a plate of its own: the block's colour changes beneath it. */
function writeName(
  pen: CanvasRenderingContext2D,
  calls: Scene['calls'],
  at: { row: number; x: number; y: number; to: number; colors: ReturnType<Scene['paint']> },
): void {
  const { row, x, y, to, colors } = at
  const sign = calls.failed(row) ? '▲ ' : ''
  const words = fitted(pen, `${sign}${calls.name(row)}  ${calls.total(row)}`, to - x - 10)
  if (words === '') return
  pen.globalAlpha = 0.86
  pen.fillStyle = colors.paper
  pen.fillRect(x + 3, y + 2, pen.measureText(words).width + 6, LANE - 8)
  pen.globalAlpha = 1
  pen.fillStyle = calls.failed(row) ? colors.failure : colors.ink
  pen.fillText(words, x + 6, y + 12)
}
