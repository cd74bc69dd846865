import { make } from './dom.ts'

export const ROW_HEIGHT = 26

/** What a list asks of whoever fills it. */
export interface RowSource {
  readonly label: string
  readonly columns: readonly string[]
  readonly count: () => number
  /** Level from 1, whether it can be opened and is, and what is in each column. */
  readonly rowAt: (index: number) => {
    readonly level: number
    readonly open: boolean | undefined
    readonly cells: readonly (readonly (Element | string)[])[]
    readonly kind: string
  }
  readonly select: (index: number) => void
  readonly toggle: (index: number) => void
  /** Told after the rows in view are made, to draw behind them. */
  readonly drawn?: (first: number, last: number, top: number) => void
}

/**
 * A list of any length of which only what is in view exists: a treegrid for assistive technology,
 * with the right counts and positions.
 */
export class RowList {
  readonly host: HTMLElement
  readonly canvas: HTMLCanvasElement
  readonly #scroller: HTMLElement
  readonly #rows: HTMLElement
  readonly #room: HTMLElement
  readonly #source: RowSource
  readonly #id: string
  #selected = -1

  constructor(source: RowSource, id: string, redraw: () => void) {
    this.#source = source
    this.#id = id
    this.canvas = make('canvas', { 'aria-hidden': 'true' })
    this.#rows = make('div', { class: 'rows', role: 'rowgroup' })
    this.#room = make('div', { class: 'room', role: 'presentation' })
    const stage = make('div', { class: 'stage', role: 'presentation' }, this.canvas, this.#rows)
    this.#scroller = make(
      'div',
      { class: 'scroller', role: 'treegrid', tabindex: 0, 'aria-label': source.label },
      stage,
      this.#room,
    )
    this.host = this.#scroller
    this.#scroller.addEventListener('scroll', redraw, { passive: true })
    this.#rows.addEventListener('click', (event) => this.#clicked(event))
  }

  get width(): number {
    return this.#scroller.clientWidth
  }

  get height(): number {
    return this.#scroller.clientHeight
  }

  get scrollable(): boolean {
    return this.#scroller.scrollHeight > this.#scroller.clientHeight + 1
  }

  scrollBy(pixels: number): void {
    this.#scroller.scrollTop += pixels
  }

  /** Brings a row into view. */
  reveal(index: number): void {
    const [top, height] = [index * ROW_HEIGHT, this.height]
    this.#room.style.height = `${this.#source.count() * ROW_HEIGHT}px`
    const { scrollTop } = this.#scroller
    if (top < scrollTop + ROW_HEIGHT) this.#scroller.scrollTop = top - ROW_HEIGHT
    else if (top > scrollTop + height - ROW_HEIGHT * 2) {
      this.#scroller.scrollTop = top - height + ROW_HEIGHT * 2
    }
  }

  draw(selected: number): void {
    const count = this.#source.count()
    this.#selected = selected
    this.#room.style.height = `${count * ROW_HEIGHT}px`
    const { scrollTop } = this.#scroller
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT))
    const last = Math.min(count, Math.ceil((scrollTop + this.height) / ROW_HEIGHT) + 1)
    this.#scroller.setAttribute('aria-rowcount', String(count))
    const rows: HTMLElement[] = []
    for (let index = first; index < last; index++) rows.push(this.#row(index, scrollTop))
    this.#rows.replaceChildren(...rows)
    const active = selected >= first && selected < last ? `${this.#id}-${selected}` : ''
    if (active === '') this.#scroller.removeAttribute('aria-activedescendant')
    else this.#scroller.setAttribute('aria-activedescendant', active)
    this.#source.drawn?.(first, last, first * ROW_HEIGHT - scrollTop)
  }

  #row(index: number, scrollTop: number): HTMLElement {
    const { level, open, cells, kind } = this.#source.rowAt(index)
    const isSelected = index === this.#selected
    const row = make('div', {
      ...{ class: `row ${kind}${isSelected ? ' selected' : ''}`, role: 'row' },
      ...{ id: `${this.#id}-${index}`, 'aria-rowindex': index + 1, 'aria-level': level },
      'aria-selected': String(isSelected),
      'aria-expanded': open === undefined ? undefined : String(open),
    })
    row.style.top = `${index * ROW_HEIGHT - scrollTop}px`
    row.dataset.index = String(index)
    for (const [column, contents] of cells.entries()) {
      const cell = make('div', { role: 'gridcell', class: `cell c${column}` })
      if (column === 0) {
        const indent = this.width < 640 ? INDENT / 2 : INDENT
        cell.style.paddingLeft = `${Math.min(level - 1, MOST_LEVELS) * indent + 4}px`
        const sign = open === undefined ? '' : open ? '▾' : '▸'
        cell.append(make('span', { class: 'fold', 'aria-hidden': 'true' }, sign))
      }
      cell.append(...contents)
      row.append(cell)
    }
    return row
  }

  #clicked(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return
    const row = event.target.closest<HTMLElement>('.row')
    const index = Number(row?.dataset.index ?? -1)
    if (index < 0) return
    if (event.target.closest('.fold') !== null) this.#source.toggle(index)
    this.#source.select(index)
  }
}

const INDENT = 14
/** Beyond, names would leave the picture; the level is told by `aria-level` and the details. */
const MOST_LEVELS = 9
