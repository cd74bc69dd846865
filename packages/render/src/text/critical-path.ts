import { callName, formatMs, formatShare } from 'clew/trace'
import { wrapText } from '../layout/measure.ts'
import {
  type CriticalPart,
  type CriticalStep,
  criticalParts,
  criticalSteps,
  type Leg,
} from '../outline/critical-steps.ts'
import { counted, grouped } from '../words.ts'
import { columns, cut, padded, printable } from './columns.ts'
import type { Page } from './page.ts'

/** One line: a stretch, or several short ones in a row that are told together. */
interface Line {
  readonly fromMs: number
  readonly toMs: number
  readonly ms: number
  readonly leg: string
  readonly name: string
  readonly role: 'quiet' | undefined
}

const LEG: Readonly<Record<Leg, string>> = {
  work: 'work',
  wait: 'way',
  queue: 'queue',
  unknown: '?',
}

const PART: Readonly<Record<Leg, string>> = {
  work: 'work of',
  wait: 'on the way to and from',
  queue: 'in the queue of',
  unknown: 'without a profile, in',
}

/** Columns before the name, and from which width on each is there. */
const FIGURES = [
  { title: 'AT', columns: 9, side: 'right', from: 64 },
  { title: 'TOOK', columns: 9, side: 'right', from: 0 },
  { title: 'SHARE', columns: 8, side: 'right', from: 50 },
  { title: 'SO FAR', columns: 7, side: 'right', from: 74 },
  { title: 'LEG', columns: 5, side: 'left', from: 0 },
] as const

const MOST_PARTS = 5
/** Lines of stretches; who wants all of them asks for all. */
const MOST_LINES = 40

/** The critical path: what to look at first, then its stretches in order of time. */
export function criticalPathLines(page: Page, full: boolean): readonly string[] {
  const steps = criticalSteps(page.tree)
  const { totalMs } = page.tree
  if (steps.length === 0 || !(totalMs > 0)) {
    return [page.paint('quiet', 'There is no critical path: nothing in this trace took time.')]
  }
  return [
    ...lookFirst(page, criticalParts(steps)),
    '',
    ...table(page, folded(steps, full ? Number.POSITIVE_INFINITY : MOST_LINES)),
  ]
}

function lookFirst({ tree, paint, unicode, width }: Page, parts: readonly CriticalPart[]) {
  const shown = parts.slice(0, MOST_PARTS)
  const lines = shown.map((part, index) => {
    const share = formatShare(Math.min(1, part.ms / tree.totalMs))
    const many = part.calls > 1 ? `, ${counted(part.calls, 'call')}` : ''
    const on = part.host === undefined ? '' : ` on ${part.host}`
    // Told where it could change the order.
    const open = part.errorMs !== undefined && part.errorMs > part.ms / 20
    const error = open ? ` (± ${formatMs(part.errorMs)} between its legs)` : ''
    const words = `${PART[part.leg]} ${part.name}${on}${many}${error}`
    const figures = `${padded(printable(share, unicode), 8, 'right')} ${padded(printable(formatMs(part.ms), unicode), 9, 'right')}  `
    return `  ${paint(index === 0 ? 'path' : 'strong', figures)}${cut(printable(words, unicode), width - columns(figures) - 2)}`
  })
  const left = parts.slice(MOST_PARTS).reduce((sum, { ms }) => sum + ms, 0)
  const rest =
    left > 0
      ? [
          paint(
            'quiet',
            printable(
              `  and ${counted(parts.length - MOST_PARTS, 'more place')}: ${formatMs(left)}, ${formatShare(left / tree.totalMs)}`,
              unicode,
            ),
          ),
        ]
      : []
  return [paint('quiet', 'LOOK FIRST AT'), ...lines, ...rest]
}

/** The longest stretches, in order of time; what lies between two of them is one line. */
function folded(steps: readonly CriticalStep[], most: number): readonly Line[] {
  const ranked = [...steps].sort(
    (one, other) => other.toMs - other.fromMs - (one.toMs - one.fromMs),
  )
  // Between any two that are shown there may be a line for those that are not.
  const shown = new Set(steps.length <= most ? steps : ranked.slice(0, Math.max(1, most >> 1)))
  const lines: Line[] = []
  let short: CriticalStep[] = []
  const flush = () => {
    if (short.length > 0) lines.push(together(short))
    short = []
  }
  for (const step of steps) {
    if (!shown.has(step)) {
      short.push(step)
      continue
    }
    flush()
    lines.push(lineOf(step))
  }
  flush()
  return lines
}

function lineOf({ call, leg, fromMs, toMs }: CriticalStep): Line {
  const name = callName(call)
  return { ...{ fromMs, toMs, ms: toMs - fromMs, name, role: undefined }, leg: LEG[leg] }
}

function together(steps: readonly CriticalStep[]): Line {
  const [first] = steps
  if (steps.length === 1) return lineOf(first!)
  const ms = steps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  const name = `${grouped(steps.length)} shorter stretches`
  return { fromMs: first!.fromMs, toMs: steps.at(-1)!.toMs, ms, leg: '', name, role: 'quiet' }
}

function table(page: Page, lines: readonly Line[]): readonly string[] {
  const { tree, width, unicode, paint } = page
  const say = (text: string) => printable(text, unicode)
  // Whose time it was is worth more than when, and both more than the share.
  const kept = FIGURES.filter(({ from }) => width >= from)
  const figures = kept.reduce((sum, { columns: wide }) => sum + wide + 2, 0)
  const strip = width >= 84 ? Math.min(32, width - figures - 34) : 0
  const room = width - figures - (strip > 0 ? strip + 2 : 0)
  const end = say(formatMs(tree.totalMs))
  const rule = (unicode ? '─' : '-').repeat(Math.max(0, strip - columns(end) - 4))
  const axis = strip < columns(end) + 6 ? '' : `0 ${rule} ${end}`
  const join = (cells: Readonly<Record<(typeof FIGURES)[number]['title'], string>>) =>
    kept.map(({ title, columns: wide, side }) => padded(cells[title], wide, side)).join('  ')
  const heading = kept.map(({ title, columns: wide, side }) => padded(title, wide, side)).join('  ')
  let soFar = 0
  const from = tree.root.offsetMs
  const rows = lines.map(({ fromMs, toMs, ms, leg, name, role }) => {
    soFar += ms
    const share = ms / tree.totalMs
    const cells = join({
      AT: say(formatMs(fromMs - from)),
      TOOK: say(formatMs(ms)),
      SHARE: formatShare(share),
      'SO FAR': formatShare(Math.min(1, soFar / tree.totalMs)),
      LEG: leg,
    })
    const mark = role ?? (share >= 0.1 ? 'path' : undefined)
    const bar =
      strip > 0 ? `  ${stripOf(fromMs - from, toMs - from, tree.totalMs, strip, unicode)}` : ''
    return `${paint(mark, cells)}  ${paint(mark, padded(say(name), room))}${paint(share >= 0.1 ? 'path' : 'bar', bar)}`
  })
  const legs =
    'work: the method itself   way: network and broker   queue: in its process   ?: no profile'
  return [
    paint('quiet', `${heading}  ${padded('CALL', room)}${strip > 0 ? `  ${axis}` : ''}`.trimEnd()),
    ...rows,
    '',
    ...wrapText(say(legs), { width, lines: 4 }, columns).map((line) => paint('quiet', line)),
  ]
}

/** Where in the whole a stretch lies. */
function stripOf(fromMs: number, toMs: number, totalMs: number, width: number, unicode: boolean) {
  const at = (ms: number) => Math.min(width, Math.max(0, (ms / totalMs) * width))
  const first = Math.min(width - 1, Math.floor(at(fromMs) + 1e-6))
  const last = Math.max(first + 1, Math.ceil(at(toMs) - 1e-6))
  return ' '.repeat(first) + (unicode ? '━' : '=').repeat(last - first)
}
