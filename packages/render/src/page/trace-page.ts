import type { PageContent } from '../html/format.ts'
import { callTreeView } from './call-tree.ts'
import { Calls } from './calls.ts'
import { drawDetail } from './detail.ts'
import { make } from './dom.ts'
import { flame } from './flame.ts'
import { headerOf } from './header.ts'
import { legend } from './legend.ts'
import { methodTable } from './method-table.ts'
import { Minimap } from './minimap.ts'
import { type Paint, paintOf } from './paint.ts'
import { matching } from './search.ts'
import type { Place, View } from './state.ts'
import { Timeline } from './timeline.ts'
import { Toolbar } from './toolbar.ts'
import type { Scene, TraceView } from './view.ts'
import { waterfall } from './waterfall.ts'

export interface Told {
  /** What is looked at has changed. */
  readonly told: (place: Place) => void
  /** For assistive technology. */
  readonly say: (words: string) => void
  readonly goTo: (trace: number) => void
}

const MAKERS: Readonly<Record<View, (scene: Scene) => TraceView>> = {
  waterfall,
  flame,
  tree: callTreeView,
  table: methodTable,
}

/** One trace: its header, four views of it, and the details of the selected call. */
export class TracePage {
  readonly host: HTMLElement
  readonly calls: Calls
  readonly timeline: Timeline
  readonly toolbar: Toolbar
  readonly #content: PageContent
  readonly #told: Told
  readonly #trace: number
  readonly #scene: Scene
  readonly #views = new Map<View, TraceView>()
  readonly #stage = make('main', {})
  readonly #detail = make('aside', { 'aria-label': 'Selected call' })
  readonly #tip = make('div', { class: 'tip', 'aria-hidden': 'true' })
  readonly #minimap: Minimap
  #view: View
  #selected = -1
  #query = ''
  #found: readonly number[] = []
  #foundSet: ReadonlySet<number> = new Set()
  #paint: Paint | undefined
  #asked = false

  constructor(content: PageContent, place: Place, told: Told) {
    const trace = content.traces[place.trace]!
    this.#content = content
    this.#told = told
    this.#trace = place.trace
    this.calls = new Calls(content, trace)
    this.timeline = new Timeline(trace.fromUs, trace.toUs)
    this.#scene = this.#sceneOf()
    this.#view = place.view
    this.toolbar = new Toolbar(this)
    this.#minimap = new Minimap(this.#scene)
    if (place.zoom !== undefined) this.timeline.show(...place.zoom)
    this.#selected = this.#rowOf(place.selected)
    this.#find(place.query)
    const body = make('div', { class: 'body' }, this.#stage, this.#detail)
    this.host = make(
      'div',
      { class: 'page' },
      ...[headerOf(trace), this.toolbar.host, this.#minimap.host, body, legend(), this.#tip],
    )
  }

  get place(): Place {
    const { from, to, isWhole } = this.timeline
    return {
      ...{ view: this.#view, trace: this.#trace, query: this.#query },
      zoom: isWhole ? undefined : [from, to],
      selected: this.#addressOf(this.#selected),
    }
  }

  /** Draws before the next picture of the screen, once. */
  redraw = (): void => {
    if (this.#asked) return
    this.#asked = true
    requestAnimationFrame(() => {
      this.#asked = false
      if (this.host.isConnected) this.drawNow()
    })
  }

  drawNow(): void {
    const view = this.#viewOf(this.#view)
    if (this.#stage.firstElementChild !== view.host) this.#stage.replaceChildren(view.host)
    this.toolbar.draw(
      this.#view,
      this.#query,
      this.#found.length,
      this.#found.indexOf(this.#selected),
    )
    this.#minimap.host.hidden = !view.timed
    if (view.timed) this.#minimap.draw()
    // First: it may take room from the view.
    if (this.#detailOf !== this.#selected) {
      drawDetail(this.#detail, this.#scene, { fit: () => this.fit() })
      this.#detailOf = this.#selected
    }
    if (!this.#revealed) {
      view.reveal()
      this.#revealed = true
    }
    view.draw()
    this.#told.told(this.place)
  }

  #revealed = false
  #detailOf: number | undefined

  themeChanged(): void {
    this.#paint = undefined
    this.#detailOf = undefined
    this.#minimap.forget()
    this.redraw()
  }

  show(view: View): void {
    this.#view = view
    this.#revealed = false
    this.redraw()
    this.#stage.querySelector<HTMLElement>('.scroller')?.focus({ preventScroll: true })
  }

  select(row: number): void {
    this.#selected = row
    this.#revealed = false
    if (row >= 0) {
      const { calls } = this
      const error = calls.failed(row) ? `, ${calls.text('error', row) || calls.status(row)}` : ''
      this.#told.say(`${calls.name(row)}, ${calls.total(row)}${error}`)
    }
    this.redraw()
  }

  move(step: 'down' | 'up' | 'in' | 'out'): void {
    this.#viewOf(this.#view).move(step)
  }

  /** Shows all of the selected call and nothing else. */
  fit(): void {
    const row = this.#selected
    if (row < 0) return
    this.timeline.show(this.calls.from(row), this.calls.to(row))
    this.redraw()
  }

  /** The next, or the one before, of rows in order; from the selected one on, around the end. */
  next(rows: readonly number[], by: 1 | -1): void {
    if (rows.length === 0) return
    const at = this.#selected
    const after = by > 0 ? rows.find((row) => row > at) : rows.findLast((row) => row < at)
    this.select(after ?? (by > 0 ? rows[0]! : rows.at(-1)!))
  }

  nextError(by: 1 | -1): void {
    if (this.calls.errors.length === 0) this.#told.say('no call failed')
    this.next(this.calls.errors, by)
  }

  /** Along the critical path in order of time. */
  nextCritical(by: 1 | -1): void {
    const { row } = this.calls.trace.critical
    if (row.length === 0) return
    let at = row.indexOf(this.#selected)
    if (at >= 0 && this.#step !== undefined && row[this.#step] === this.#selected) at = this.#step
    this.#step = at < 0 ? (by > 0 ? 0 : row.length - 1) : (at + by + row.length) % row.length
    this.select(row[this.#step]!)
  }

  #step: number | undefined

  nextFound(by: 1 | -1): void {
    this.next(this.#found, by)
  }

  search(query: string): void {
    this.#find(query)
    if (this.#found.length > 0 && !this.#foundSet.has(this.#selected)) this.nextFound(1)
    this.#told.say(query === '' ? '' : `${this.#found.length} calls found`)
    this.redraw()
  }

  goTo(by: 1 | -1): void {
    const trace = this.#trace + by
    if (trace >= 0 && trace < this.#content.traces.length) this.#told.goTo(trace)
  }

  say(words: string): void {
    this.#told.say(words)
  }

  #find(query: string): void {
    this.#query = query
    this.#found = matching(this.calls, query)
    this.#foundSet = new Set(this.#found)
  }

  #viewOf(view: View): TraceView {
    const known = this.#views.get(view) ?? MAKERS[view](this.#scene)
    this.#views.set(view, known)
    return known
  }

  #sceneOf(): Scene {
    return {
      calls: this.calls,
      timeline: this.timeline,
      paint: () => {
        this.#paint ??= paintOf(this.calls)
        return this.#paint
      },
      selected: () => this.#selected,
      found: () => this.#foundSet,
      select: (row) => this.select(row),
      search: (query) => this.search(query),
      redraw: () => this.redraw(),
      hover: (row, event) => this.#hover(row, event),
    }
  }

  #hover(row: number, event: PointerEvent | undefined): void {
    this.#tip.hidden = row < 0 || event === undefined || event.buttons !== 0
    if (row < 0 || event === undefined) return
    const { calls } = this
    const self = calls.column.self[row]!
    const own = Number.isNaN(self) ? '' : ` · self ${(self / 1000).toFixed(2)} ms`
    const error = calls.failed(row) ? ` · ▲ ${calls.text('error', row) || calls.status(row)}` : ''
    this.#tip.textContent = `${calls.name(row)} · ${calls.total(row)}${own}${error}`
    const width = document.documentElement.clientWidth
    this.#tip.style.left = `${Math.max(4, Math.min(event.clientX + 12, width - this.#tip.offsetWidth - 8))}px`
    this.#tip.style.top = `${event.clientY + 18}px`
  }

  /** The call's id, or its row where others have the same id. */
  #addressOf(row: number): string {
    if (row < 0) return ''
    const id = this.calls.text('id', row)
    return id !== '' && !id.startsWith('#') && this.#rowOf(id) === row ? id : `#${row}`
  }

  #rowOf(address: string): number {
    if (address === '') return -1
    const [, number] = /^#(\d{1,9})$/.exec(address) ?? []
    if (number !== undefined) return Number(number) < this.calls.rows ? Number(number) : -1
    for (let row = 0; row < this.calls.rows; row++) {
      if (this.calls.text('id', row) === address) return row
    }
    return -1
  }
}
