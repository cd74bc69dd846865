import type { PageTrace } from '../html/format.ts'
import { make } from './dom.ts'

/** Name, verdict and key figures of a trace, and what it lacks. */
export function headerOf(trace: PageTrace): HTMLElement {
  const figures = trace.figures.map(({ label, value, tone }) =>
    make(
      'div',
      { class: `figure ${tone}` },
      make('dt', {}, label),
      make('dd', {}, tone === 'failure' ? `▲ ${value}` : value),
    ),
  )
  const identity = [trace.id === '' ? '' : `trace ${trace.id}`, trace.when]
  return make(
    'header',
    {},
    make(
      'div',
      { class: 'titles' },
      make('h1', {}, trace.title, ' ', make('small', {}, trace.service)),
      make('p', { class: 'identity' }, identity.filter((part) => part !== '').join('  ·  ')),
    ),
    make('dl', { class: 'figures' }, ...figures),
    make(
      'div',
      { class: 'verdict' },
      ...trace.sentences.map((sentence) => make('p', {}, sentence)),
    ),
    ...(trace.notices.length === 0
      ? []
      : [
          make(
            'ul',
            { class: 'notices', 'aria-label': 'What this trace lacks' },
            ...trace.notices.map((notice) => make('li', {}, notice)),
          ),
        ]),
  )
}
