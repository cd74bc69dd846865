import { formatMs, formatShare } from 'clew/trace'
import { EDGES } from '../html/format.ts'
import { utc } from '../words.ts'
import type { Calls } from './calls.ts'
import { button, make } from './dom.ts'
import { rowName } from './names.ts'
import type { Scene } from './view.ts'

const EDGE_WORDS: Readonly<Record<(typeof EDGES)[number], string>> = {
  call: 'called, and waited for',
  event: 'event',
  down: 'operation one layer down',
  next: 'called, not waited for',
  local: 'work within one process',
}

const STAMPS = ['request', 'receive', 'start', 'respond', 'finish'] as const

/** Everything that is known of the selected call. */
export function drawDetail(
  host: HTMLElement,
  scene: Scene,
  act: { readonly fit: () => void },
): void {
  const row = scene.selected()
  host.classList.toggle('empty', row < 0)
  if (row < 0) {
    host.replaceChildren(
      make('p', { class: 'quiet' }, 'Choose a call to see its ids, stamps, host and error.'),
    )
    return
  }
  const { calls } = scene
  const title = make('h2', {}, ...rowName(calls, row, scene.paint()))
  const facts = make('dl')
  for (const [term, words] of factsOf(calls, row)) {
    if (words !== '') facts.append(make('dt', {}, term), make('dd', {}, words))
  }
  const buttons = make(
    'div',
    { class: 'buttons' },
    button('Zoom to it', 'Zoom to the call (f)', act.fit),
    button('Caller', 'Go to its caller', () => {
      if (calls.parent[row]! >= 0) scene.select(calls.parent[row]!)
    }),
    button('Same method', 'Find all calls of this method', () => {
      const words = [calls.text('service', row), calls.text('method', row)]
      const word = words.map((one) => one.split(/\s/)[0] ?? '')
      scene.search(`service:${word[0]} method:${word[1]}`)
    }),
  )
  host.replaceChildren(title, buttons, facts, stampsOf(calls, row))
}

const time = (us: number) => (Number.isNaN(us) ? '' : formatMs(us / 1000))

function factsOf(calls: Calls, row: number): readonly (readonly [string, string])[] {
  const { column, trace } = calls
  const of = (name: 'total' | 'handle' | 'self') => time(column[name][row]!)
  const status = calls.status(row)
  const error = calls.text('error', row)
  const critical = calls.critical[row]!
  const share = trace.totalUs > 0 ? ` · ${formatShare(critical / trace.totalUs)} of the whole` : ''
  const pid = column.pid[row]!
  const busy = column.busy[row]!
  return [
    ['Status', status === 'ok' ? 'ok' : `▲ ${status}${error === '' ? '' : `: ${error}`}`],
    ['Note', calls.text('note', row)],
    ['Total', of('total')],
    ['Handle', of('handle')],
    ['Self', of('self')],
    ['On the way', legsOf(calls, row)],
    ['Critical path', critical > 0 ? `${time(critical)}${share}` : 'not on it'],
    ['Begins at', time(column.offset[row]!)],
    ['Host', `${calls.text('host', row)}${Number.isNaN(pid) ? '' : ` · process ${pid}`}`],
    ['Caller on', calls.text('callerHost', row)],
    [
      'In flight',
      Number.isNaN(column.inFlight[row]!) ? '' : `${column.inFlight[row]} calls, this one included`,
    ],
    ['Event loop', Number.isNaN(busy) ? '' : `${Math.round(busy / 10)} % busy`],
    ['Version', calls.text('version', row)],
    ['How', EDGE_WORDS[EDGES[column.edge[row]!] ?? 'call']],
    ['Level', String(column.depth[row]!)],
    ['Call id', calls.text('id', row)],
    [
      'Seen',
      calls.text('presence', row) === ''
        ? ''
        : `${calls.text('presence', row)} (request, receive, respond, finish)`,
    ],
    ['Attributes', calls.text('attributes', row)],
  ]
}

/** Both ways through network, broker and queue; told apart only where the clocks allow it. */
function legsOf({ column }: Calls, row: number): string {
  const [request, reply, error] = [
    column.requestLeg[row]!,
    column.replyLeg[row]!,
    column.legError[row]!,
  ]
  const whole = column.total[row]! - column.handle[row]!
  if (Number.isNaN(whole)) return ''
  if (Number.isNaN(request) || Number.isNaN(error)) return `${time(Math.max(0, whole))} in all`
  return `${time(request)} to it, ${time(reply)} back, each ± ${time(error)}`
}

/** As the processes wrote them, each on its own clock: nothing here is aligned. */
function stampsOf(calls: Calls, row: number): HTMLElement {
  const table = make('table', { class: 'stamps' }, make('caption', {}, 'Raw stamps'))
  for (const name of STAMPS) {
    const us = calls.column[name][row]!
    if (Number.isNaN(us)) continue
    const callers = name === 'request' || name === 'finish'
    const at = calls.trace.startedMs + us / 1000
    const clock = callers ? "caller's clock" : "callee's clock"
    table.append(
      make(
        'tr',
        { title: utc(at) ?? '' },
        make('th', { scope: 'row' }, name),
        make('td', {}, `${us < 0 ? '−' : '+'}${(Math.abs(us) / 1000).toFixed(3)} ms`),
        make('td', { class: 'quiet' }, clock),
      ),
    )
  }
  return table
}
