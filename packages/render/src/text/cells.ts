import { formatMs } from 'clew/trace'
import { callsCard, fullName, smallCard } from '../layout/card-content.ts'
import type { CallPlace, MergedPlace, Place, RepeatsPlace } from '../outline/place.ts'
import { counted, grouped } from '../words.ts'
import type { Role } from './paint.ts'

/** What a line says about a place, not yet fitted into columns. */
export interface Cells {
  readonly name: string
  /** ` ×6`: what must stay when the name is shortened. */
  readonly count: string
  readonly host: string
  readonly total: string
  readonly self: string
  /** What became of it. */
  readonly note: string
  /** More about that, where there is room. */
  readonly detail: string
  readonly noteRole: Role
  readonly nameRole: Role | undefined
}

/** Signs before notes: failed, stopped waiting, not ended, not known. */
const UNICODE = { failed: '✗', unanswered: '✗', pending: '…', unknown: '?' } as const
const ASCII = { failed: 'x', unanswered: 'x', pending: '...', unknown: '?' } as const

export function cellsOf(
  place: Place,
  totalMs: number,
  options: { readonly isRoot: boolean; readonly unicode: boolean },
): Cells {
  const nameRole = place.onPath ? 'path' : undefined
  const quiet = {
    count: '',
    host: '',
    self: '',
    note: '',
    noteRole: 'quiet',
    nameRole: 'quiet',
  } as const
  switch (place.kind) {
    case 'missing': {
      const { title: name, detail } = smallCard(place)
      return { ...quiet, name, total: '', detail, noteRole: 'doubt', nameRole: 'doubt' }
    }
    case 'folded': {
      const { detail } = smallCard(place)
      const failed = place.failed > 0 ? { noteRole: 'failure' as const } : {}
      const total = `${place.why === 'middle' ? '' : 'sum '}${formatMs(place.sumMs)}`
      return { ...quiet, ...failed, name: `+${counted(place.calls, 'call')}`, total, detail }
    }
    case 'call':
    case 'repeats':
    case 'merged':
      return { ...ofCalls(place, totalMs, options), nameRole }
  }
}

function ofCalls(
  place: CallPlace | RepeatsPlace | MergedPlace,
  totalMs: number,
  options: { readonly isRoot: boolean; readonly unicode: boolean },
): Omit<Cells, 'nameRole'> {
  const content = callsCard(place, totalMs, options.isRoot)
  const { condition, figures, marks } = content
  const [first, second, third] = figures
  const signs = options.unicode ? UNICODE : ASCII
  const repeated = content.count > 1
  const name = fullName(content)
  const notes = [
    ...(condition.title === '' ? [] : [`${signOf(condition.kind, signs)} ${condition.title}`]),
    ...(repeated ? [`max ${second.value}`] : []),
    ...marks,
  ]
  return {
    name,
    count: repeated ? ` ×${grouped(content.count)}` : '',
    host: place.kind === 'merged' ? '' : content.host,
    total: repeated ? `med ${first.value}` : first.value,
    self: place.kind === 'call' ? third.value : '',
    note: notes.join(', '),
    detail: place.kind === 'merged' ? content.host : condition.detail,
    noteRole: roleOf(condition.kind),
  }
}

function signOf(kind: string, signs: typeof UNICODE | typeof ASCII): string {
  if (kind === 'failed' || kind === 'unanswered' || kind === 'pending') return signs[kind]
  return signs.unknown
}

function roleOf(kind: string): Role {
  if (kind === 'failed' || kind === 'unanswered') return 'failure'
  return kind === 'ok' ? 'quiet' : 'doubt'
}
