import { formatMs } from 'clew/trace'
import { callsCard, fullName, smallCard } from '../layout/card-content.ts'
import { flameLanes } from '../layout/flame-layout.ts'
import { ownWorkOf } from '../outline/own-work.ts'
import type { Place } from '../outline/place.ts'
import { counted, grouped, percent } from '../words.ts'
import { columns, cut, printable } from './columns.ts'
import type { Page } from './page.ts'
import type { Role } from './paint.ts'

interface Block {
  readonly place: Place
  readonly from: number
  readonly to: number
}

/** Calls as blocks over time, callers above callees: `[orders.create 540 ms 88% ━━──━━]`. */
export function flameLines(page: Page): readonly string[] {
  const { outline, width, unicode, paint } = page
  const { shown, lane, count } = flameLanes(outline)
  const length = outline.toMs - outline.fromMs
  const at = (ms: number) => (length > 0 ? ((ms - outline.fromMs) / length) * width : 0)
  const lanes: Block[][] = Array.from({ length: count }, () => [])
  for (const [index, place] of shown.entries()) {
    const from = Math.min(width - 1, Math.max(0, Math.floor(at(place.offsetMs) + 1e-6)))
    const to = Math.min(width, Math.max(from + 1, Math.ceil(at(place.endMs) - 1e-6)))
    lanes[lane[index]!]!.push({ place, from, to })
  }
  let [hidden, hiddenMs] = [0, 0]
  const lines: string[] = []
  for (const blocks of lanes) {
    blocks.sort((one, other) => one.place.offsetMs - other.place.offsetMs)
    const parts: string[] = []
    let used = 0
    for (const block of blocks) {
      const from = Math.max(block.from, used)
      if (from >= block.to) {
        hidden += callsIn(block.place)
        hiddenMs += block.place.endMs - block.place.offsetMs
        continue
      }
      parts.push(' '.repeat(from - used), draw(page, { ...block, from }, at))
      used = block.to
    }
    if (parts.length > 0) lines.push(parts.join(''))
  }
  const end = printable(formatMs(length), unicode)
  const rule = (unicode ? '─' : '-').repeat(Math.max(0, width - columns(end) - 4))
  const signs = unicode ? '━ its own work   ─ waiting' : '= its own work   - waiting'
  const small =
    hidden > 0 ? `   ${counted(hidden, 'call')} too short to be drawn: ${formatMs(hiddenMs)}` : ''
  return [
    paint('quiet', `0 ${rule} ${end}`),
    ...lines,
    '',
    paint('quiet', cut(printable(signs + small, unicode), width)),
  ]
}

function callsIn(place: Place): number {
  if (place.kind === 'call') return 1
  if (place.kind === 'repeats') return place.calls.length
  return place.kind === 'merged' ? place.fold.calls : place.calls
}

function draw(page: Page, { place, from, to }: Block, at: (ms: number) => number): string {
  const { unicode, paint, tree } = page
  const room = to - from
  const role = roleOf(place)
  if (room === 1) return paint(role, unicode ? '▏' : '|')
  if (room < 5) return paint(role, `[${fill(page, place, from + 1, to - 1, at)}]`)
  const share = percent(place.endMs - place.offsetMs, tree.totalMs)
  const { name, service, time } = namesOf(place, page)
  const fitting = [`${name} ${time} ${share}`, name, service]
    .map((words) => printable(words, unicode))
    .find((words) => columns(words) <= room - 2)
  const words = fitting ?? cut(printable(room < 20 ? service : name, unicode), room - 2)
  const used = columns(words)
  const left = room - 2 - used
  const rest = left > 1 ? ` ${fill(page, place, to - left, to - 1, at)}` : ' '.repeat(left)
  return paint(role, `[${words}${rest}]`)
}

function namesOf(place: Place, { tree, unicode }: Page) {
  if (place.kind === 'folded' || place.kind === 'missing') {
    const { title } = smallCard(place)
    return { name: title, service: title, time: '' }
  }
  const card = callsCard(place, tree.totalMs, place.kind === 'call' && place.call === tree.root)
  const failed = card.condition.kind === 'failed' || card.condition.kind === 'unanswered'
  const sign = failed ? (unicode ? '✗ ' : 'x ') : ''
  const count = card.count > 1 ? ` ×${grouped(card.count)}` : ''
  return {
    name: `${sign}${fullName(card)}${count}`,
    service: `${sign}${card.service || card.method}`,
    time: card.figures[0].value,
  }
}

function roleOf(place: Place): Role {
  if (place.kind === 'folded' || place.kind === 'missing') return 'quiet'
  if (place.kind === 'call' && place.call.status !== 'ok' && place.call.status !== 'pending') {
    return 'failure'
  }
  return place.onPath ? 'path' : 'bar'
}

/** Heavy where its own work went on, light where it waited; by columns. */
function fill(
  { unicode }: Page,
  place: Place,
  from: number,
  to: number,
  at: (ms: number) => number,
): string {
  const [heavy, light] = unicode ? ['━', '─'] : ['=', '-']
  const signs = new Array<string>(Math.max(0, to - from)).fill(light!)
  for (const [fromMs, toMs] of ownWorkOf(place)) {
    const begin = Math.max(0, Math.round(at(fromMs)) - from)
    const end = Math.min(signs.length, Math.round(at(toMs)) - from)
    if (end > begin) signs.fill(heavy!, begin, end)
  }
  return signs.join('')
}
