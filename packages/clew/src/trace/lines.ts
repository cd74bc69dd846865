import type { Entry, Fold, Missing, Pause, Relay, Trace, TraceSource } from './entry.ts'
import {
  count,
  edge,
  number,
  pauseKind,
  type Read,
  reason,
  text,
  textOrNone,
} from './field-values.ts'
import type { Interning } from './interning.ts'
import { lacking, readEntry } from './read-entry.ts'

const MAX_STEPS = 1_024

/** Key in the line, key in the object, how it is read, and whether a line without it is damaged. */
type Field = readonly [key: string, property: string, read: Read, needed?: 'needed']

const SOURCES: readonly TraceSource[] = ['otlp', 'jaeger', 'zipkin']
const path: Read = (value) => {
  if (!Array.isArray(value)) return undefined
  const steps = value.slice(0, MAX_STEPS).map((step) => take(STEP, Object(step)))
  return steps.some((step) => typeof step === 'string') ? undefined : steps
}

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

/** What follows the time of an entry; read by `readEntry`. */
const ENTRY_KEYS = [
  'id',
  'trace',
  'parent',
  'pid',
  'edge',
  'seq',
  'attempt',
  'redelivered',
  'inFlight',
  'runningMs',
  'busy',
  'version',
  'from',
  'attributes',
  'foreign',
  'status',
  'error',
  'calls',
  'late',
] as const satisfies readonly (keyof Entry)[]

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

/** What is told in lines of their own, by the key that says so. */
const OTHERS = [
  ['missing', MISSING],
  ['relay', RELAY],
  ['pause', PAUSE],
  ['fold', WHOLE_FOLD],
] as const

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
function entryLine(entry: Entry): string {
  let line = `${put(PLACE, entry)}"${entry.kind}":${time(entry.timeMs)},`
  for (const key of ENTRY_KEYS) {
    if (entry[key] !== undefined) line += `"${key}":${JSON.stringify(entry[key])},`
  }
  return ended(line)
}

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
  if (trace.weight !== undefined && trace.weight !== 1) {
    lines += `${JSON.stringify({ weight: trace.weight, ...id })}\n`
  }
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
  | { readonly weight: number }
  | { readonly partial: true }
)

type Values = Readonly<Record<string, unknown>>

/** Reads all fields; or says in words which is needed and not there. */
function take(fields: readonly Field[], from: Values): object | string {
  const taken: Record<string, unknown> = {}
  for (const [key, property, read, needed] of fields) {
    const value = read(from[key])
    if (value !== undefined) taken[property] = value
    else if (needed) return lacking(key)
  }
  return taken
}

/**
 * Understands one JSON object.
 * @returns what it says, or in words why it says nothing
 */
export function readLine(line: string, texts: Interning): Line | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return 'is not JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object'
  const values = value as Values
  const trace = text(values.trace)
  if (values.partial === true) return { trace, partial: true }
  if (values.source !== undefined) {
    const source = SOURCES.find((one) => one === values.source)
    return source === undefined ? 'has no source that is known' : { trace, source }
  }
  if (values.weight !== undefined) {
    const weight = number(values.weight)
    return weight !== undefined && weight >= 1 ? { trace, weight } : 'has no weight of 1 or more'
  }
  for (const [key, fields] of OTHERS) {
    if (values[key] === undefined) continue
    const taken = take(fields, values)
    return typeof taken === 'string' ? taken : ({ trace, [key]: taken } as unknown as Line)
  }
  const entry = readEntry(values, texts)
  return typeof entry === 'string' ? entry : { trace, entry }
}
