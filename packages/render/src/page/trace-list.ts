import { formatMs } from 'clew/trace'
import type { PageContent } from '../html/format.ts'
import { grouped } from '../words.ts'
import { make } from './dom.ts'

/** The traces of the file, where there are several. */
export function traceList(
  content: PageContent,
  goTo: (trace: number) => void,
): { readonly host: HTMLElement; readonly choose: (trace: number) => void } {
  const { traces, notices } = content
  const host = make('details', { class: 'traces' })
  if (traces.length === 1) {
    host.hidden = true
    return { host, choose: () => {} }
  }
  const which = make('b')
  const lines = traces.map((trace, index) => {
    const [duration, calls, , errors] = trace.figures
    const line = make(
      'button',
      { type: 'button' },
      make('span', { class: 'number' }, String(index + 1)),
      make('span', { class: 'time' }, duration?.value ?? formatMs(trace.totalUs / 1000)),
      make('span', { class: 'what' }, make('b', {}, trace.title), ` ${trace.service}`),
      make('span', { class: 'quiet' }, `${calls?.value ?? '?'} calls`),
      make(
        'span',
        { class: errors?.tone === 'failure' ? 'failed' : 'quiet' },
        errors?.tone === 'failure' ? `▲ ${errors.value} failed` : '',
      ),
      make('span', { class: 'quiet when' }, trace.when),
    )
    line.addEventListener('click', () => goTo(index))
    return line
  })
  host.append(
    make('summary', {}, which, make('span', { class: 'quiet' }, ' · choose another ([ and ])')),
    make('div', { class: 'list' }, ...lines),
    ...notices.map((notice) => make('p', { class: 'notice' }, notice)),
  )
  return {
    host,
    choose(trace) {
      which.textContent = `Trace ${grouped(trace + 1)} of ${grouped(traces.length)}`
      for (const [index, line] of lines.entries()) {
        line.setAttribute('aria-current', String(index === trace))
      }
    },
  }
}
