import { formatMs } from 'clew/trace'
import { fitted, make, sized } from './dom.ts'
import { dragging, wheeling } from './gestures.ts'
import { rowName } from './names.ts'
import { ROW_HEIGHT, RowList } from './row-list.ts'
import { drawRuler, ruler, ticksOf } from './ruler.ts'
import { TreeRows } from './tree-rows.ts'
import type { Scene, TraceView } from './view.ts'

/** A row a call over the time axis: names in the page, bars on a canvas behind them. */
export function waterfall(scene: Scene): TraceView {
  const { calls } = scene
  const rows = new TreeRows(calls)
  const head = ruler(scene)
  const list = new RowList(
    {
      label: 'Calls over time',
      columns: ['call', 'time', 'self'],
      count: () => rows.shown.length,
      rowAt(index) {
        const row = rows.shown[index]!
        const self = calls.column.self[row]!
        const critical = calls.critical[row]! >= calls.trace.totalUs / 10 && calls.trace.totalUs > 0
        return {
          level: calls.column.depth[row]! + 1,
          open: calls.end[row]! > row + 1 ? rows.isOpen(row) : undefined,
          kind: `${calls.kind(row)}${scene.found().has(row) ? ' found' : ''}`,
          cells: [
            rowName(calls, row, scene.paint()),
            [make('span', { class: 'spoken' }, calls.total(row))],
            [
              make(
                'span',
                { class: critical ? 'matters' : 'quiet' },
                Number.isNaN(self) ? '' : formatMs(self / 1000),
              ),
            ],
          ],
        }
      },
      select: (index) => scene.select(rows.shown[index]!),
      toggle(index) {
        rows.toggle(rows.shown[index]!)
        scene.redraw()
      },
      drawn: (first, last, top) => drawBars(scene, list, rows.shown.subarray(first, last), top),
    },
    'w',
    scene.redraw,
  )
  const host = make('div', { class: 'timed' }, head.host, list.host)
  const gutterOf = () => gutters(list.width)
  const stageAt = () => ({
    left: list.host.getBoundingClientRect().left + gutterOf().left,
    width: list.width - gutterOf().left - gutterOf().right,
  })
  wheeling(list.host, scene, stageAt, () => list.scrollable)
  dragging(list.host, scene, stageAt, (dy) => list.scrollBy(-dy))
  list.host.addEventListener('pointermove', (event) => {
    const y = event.clientY - list.host.getBoundingClientRect().top + list.host.scrollTop
    const inBars = event.clientX > stageAt().left
    scene.hover(inBars ? (rows.shown[Math.floor(y / ROW_HEIGHT)] ?? -1) : -1, event)
  })
  list.host.addEventListener('pointerleave', () => scene.hover(-1, undefined))
  return {
    host,
    timed: true,
    draw() {
      const { left, right } = gutterOf()
      host.style.setProperty('--gutter', `${left}px`)
      host.style.setProperty('--self', `${right}px`)
      drawRuler(head.canvas, scene, { left, width: list.width - left - right, right })
      list.draw(rows.indexOf(scene.selected()))
    },
    reveal() {
      rows.openTo(scene.selected())
      const index = rows.indexOf(scene.selected())
      if (index >= 0) list.reveal(index)
    },
    move: (step) => moveIn(scene, rows, step),
  }
}

/** Room for names, and for the time of one's own. */
function gutters(width: number): { readonly left: number; readonly right: number } {
  return {
    left: Math.round(Math.min(430, width * (width < 640 ? 0.46 : 0.34))),
    right: width >= 720 ? 78 : 0,
  }
}

/** `in` opens, then goes to the first callee; `out` closes, then goes to the caller. */
export function moveIn(scene: Scene, rows: TreeRows, step: 'down' | 'up' | 'in' | 'out'): void {
  const row = scene.selected()
  const at = rows.indexOf(row)
  const { calls } = scene
  if (at < 0) {
    scene.select(rows.shown[0] ?? -1)
    return
  }
  const isParent = calls.end[row]! > row + 1
  if (step === 'down' || step === 'up') {
    const next = rows.shown[at + (step === 'down' ? 1 : -1)]
    if (next !== undefined) scene.select(next)
  } else if (step === 'in') {
    if (!isParent) return
    if (rows.isOpen(row)) scene.select(row + 1)
    else rows.toggle(row)
  } else if (isParent && rows.isOpen(row)) {
    rows.toggle(row)
  } else if (calls.parent[row]! >= 0) {
    scene.select(calls.parent[row]!)
  }
  scene.redraw()
}

const BAR = { top: 6, height: 12 } as const

function drawBars(scene: Scene, list: RowList, rows: ArrayLike<number>, top: number): void {
  const { left, right } = gutters(list.width)
  const width = list.width - left - right
  const pen = sized(list.canvas, list.width, list.height)
  const { timeline, selected } = scene
  const paint = scene.paint()
  const frame = { left, width }
  for (let index = 0; index < rows.length; index++) {
    const y = top + index * ROW_HEIGHT
    if (rows[index] === selected()) {
      pen.fillStyle = paint.focus
      pen.fillRect(0, y, list.width, ROW_HEIGHT)
    }
  }
  pen.save()
  pen.beginPath()
  pen.rect(left, 0, width, list.height)
  pen.clip()
  pen.fillStyle = paint.grid
  for (const x of gridOf(timeline, width)) pen.fillRect(left + x, 0, 1, list.height)
  for (let index = 0; index < rows.length; index++) {
    drawBar(scene, pen, { ...frame, row: rows[index]!, y: top + index * ROW_HEIGHT })
  }
  pen.restore()
}

function gridOf(timeline: Scene['timeline'], width: number): readonly number[] {
  return ticksOf(timeline, width).map(({ us }) => Math.round(timeline.x(us, width)))
}

interface Bar {
  readonly row: number
  readonly y: number
  readonly left: number
  readonly width: number
}

/** Pale total, solid own work, the critical path below; the time beside it where there is room. */
function drawBar(scene: Scene, pen: CanvasRenderingContext2D, bar: Bar): void {
  const { calls, timeline } = scene
  const paint = scene.paint()
  const { row, left, width } = bar
  const [y, height] = [bar.y + BAR.top, BAR.height]
  const x = (us: number) => left + Math.min(width + 9, Math.max(-9, timeline.x(us, width)))
  const color = paint.colorOf(row)
  const [from, to] = [x(calls.from(row)), x(calls.to(row))]
  const long = Math.max(2, to - from)
  const failed = calls.failed(row)
  pen.globalAlpha = 0.32
  pen.fillStyle = color
  pen.fillRect(from, y, long, height)
  const { handleOffset, handle } = calls.column
  if (handle[row]! >= 0) {
    const begin = x(handleOffset[row]!)
    pen.globalAlpha = 0.42
    pen.fillRect(begin, y, x(handleOffset[row]! + handle[row]!) - begin, height)
  }
  pen.globalAlpha = 1
  if (long > 3) {
    for (const [begin, end] of calls.ownWork(row)) {
      pen.fillRect(x(begin), y, Math.max(1, x(end) - x(begin)), height)
    }
  }
  if (calls.has('operation', row)) pen.fillRect(from, y + 3, long, height - 6)
  if (failed) {
    pen.fillStyle = paint.hatch(pen, paint.failure)
    pen.fillRect(from, y, long, height)
  }
  if (failed || calls.status(row) === 'pending' || calls.kind(row) !== 'call') {
    pen.strokeStyle = failed ? paint.failure : paint.gap
    pen.setLineDash(failed ? [] : [3, 2])
    pen.lineWidth = 1.5
    pen.strokeRect(from + 0.75, y + 0.75, Math.max(0.5, long - 1.5), height - 1.5)
    pen.setLineDash([])
  }
  drawLegs(scene, pen, { x, y, row })
  drawCritical(scene, pen, { x, y: y + height + 2, row })
  drawLabel(scene, pen, { from, to: from + long, y: y + height - 2, row, left, width })
}

/** Where the callee's clock only allows a guess when its work began: as wide as the bound. */
function drawLegs(
  { calls, paint }: Scene,
  pen: CanvasRenderingContext2D,
  { x, y, row }: { x: (us: number) => number; y: number; row: number },
): void {
  const error = calls.column.legError[row]!
  const begin = calls.column.handleOffset[row]!
  if (!(error > 0) || Number.isNaN(begin)) return
  pen.strokeStyle = paint().quiet
  for (const at of [begin, begin + calls.column.handle[row]!]) {
    const [from, to] = [
      Math.max(x(at - error), x(calls.from(row))),
      Math.min(x(at + error), x(calls.to(row))),
    ]
    if (to - from < 4) continue
    pen.fillStyle = paint().hatch(pen, paint().quiet)
    pen.fillRect(from, y + 3, to - from, BAR.height - 6)
  }
}

/** Where the critical path ran through a row. */
export function drawCritical(
  { calls, paint }: Scene,
  pen: CanvasRenderingContext2D,
  { x, y, row }: { x: (us: number) => number; y: number; row: number },
): void {
  const { from, to } = calls.trace.critical
  pen.fillStyle = paint().path
  let drawnTo = Number.NEGATIVE_INFINITY
  for (const index of calls.stretchesOf(row)) {
    const [begin, end] = [x(from[index]!), x(to[index]!)]
    // What lies within a pixel that is drawn already needs no ink.
    if (end <= drawnTo) continue
    drawnTo = Math.max(begin + 1, end)
    pen.fillRect(begin, y, drawnTo - begin, 3)
  }
}

function drawLabel(
  { calls, paint }: Scene,
  pen: CanvasRenderingContext2D,
  at: { from: number; to: number; y: number; row: number; left: number; width: number },
): void {
  const { row, y } = at
  const failed = calls.failed(row)
  const error = calls.text('error', row) || calls.status(row)
  const words = failed ? `${calls.total(row)} · ${error}` : calls.total(row)
  if (at.from > at.left + at.width || at.to < at.left) return
  pen.font = '600 11px system-ui, sans-serif'
  const wide = pen.measureText(words).width
  const [right, before] = [at.left + at.width - at.to - 12, at.from - at.left - 12]
  pen.fillStyle = failed ? paint().failure : paint().ink
  if (wide <= right) pen.fillText(words, at.to + 6, y)
  else if (wide <= before) pen.fillText(words, at.from - 6 - wide, y)
  else if (right > before) pen.fillText(fitted(pen, words, right), at.to + 6, y)
  else {
    const room = Math.min(at.to, at.left + at.width) - Math.max(at.from, at.left) - 8
    const text = fitted(pen, words, room)
    if (text === '') return
    const begin = Math.max(at.from, at.left) + 4
    const plate = pen.measureText(text).width + 6
    pen.fillStyle = paint().paper
    pen.fillRect(begin - 3, y - 9, plate, 11)
    pen.fillStyle = failed ? paint().failure : paint().ink
    pen.fillText(text, begin, y)
  }
}
