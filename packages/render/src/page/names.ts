import { grouped } from '../words.ts'
import type { Calls } from './calls.ts'
import { make } from './dom.ts'
import type { Paint } from './paint.ts'

/** A row's name with its colour and what is special about it, in words. */
export function rowName(calls: Calls, row: number, paint: Paint): readonly Element[] {
  const kind = calls.kind(row)
  const service = calls.text('service', row)
  const method = calls.text('method', row)
  const square = make('span', { class: `square ${kind}`, 'aria-hidden': 'true' })
  if (kind === 'call') square.style.background = paint.colorOf(row)
  const parts: Element[] = [square]
  if (service !== '') parts.push(make('b', {}, service))
  parts.push(make('span', { class: 'method' }, method || (service === '' ? 'unknown' : '')))
  const count = calls.column.count[row]!
  if (kind === 'merged') parts.push(make('span', { class: 'pill dark' }, `×${grouped(count)}`))
  for (const mark of marksOf(calls, row)) parts.push(make('span', { class: 'pill' }, mark))
  if (calls.failed(row)) {
    const error = calls.text('error', row) || calls.status(row)
    parts.push(make('span', { class: 'failed', title: error }, `▲ ${error}`))
  } else if (calls.status(row) === 'pending') {
    parts.push(make('span', { class: 'pill' }, 'pending'))
  }
  return parts
}

function marksOf(calls: Calls, row: number): readonly string[] {
  if (calls.kind(row) !== 'call') return []
  const { attempt } = calls.column
  const marks: string[] = []
  if (calls.has('placeholder', row)) marks.push('no entries')
  if (calls.has('detached', row)) marks.push('not waited for')
  if (attempt[row]! > 1) marks.push(`try ${attempt[row]}`)
  if (calls.has('redelivered', row)) marks.push('redelivered')
  if (calls.has('late', row)) marks.push('late')
  return marks
}
