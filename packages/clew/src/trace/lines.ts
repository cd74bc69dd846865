import type {
  Edge,
  Entry,
  EntryKind,
  Fold,
  Missing,
  Pause,
  Relay,
  Trace,
  TraceSource,
} from './entry.ts'
import { EDGES, PAUSES, REASONS, STATUSES } from './format.ts'

/** Longest text kept of a field, in UTF-16 units: beyond, no name or id means anything to anybody. */
const MAX_FIELD = 4_096
const MAX_STEPS = 1_024

/** Takes a value as it stands in a line; undefined where it is not what the field holds. */
type Read = (value: unknown) => unknown

/** Key in the line, key in the object, how it is read, and whether a line without it is damaged. */
type Field = readonly [key: string, property: string, read: Read, needed?: 'needed']

const text: Read = (value) => {
  if (typeof value !== 'string') return undefined
  return value.length > MAX_FIELD ? `${value.slice(0, MAX_FIELD)}…` : value
}
const someText: Read = (value) => (value === '' ? undefined : text(value))
const textOrNull: Read = (value) => (value === null ? null : text(value))
const textOrNone: Read = (value) => text(value) ?? ''
const number: Read = (value) => (Number.isFinite(value) ? value : undefined)
const count: Read = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? value : undefined
const flag: Read = (value) => (typeof value === 'boolean' ? value : undefined)
const FILE_EDGES: readonly Edge[] = [...EDGES, 'local']
const edge: Read = (value) => (FILE_EDGES.includes(value as never) ? value : undefined)
const share: Read = (value) =>
  (value as number) >= 0 && (value as number) <= 1 ? number(value) : undefined
const pauseKind: Read = (value) => (PAUSES.includes(value as never) ? value : undefined)
const SOURCES: readonly TraceSource[] = ['otlp', 'jaeger', 'zipkin']
/** A status that nobody here knows still says that it was not `ok`. */
const status: Read = (value) => {
  if (STATUSES.includes(value as never)) return value
  return typeof value === 'string' ? 'error' : undefined
}
const reason: Read = (value) => (REASONS.includes(value as never) ? value : 'unreadable')
const path: Read = (value) => {
  if (!Array.isArray(value)) return undefined
  const steps = value.slice(0, MAX_STEPS).map((step) => take(STEP, Object(step)))
  return steps.some((step) => typeof step === 'string') ? undefined : steps
}

const foreign: Read = (value) => {
  const taken = take(FOREIGN, Object(value))
  return typeof taken === 'string' ? undefined : taken
}

const named: Read = (value) => {
  const taken = take(NAMED, Object(value))
  return typeof taken === 'string' ? undefined : taken
}

/** Most attributes kept of an entry. */
const MAX_ATTRIBUTES = 128
const attributes: Read = (value) => {
  if (typeof value !== 'object' || value === null) return undefined
  const taken: [string, unknown][] = []
  for (const [key, told] of Object.entries(value).slice(0, MAX_ATTRIBUTES)) {
    const kept = typeof told === 'boolean' ? told : (number(told) ?? text(told))
    if (kept !== undefined) taken.push([key.slice(0, MAX_FIELD), kept])
  }
  return taken.length === 0 ? undefined : Object.fromEntries(taken)
}

const NAMED: readonly Field[] = [
  ['service', 'service', text, 'needed'],
  ['method', 'method', text, 'needed'],
]

const FOREIGN: readonly Field[] = [
  ['trace', 'trace', someText, 'needed'],
  ['parent', 'parent', someText, 'needed'],
]

const STEP: readonly Field[] = [
  ['service', 'service', text, 'needed'],
  ['method', 'method', text, 'needed'],
  ['id', 'id', text],
]

const PLACE: readonly Field[] = [
  ['host', 'host', textOrNone],
  ['service', 'service', text, 'needed'],
  ['method', 'method', text, 'needed'],
]

/** What follows the time of an entry. */
const ENTRY: readonly Field[] = [
  ['id', 'id', someText, 'needed'],
  ['trace', 'trace', text],
  ['parent', 'parent', textOrNull],
  ['pid', 'pid', count],
  ['edge', 'edge', edge],
  ['seq', 'seq', count],
  ['attempt', 'attempt', count],
  ['redelivered', 'redelivered', flag],
  ['inFlight', 'inFlight', count],
  ['busy', 'busy', share],
  ['version', 'version', text],
  ['from', 'from', named],
  ['attributes', 'attributes', attributes],
  ['foreign', 'foreign', foreign],
  ['status', 'status', status],
  ['error', 'error', text],
  ['calls', 'calls', count],
  ['late', 'late', flag],
]

const FOLD: readonly Field[] = [
  ['fold', 'timeMs', number, 'needed'],
  ['trace', 'trace', text],
  ['parent', 'parent', text, 'needed'],
  ['edge', 'edge', edge],
  ['count', 'count', count, 'needed'],
  ['calls', 'calls', count, 'needed'],
  ['min', 'minMs', number, 'needed'],
  ['median', 'medianMs', number, 'needed'],
  ['max', 'maxMs', number, 'needed'],
  ['sum', 'sumMs', number, 'needed'],
]

const WHOLE_ENTRY = [...PLACE, ...ENTRY]
const WHOLE_FOLD = [...PLACE, ...FOLD]

const MISSING: readonly Field[] = [
  ['missing', 'calls', count, 'needed'],
  ['trace', 'trace', text],
  ['parent', 'parent', text, 'needed'],
  ['reason', 'reason', reason],
]

const RELAY: readonly Field[] = [
  ['relay', 'path', path, 'needed'],
  ['trace', 'trace', text],
  ['below', 'below', text, 'needed'],
]

const PAUSE: readonly Field[] = [
  ['pause', 'kind', pauseKind, 'needed'],
  ['trace', 'trace', text],
  ['host', 'host', textOrNone],
  ['pid', 'pid', count],
  ['from', 'timeMs', number, 'needed'],
  ['ms', 'ms', number, 'needed'],
]

/** Milliseconds with three decimals where that is exact, so that columns line up; else all digits. */
function time(ms: number): string {
  const fixed = ms.toFixed(3)
  return Number(fixed) === ms ? fixed : JSON.stringify(ms)
}

/** `"key":value,` for every field that has a value. */
function put(fields: readonly Field[], from: object): string {
  let line = ''
  for (const [key, property] of fields) {
    const value = (from as Values)[property]
    if (value !== undefined) line += `"${key}":${JSON.stringify(value)},`
  }
  return line
}

const ended = (line: string) => `{${line.slice(0, -1)}}\n`

/** The paper's five keys first: the key of the time is the kind of the entry. */
const entryLine = (entry: Entry) =>
  ended(`${put(PLACE, entry)}"${entry.kind}":${time(entry.timeMs)},${put(ENTRY, entry)}`)

/** Entries as lines of a trace file, each with a line feed behind it. */
export function encodeEntries(entries: readonly Entry[]): string {
  let lines = ''
  for (const entry of entries) lines += entryLine(entry)
  return lines
}

/** A trace as lines of a trace file: its entries, then what else is known of it. */
export function encodeTrace(trace: Trace): string {
  const id = trace.id === '' ? {} : { trace: trace.id }
  let lines = ''
  for (const entry of trace.entries) lines += entryLine({ ...id, ...entry })
  for (const fold of trace.folds) lines += ended(put(PLACE, fold) + put(FOLD, { ...id, ...fold }))
  for (const missing of trace.missing) lines += ended(put(MISSING, { ...id, ...missing }))
  for (const relay of trace.relays) lines += ended(put(RELAY, { ...id, ...relay }))
  for (const pause of trace.pauses ?? []) lines += ended(put(PAUSE, { ...id, ...pause }))
  if (trace.source !== undefined) lines += `${JSON.stringify({ source: trace.source, ...id })}\n`
  if (!trace.complete) lines += `${JSON.stringify({ partial: true, ...id })}\n`
  return lines
}

/** What one line, or one element of a list, says. */
export type Line = { readonly trace: string | undefined } & (
  | { readonly entry: Entry }
  | { readonly fold: Fold }
  | { readonly missing: Missing }
  | { readonly relay: Relay }
  | { readonly pause: Pause }
  | { readonly source: TraceSource }
  | { readonly partial: true }
)

type Values = Readonly<Record<string, unknown>>

/** Reads all fields; or the key of the first that is needed and is not there. */
function take<T extends object>(fields: readonly Field[], from: Values): T | string {
  const taken: Record<string, unknown> = {}
  for (const [key, property, read, needed] of fields) {
    const value = read(from[key])
    if (value !== undefined) taken[property] = value
    else if (needed) return key
  }
  return taken as T
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  'rpc-request': 'rpc-request',
  'rpc-receive': 'rpc-receive',
  'rpc-recv': 'rpc-receive',
  'rpc-start': 'rpc-start',
  'rpc-respond': 'rpc-respond',
  'rpc-finish': 'rpc-finish',
}

/**
 * Understands one JSON object.
 * @returns what it says, or in words why it says nothing
 */
export function readLine(line: string): Line | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return 'is not JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object'
  const values = value as Values
  const trace = text(values.trace) as string | undefined
  if (values.partial === true) return { trace, partial: true }
  if ('missing' in values)
    return told(take<Missing>(MISSING, values), (missing) => ({ trace, missing }))
  if ('relay' in values) return told(take<Relay>(RELAY, values), (relay) => ({ trace, relay }))
  if ('pause' in values) return told(take<Pause>(PAUSE, values), (pause) => ({ trace, pause }))
  if ('source' in values) {
    const source = SOURCES.find((one) => one === values.source)
    return source === undefined ? 'has no source that is known' : { trace, source }
  }
  if ('fold' in values) {
    return told(take<Fold>(WHOLE_FOLD, values), (fold) => ({ trace, fold }))
  }
  const [kind, timeMs] = momentOf(values)
  if (kind === undefined) return 'has no moment of a call, such as rpc-request'
  if (timeMs === undefined) return `has no ${kind} that is a time`
  const rest = take<Omit<Entry, 'kind' | 'timeMs'>>(WHOLE_ENTRY, values)
  return told(rest, (fields) => ({ trace, entry: { kind, timeMs, ...fields } }))
}

const told = <T extends object>(taken: T | string, then: (taken: T) => Line): Line | string =>
  typeof taken === 'string' ? `has no ${taken} that makes sense` : then(taken)

function momentOf(values: Values): [EntryKind | undefined, number | undefined] {
  const plain = typeof values.kind === 'string'
  const key = plain
    ? (values.kind as string)
    : (Object.keys(KINDS).find((kind) => Object.hasOwn(values, kind)) ?? '')
  const kind = Object.hasOwn(KINDS, key) ? KINDS[key] : undefined
  return [kind, number(plain ? values.time : values[key]) as number | undefined]
}
