import { button, make } from './dom.ts'
import { VIEWS, type View } from './state.ts'
import type { Timeline } from './timeline.ts'

const NAMES: Readonly<Record<View, string>> = {
  waterfall: 'Waterfall',
  flame: 'Flame',
  tree: 'Call tree',
  table: 'Methods',
}

const KEYS: readonly (readonly [string, string])[] = [
  ['1 – 4', 'waterfall, flame, call tree, methods'],
  ['j k', 'next and previous call (also ↓ ↑)'],
  ['l h', 'open, to the first callee; close, to the caller (also → ←)'],
  ['e E', 'next and previous failed call'],
  ['c C', 'next and previous on the critical path'],
  ['/', 'search: orders, service:orders, method:get, host:w7, err:1, dur:>200ms, self:>5ms'],
  ['n N', 'next and previous call found'],
  ['w s', 'zoom in and out (also Ctrl and the wheel)'],
  ['a d', 'to the left and right (also dragging, or Shift and the wheel)'],
  ['f', 'zoom to the selected call'],
  ['0', 'the whole trace'],
  ['[ ]', 'previous and next trace'],
  ['y', 'copy a link to what is seen'],
  ['Esc', 'clear the search'],
]

/** What the toolbar's buttons do. */
export interface Steered {
  readonly timeline: Timeline
  readonly redraw: () => void
  readonly show: (view: View) => void
  readonly search: (query: string) => void
  readonly nextFound: (by: 1 | -1) => void
}

/** Which view, the search, and the zoom. */
export class Toolbar {
  readonly host: HTMLElement
  readonly #tabs: ReadonlyMap<View, HTMLButtonElement>
  readonly #search: HTMLInputElement
  readonly #count = make('span', { class: 'count' })
  readonly #help = make('dialog', { 'aria-label': 'Keys' })

  constructor(page: Steered) {
    const tabs = VIEWS.map((view, index) => {
      const title = `${NAMES[view]} (${index + 1})`
      const tab = button(NAMES[view], title, () => page.show(view), { role: 'tab' })
      return [view, tab] as const
    })
    this.#tabs = new Map(tabs)
    this.#search = make('input', {
      ...{ type: 'search', placeholder: 'Search  ( / )', 'aria-label': 'Search calls' },
      ...{ spellcheck: 'false', autocomplete: 'off', maxlength: 200 },
    })
    this.#search.addEventListener('input', () => page.search(this.#search.value))
    const zoom = (factor: number) => () => {
      page.timeline.zoom(factor)
      page.redraw()
    }
    const whole = () => {
      page.timeline.reset()
      page.redraw()
    }
    const tools = [
      button('−', 'Zoom out (s)', zoom(1.6)),
      button('+', 'Zoom in (w)', zoom(1 / 1.6)),
      button('Whole', 'Show the whole trace (0)', whole),
      button('?', 'Keys (?)', () => this.help()),
    ]
    this.host = make(
      'nav',
      { class: 'toolbar', 'aria-label': 'Views, search and zoom' },
      make(
        'div',
        { class: 'tabs', role: 'tablist', 'aria-label': 'Views' },
        ...this.#tabs.values(),
      ),
      make(
        'div',
        { class: 'search', role: 'search' },
        this.#search,
        this.#count,
        button('↑', 'Previous call found (N)', () => page.nextFound(-1)),
        button('↓', 'Next call found (n)', () => page.nextFound(1)),
      ),
      make('div', { class: 'tools' }, ...tools),
      this.#help,
    )
    this.#fillHelp()
  }

  draw(view: View, query: string, found: number, at: number): void {
    for (const [name, tab] of this.#tabs) tab.setAttribute('aria-selected', String(name === view))
    if (document.activeElement !== this.#search && this.#search.value !== query) {
      this.#search.value = query
    }
    this.#count.textContent = query === '' ? '' : `${at >= 0 ? `${at + 1} of ` : ''}${found}`
    this.#count.classList.toggle('none', query !== '' && found === 0)
  }

  focusSearch(): void {
    this.#search.focus()
    this.#search.select()
  }

  /** Leaves the search field, so that keys go to the page again. */
  blur(clear: boolean): void {
    if (clear) this.#search.value = ''
    this.#search.blur()
  }

  help(): void {
    if (this.#help.open) this.#help.close()
    else this.#help.showModal()
  }

  #fillHelp(): void {
    const keys = make('dl', { class: 'keys' })
    for (const [key, words] of KEYS) keys.append(make('dt', {}, key), make('dd', {}, words))
    const close = button('Close', 'Close (Esc)', () => this.#help.close())
    this.#help.append(make('h2', {}, 'Keys'), keys, close)
  }
}
