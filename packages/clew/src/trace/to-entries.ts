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

type Optional = { -readonly [Key in keyof Entry]?: Entry[Key] }

const toMs = (us: number) => us / 1000

/** The caller's entries of a call; no finish while it is pending. */
export function callerEntries(record: CallRecord, side: Side): [Entry, Entry | undefined] {
  const { service, method, id } = record
  const same = { host: side.host, pid: side.pid, service, method, id, trace: side.trace }
  const request: Optional = { seq: record.seq }
  if (side.parent !== undefined) request.parent = side.parent
  if (record.edge !== 'call') request.edge = record.edge
  if (record.attempt !== 1) request.attempt = record.attempt
  const first: Entry = {
    kind: 'rpc-request',
    timeMs: toMs(record.requestUs),
    ...same,
    ...request,
  }
  if (record.finishUs === undefined) return [first, undefined]
  const finish: Optional = {}
  if (side.parent !== undefined) finish.parent = side.parent
  if (record.status !== 'ok') finish.status = record.status
  if (record.error !== undefined) finish.error = record.error
  return [first, { kind: 'rpc-finish', timeMs: toMs(record.finishUs), ...same, ...finish }]
}

/** The callee's entries of a call: receive, start where known, and respond, unless it is still running. */
export function calleeEntries(
  call: { readonly id: string; readonly service: string; readonly method: string },
  own: ReadOwn,
  side: Side & { readonly late: boolean; readonly edge?: Entry['edge'] },
): { readonly begin: Entry[]; readonly respond: ((calls: number) => Entry) | undefined } {
  const { id, service, method } = call
  const same = { host: side.host, pid: side.pid, service, method, id, trace: side.trace }
  const parent: Optional = side.parent === undefined ? {} : { parent: side.parent }
  const receive: Optional = { inFlight: own.inFlight }
  if (side.edge !== undefined && side.edge !== 'call') receive.edge = side.edge
  if (own.attempt !== undefined && own.attempt > 1) receive.attempt = own.attempt
  if (own.redelivered) receive.redelivered = true
  if (own.foreign !== undefined) receive.foreign = own.foreign
  if (own.busy !== undefined) receive.busy = own.busy
  if (own.version !== undefined) receive.version = own.version
  const running = own.status === 'pending'
  if (running) receive.runningMs = Math.max(0, toMs(own.respondUs - own.receiveUs))
  const asked = valuesOf(own.values, 'args')
  if (asked !== undefined) receive.attributes = asked
  const begin: Entry[] = [
    { kind: 'rpc-receive', timeMs: toMs(own.receiveUs), ...same, ...parent, ...receive },
  ]
  if (own.startUs !== undefined) {
    begin.push({ kind: 'rpc-start', timeMs: toMs(own.startUs), ...same, ...parent })
  }
  const respond = (calls: number): Entry => {
    const ending: Optional = { calls: own.calls ?? calls }
    if (own.status !== 'ok') ending.status = own.status
    if (own.error !== undefined) ending.error = own.error
    const told = valuesOf(own.values, 'result')
    if (told !== undefined) ending.attributes = told
    if (side.late) ending.late = true
    return { kind: 'rpc-respond', timeMs: toMs(own.respondUs), ...same, ...parent, ...ending }
  }
  return { begin, respond: running ? undefined : respond }
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
