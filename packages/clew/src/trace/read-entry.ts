import type { Entry } from './entry.ts'
import {
  attributes,
  count,
  duration,
  edge,
  flag,
  number,
  type Read,
  share,
  someText,
  status,
  text,
  textOrNull,
} from './field-values.ts'
import type { Interning } from './interning.ts'

type Values = Readonly<Record<string, unknown>>

type Reading = { -readonly [K in keyof Entry]: Entry[K] }

const KINDS = [
  'rpc-request',
  'rpc-receive',
  'rpc-recv',
  'rpc-start',
  'rpc-respond',
  'rpc-finish',
] as const

const pair =
  (first: string, second: string, read: Read): Read =>
  (value) => {
    const told = Object(value) as Values
    const [one, other] = [read(told[first]), read(told[second])]
    return one === undefined || other === undefined ? undefined : { [first]: one, [second]: other }
  }

/** What entries need not have. */
const OPTIONAL: readonly (readonly [keyof Entry, Read])[] = [
  ['trace', text],
  ['parent', textOrNull],
  ['pid', count],
  ['seq', count],
  ['inFlight', count],
  ['calls', count],
  ['edge', edge],
  ['attempt', count],
  ['redelivered', flag],
  ['busy', share],
  ['runningMs', duration],
  ['version', text],
  ['from', pair('service', 'method', text)],
  ['attributes', attributes],
  ['foreign', pair('trace', 'parent', someText)],
  ['status', status],
  ['error', text],
  ['late', flag],
]

/**
 * Reads an entry out of a line's values. What most entries have is written out, not in the table: there
 * may be millions of them, and so each takes a third of the time and half of the memory.
 * @returns the entry, or in words why it is none
 */
export function readEntry(values: Values, texts: Interning): Entry | string {
  const plain = typeof values.kind === 'string'
  const key = KINDS.find((one) => (plain ? one === values.kind : values[one] !== undefined))
  if (key === undefined) return 'has no moment of a call, such as rpc-request'
  const kind = key === 'rpc-recv' ? 'rpc-receive' : key
  const timeMs = number(plain ? values.time : values[key])
  if (timeMs === undefined) return `has no ${kind} that is a time`
  const [service, method, id] = [text(values.service), text(values.method), someText(values.id)]
  if (service === undefined) return lacking('service')
  if (method === undefined) return lacking('method')
  if (id === undefined) return lacking('id')
  const host = text(values.host) ?? ''
  const entry: Reading = {
    kind,
    timeMs,
    host: texts.of(host),
    service: texts.of(service),
    method: texts.of(method),
    id: texts.of(id),
  }
  for (const [key, read] of OPTIONAL) {
    if (values[key] === undefined) continue
    const value = read(values[key])
    if (value === undefined) continue
    ;(entry as Record<string, unknown>)[key] = typeof value === 'string' ? texts.of(value) : value
  }
  return entry
}

export const lacking = (key: string) => `has no ${key} that makes sense`
