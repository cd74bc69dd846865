import type { PageContent } from '../html/format.ts'
import { make } from './dom.ts'
import { listenToKeys } from './keys.ts'
import { onThemeChange } from './paint.ts'
import { type Place, read, written } from './state.ts'
import { traceList } from './trace-list.ts'
import { TracePage } from './trace-page.ts'

/** Shows the traces, and keeps the address and what is looked at the same. */
export function openPage(app: HTMLElement, content: PageContent): void {
  if (content.traces.length === 0) {
    app.replaceChildren(make('p', { class: 'nothing' }, 'There is no trace in this file.'))
    return
  }
  const spoken = make('div', { class: 'spoken', role: 'status', 'aria-live': 'polite' })
  const below = make('div', { class: 'trace' })
  let ours = ''
  let page: TracePage
  const told = (place: Place) => {
    ours = written(place)
    history.replaceState(undefined, '', `#${ours}`)
  }
  const show = (place: Place) => {
    page = new TracePage(content, place, { told, say, goTo })
    below.replaceChildren(page.host)
    list.choose(place.trace)
    page.drawNow()
    say(content.traces[place.trace]!.sentences.join(' '))
  }
  const say = (words: string) => {
    if (spoken.textContent !== words) spoken.textContent = words
  }
  const goTo = (trace: number) => {
    const known = Math.min(content.traces.length - 1, Math.max(0, trace))
    const { view, query } = page.place
    const place: Place = { view, query, trace: known, zoom: undefined, selected: '' }
    show(place)
    told(place)
  }
  const list = traceList(content, goTo)
  app.replaceChildren(spoken, list.host, below)
  show(read(location.hash, content.traces.length))
  window.addEventListener('hashchange', () => {
    if (location.hash.replace(/^#/, '') !== ours) show(read(location.hash, content.traces.length))
  })
  window.addEventListener('resize', () => page.redraw())
  onThemeChange(() => page.themeChanged())
  listenToKeys(() => page)
}
