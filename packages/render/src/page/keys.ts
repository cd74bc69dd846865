import { VIEWS } from './state.ts'
import type { TracePage } from './trace-page.ts'

type Action = (page: TracePage) => void

const zoom =
  (factor: number): Action =>
  (page) => {
    page.timeline.zoom(factor)
    page.redraw()
  }

const pan =
  (share: number): Action =>
  (page) => {
    page.timeline.pan(share)
    page.redraw()
  }

const ACTIONS: Readonly<Record<string, Action>> = {
  j: (page) => page.move('down'),
  ArrowDown: (page) => page.move('down'),
  k: (page) => page.move('up'),
  ArrowUp: (page) => page.move('up'),
  l: (page) => page.move('in'),
  ArrowRight: (page) => page.move('in'),
  h: (page) => page.move('out'),
  ArrowLeft: (page) => page.move('out'),
  e: (page) => page.nextError(1),
  E: (page) => page.nextError(-1),
  c: (page) => page.nextCritical(1),
  C: (page) => page.nextCritical(-1),
  n: (page) => page.nextFound(1),
  N: (page) => page.nextFound(-1),
  w: zoom(1 / 1.3),
  s: zoom(1.3),
  a: pan(-0.15),
  d: pan(0.15),
  f: (page) => page.fit(),
  0: (page) => {
    page.timeline.reset()
    page.redraw()
  },
  '/': (page) => page.toolbar.focusSearch(),
  '?': (page) => page.toolbar.help(),
  '[': (page) => page.goTo(-1),
  ']': (page) => page.goTo(1),
  y: (page) => copyLink(page),
  ...Object.fromEntries(
    VIEWS.map((view, index): [string, Action] => [String(index + 1), (page) => page.show(view)]),
  ),
}

/** Keys of the whole page; what is typed into the search stays there. */
export function listenToKeys(current: () => TracePage): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const page = current()
    const target = event.target instanceof Element ? event.target : undefined
    if (target?.closest('dialog') !== null && target?.closest('dialog') !== undefined) {
      if (event.key === '?') page.toolbar.help()
      return
    }
    if (target instanceof HTMLInputElement) {
      if (event.key === 'Enter') page.nextFound(event.shiftKey ? -1 : 1)
      else if (event.key !== 'Escape') return
      if (event.key === 'Escape' && target.value !== '') page.search('')
      page.toolbar.blur(event.key === 'Escape')
      event.preventDefault()
      return
    }
    if (event.key === 'Escape') page.search('')
    // A button is pressed by Enter and Space; arrows scroll what is no list of calls.
    const act = ACTIONS[event.key]
    if (act === undefined || !Object.hasOwn(ACTIONS, event.key)) return
    event.preventDefault()
    act(page)
  })
}

function copyLink(page: TracePage): void {
  const copied = navigator.clipboard?.writeText(location.href)
  if (copied === undefined) page.say('the link is in the address bar')
  else {
    copied.then(
      () => page.say('link copied'),
      () => page.say('the link is in the address bar'),
    )
  }
}
