import type { Edge, Entry, EntryKind, Fold, Missing, Relay, Status, Trace } from './entry.ts'
import { EDGES, REASONS, STATUSES } from './format.ts'

/** Longest text kept of a field, in UTF-16 units: beyond, no name or id means anything to anybody. */
const MAX_FIELD = 4_096
const MAX_STEPS = 1_024

/** Milliseconds with three decimals where that is exact, so that columns line up; else all digits. */
function time(ms: number): string {
  const fixed = ms.toFixed(3)
  return Number(fixed) === ms ? fixed : JSON.stringify(ms)
}

type Field = readonly [key: string, value: unknown]

/** `,"key":value` for every field that has a value. */
function rest(fields: readonly Field[]): string {
  let text = ''
  for (const [key, value] of fields) {
    if (value !== undefined) text += `,"${key}":${JSON.stringify(value)}`
  }
  return text
}

/** The paper's five keys first: the key of the time is the kind of the entry. */
function entryLine(entry: Entry, trace: string | undefined): string {
  const head =
    `{"host":${JSON.stringify(entry.host)},"service":${JSON.stringify(entry.service)}` +
    `,"method":${JSON.stringify(entry.method)},"${entry.kind}":${time(entry.timeMs)}` +
    `,"id":${JSON.stringify(entry.id)}`
  const fields = rest([
    ['trace', entry.trace ?? trace],
    ['parent', entry.parent],
    ['pid', entry.pid],
    ['edge', entry.edge],
    ['seq', entry.seq],
    ['attempt', entry.attempt],
    ['redelivered', entry.redelivered],
    ['inFlight', entry.inFlight],
    ['status', entry.status],
    ['error', entry.error],
    ['calls', entry.calls],
    ['late', entry.late],
  ])
  return `${head}${fields}}\n`
}

/** Entries as lines of a trace file, each with a line feed behind it. */
export function encodeEntries(entries: readonly Entry[]): string {
  let text = ''
  for (const entry of entries) text += entryLine(entry, undefined)
  return text
}

/** A trace as lines of a trace file: its entries, then what else is known of it. */
export function encodeTrace(trace: Trace): string {
  const id = trace.id === '' ? undefined : trace.id
  let text = ''
  for (const entry of trace.entries) text += entryLine(entry, id)
  for (const fold of trace.folds) {
    const { host, service, method, timeMs } = fold
    text +=
      `{"host":${JSON.stringify(host)},"service":${JSON.stringify(service)}` +
      `,"method":${JSON.stringify(method)},"fold":${time(timeMs)}` +
      rest([
        ['trace', fold.trace ?? id],
        ['parent', fold.parent],
        ['count', fold.count],
        ['calls', fold.calls],
        ['min', fold.minMs],
        ['median', fold.medianMs],
        ['max', fold.maxMs],
        ['sum', fold.sumMs],
      ]) +
      '}\n'
  }
  for (const { parent, calls, reason, trace: own } of trace.missing) {
    const fields = rest([
      ['trace', own ?? id],
      ['parent', parent],
      ['reason', reason],
    ])
    text += `{"missing":${JSON.stringify(calls)}${fields}}\n`
  }
  for (const { below, path, trace: own } of trace.relays) {
    const fields = rest([
      ['trace', own ?? id],
      ['below', below],
    ])
    text += `{"relay":${JSON.stringify(path)}${fields}}\n`
  }
  if (!trace.complete) text += `{"partial":true${rest([['trace', id]])}}\n`
  return text
}

/** What one line, or one element of a list, says. */
export type Line = { readonly trace: string | undefined } & (
  | { readonly entry: Entry }
  | { readonly fold: Fold }
  | { readonly missing: Missing }
  | { readonly relay: Relay }
  | { readonly partial: true }
)

const KINDS: Readonly<Record<string, EntryKind>> = {
  'rpc-request': 'rpc-request',
  'rpc-receive': 'rpc-receive',
  'rpc-recv': 'rpc-receive',
  'rpc-start': 'rpc-start',
  'rpc-respond': 'rpc-respond',
  'rpc-finish': 'rpc-finish',
}

type Values = Readonly<Record<string, unknown>>

/**
 * Understands one JSON object.
 * @returns what it says, or in words why it says nothing
 */
export function readLine(text: string): Line | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object'
  const values = value as Values
  const trace = texted(values.trace)
  if ('missing' in values) return readMissing(values, trace)
  if ('relay' in values) return readRelay(values, trace)
  if ('fold' in values) return readFold(values, trace)
  if (values.partial === true) return { trace, partial: true }
  return readEntry(values, trace)
}

function readEntry(values: Values, trace: string | undefined): Line | string {
  const { kind, timeMs } = momentOf(values)
  const { host, service, method, id } = values
  if (kind === undefined) return 'has no moment of a call, such as rpc-request'
  if (timeMs === undefined) return `has no time for ${kind}`
  if (typeof service !== 'string' || typeof method !== 'string') return 'has no service or method'
  if (typeof id !== 'string' || id === '') return 'has no id'
  const entry: { -readonly [Key in keyof Entry]: Entry[Key] } = {
    kind,
    timeMs,
    host: texted(host) ?? '',
    service: short(service),
    method: short(method),
    id: short(id),
  }
  if (trace !== undefined) entry.trace = trace
  const parent = values.parent === null ? null : texted(values.parent)
  if (parent !== undefined) entry.parent = parent
  const pid = counted(values.pid)
  if (pid !== undefined) entry.pid = pid
  if (EDGES.includes(values.edge as Edge)) entry.edge = values.edge as Edge
  for (const key of ['seq', 'attempt', 'inFlight', 'calls'] as const) {
    const count = counted(values[key])
    if (count !== undefined) entry[key] = count
  }
  for (const key of ['redelivered', 'late'] as const) {
    const flag = values[key]
    if (typeof flag === 'boolean') entry[key] = flag
  }
  const status = statusOf(values.status)
  if (status !== undefined) entry.status = status
  const error = texted(values.error)
  if (error !== undefined) entry.error = error
  return { trace, entry }
}

function momentOf(values: Values): { kind?: EntryKind | undefined; timeMs?: number | undefined } {
  if (typeof values.kind === 'string') {
    const kind = Object.hasOwn(KINDS, values.kind) ? KINDS[values.kind] : undefined
    return { kind, timeMs: finite(values.time) }
  }
  for (const key in KINDS) {
    if (Object.hasOwn(values, key)) return { kind: KINDS[key], timeMs: finite(values[key]) }
  }
  return {}
}

function readFold(values: Values, trace: string | undefined): Line | string {
  const parent = texted(values.parent)
  const [timeMs, minMs, medianMs, maxMs, sumMs] = [
    finite(values.fold),
    finite(values.min),
    finite(values.median),
    finite(values.max),
    finite(values.sum),
  ]
  const [count, calls] = [counted(values.count), counted(values.calls)]
  if (parent === undefined || count === undefined || calls === undefined) {
    return 'is a fold without parent or counts'
  }
  if (
    timeMs === undefined ||
    minMs === undefined ||
    medianMs === undefined ||
    maxMs === undefined ||
    sumMs === undefined
  ) {
    return 'is a fold without times'
  }
  const names = {
    host: texted(values.host) ?? '',
    service: texted(values.service) ?? '',
    method: texted(values.method) ?? '',
  }
  const times = { minMs, medianMs, maxMs, sumMs, timeMs }
  const fold = { parent, ...names, count, calls, ...times }
  return { trace, fold: trace === undefined ? fold : { ...fold, trace } }
}

function readMissing(values: Values, trace: string | undefined): Line | string {
  const parent = texted(values.parent)
  const calls = counted(values.missing)
  if (parent === undefined || calls === undefined)
    return 'tells of missing calls without parent or count'
  const known = REASONS.includes(values.reason as Missing['reason'])
  const reason = known ? (values.reason as Missing['reason']) : 'unreadable'
  const missing = { parent, calls, reason }
  return { trace, missing: trace === undefined ? missing : { ...missing, trace } }
}

function readRelay(values: Values, trace: string | undefined): Line | string {
  const below = texted(values.below)
  const steps = values.relay
  if (below === undefined || !Array.isArray(steps)) return 'is a relay without path or call below'
  const path: Relay['path'][number][] = []
  for (const step of steps.slice(0, MAX_STEPS) as unknown[]) {
    const { service, method, id } = (
      typeof step === 'object' && step !== null ? step : {}
    ) as Values
    if (typeof service !== 'string' || typeof method !== 'string') return 'is a relay without names'
    const place = { service: short(service), method: short(method) }
    path.push(typeof id === 'string' ? { ...place, id: short(id) } : place)
  }
  return { trace, relay: trace === undefined ? { below, path } : { below, path, trace } }
}

const short = (text: string) => (text.length > MAX_FIELD ? `${text.slice(0, MAX_FIELD)}…` : text)
const texted = (value: unknown) => (typeof value === 'string' ? short(value) : undefined)
const finite = (value: unknown) =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
const counted = (value: unknown) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

/** A status that nobody here knows still says that it was not `ok`. */
function statusOf(value: unknown): Status | undefined {
  if (typeof value !== 'string') return undefined
  return STATUSES.includes(value as Status) ? (value as Status) : 'error'
}
