import type { Attributes, Entry } from './entry.ts'
import type { ReadOwn } from './items.ts'
import type { CallRecord, ValueRecord } from './records.ts'

/** Where entries of one side of a call were written, and to which trace they belong. */
export interface Side {
  readonly trace: string
  readonly host: string
  readonly pid: number
  readonly parent: string | null | undefined
}

/** The callee's side of a call, of which the block tells the rest. */
export interface CalleeSide extends Side {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly late: boolean
  readonly edge: Entry['edge']
}

// Entries are written out, what each of a kind has at once and the rest behind it: of a trace there are
// four for each call, and what is spread together is made several times, each time of another shape.

type Written = { -readonly [Key in keyof Entry]: Entry[Key] }

const toMs = (us: number) => us / 1000

/** The caller's first entry of a call. */
export function requestEntry(record: CallRecord, side: Side): Entry {
  const { service, method, id, seq, edge, attempt } = record
  const { trace, host, pid, parent = null } = side
  const timeMs = toMs(record.requestUs)
  const kind = 'rpc-request'
  const entry: Written = { kind, timeMs, host, pid, service, method, id, trace, parent, seq }
  if (edge !== 'call') entry.edge = edge
  if (attempt !== 1) entry.attempt = attempt
  return known(entry, side)
}

/** The caller's last entry of a call; undefined while it is pending. */
export function finishEntry(record: CallRecord, side: Side): Entry | undefined {
  if (record.finishUs === undefined) return undefined
  const { service, method, id, status, error } = record
  const { trace, host, pid, parent = null } = side
  const timeMs = toMs(record.finishUs)
  const kind = 'rpc-finish'
  const entry: Written = { kind, timeMs, host, pid, service, method, id, trace, parent }
  if (status !== 'ok') entry.status = status
  if (error !== undefined) entry.error = error
  return known(entry, side)
}

/** The callee's first entry of a call. */
export function receiveEntry(own: ReadOwn, side: CalleeSide): Entry {
  const { trace, host, pid, parent = null, service, method, id, edge } = side
  const { inFlight, attempt } = own
  const timeMs = toMs(own.receiveUs)
  const kind = 'rpc-receive'
  const entry: Written = { kind, timeMs, host, pid, service, method, id, trace, parent, inFlight }
  if (edge !== undefined && edge !== 'call') entry.edge = edge
  if (attempt !== undefined && attempt > 1) entry.attempt = attempt
  if (own.redelivered) entry.redelivered = true
  if (own.foreign !== undefined) entry.foreign = own.foreign
  if (own.busy !== undefined) entry.busy = own.busy
  if (own.version !== undefined) entry.version = own.version
  if (own.status === 'pending') {
    entry.runningMs = Math.max(0, toMs(own.respondUs - own.receiveUs))
  }
  const asked = valuesOf(own.values, 'args')
  if (asked !== undefined) entry.attributes = asked
  return known(entry, side)
}

/** The callee's entry of when its method began; undefined where that was at once. */
export function startEntry({ startUs }: ReadOwn, side: CalleeSide): Entry | undefined {
  if (startUs === undefined) return undefined
  const { trace, host, pid, parent = null, service, method, id } = side
  const timeMs = toMs(startUs)
  const kind = 'rpc-start'
  return known({ kind, timeMs, host, pid, service, method, id, trace, parent }, side)
}

/**
 * The callee's last entry of a call; undefined while it is running.
 * @param counted calls that its block has, where its record does not say how many it made
 */
export function respondEntry(own: ReadOwn, side: CalleeSide, counted: number): Entry | undefined {
  if (own.status === 'pending') return undefined
  const { trace, host, pid, parent = null, service, method, id } = side
  const calls = own.calls ?? counted
  const timeMs = toMs(own.respondUs)
  const kind = 'rpc-respond'
  const entry: Written = { kind, timeMs, host, pid, service, method, id, trace, parent, calls }
  if (own.status !== 'ok') entry.status = own.status
  if (own.error !== undefined) entry.error = own.error
  const told = valuesOf(own.values, 'result')
  if (told !== undefined) entry.attributes = told
  if (side.late) entry.late = true
  return known(entry, side)
}

/** Without a parent where that is not known. */
function known(entry: Entry, side: Side): Entry {
  if (side.parent !== undefined) return entry
  const { parent: _, ...rest } = entry
  return rest
}

/** Names come from outside: `__proto__` is one like any other. */
function valuesOf(
  values: readonly ValueRecord[] | undefined,
  of: ValueRecord['of'],
): Attributes | undefined {
  if (values === undefined) return undefined
  const pairs = values.filter((value) => value.of === of).map(({ name, text }) => [name, text])
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs)
}
