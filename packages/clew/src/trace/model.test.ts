import fc from 'fast-check'
import type { Edge, Entry, EntryKind, Status } from './entry.ts'
import { type CallRecord, Log, type LogOwner, type OwnRecord } from './log.ts'

/** A call as tests make it up: what both sides saw, and what the callee called in its turn. */
export interface ModelCall {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly host: string
  readonly pid: number
  readonly edge: Edge
  readonly attempt: number
  readonly status: Status
  readonly error: string | undefined
  readonly skewUs: number
  readonly waitUs: number
  readonly startUs: number | undefined
  readonly workUs: number
  readonly inFlight: number
  readonly redelivered: boolean
  readonly answered: boolean
  readonly calls: readonly ModelCall[]
}

export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
export const ROOT_PLACE = { host: 'root-host', pid: 1 }
export const T0 = 1_795_386_521_833_470

const name = fc.oneof(
  fc.constantFrom('orders', 'products', 'orders.db', 'GET /orders/{id}', 'naïve café', '訂單'),
  fc.integer({ min: 0, max: 150 }).map((n) => `pipeline-${String(n).padStart(3, '0')}`),
  fc.string({ maxLength: 90 }).map((text) => text.toWellFormed()),
)

const own = {
  service: name,
  method: name,
  host: fc.constantFrom('root-host', 'vm-1', 'vm-2', 'ein-längerer-name'),
  pid: fc.constantFrom(1, 2, 40_000, 4_000_000),
  edge: fc.constantFrom<Edge>('call', 'call', 'call', 'event', 'next'),
  attempt: fc.constantFrom(1, 1, 1, 2, 7),
  status: fc.constantFrom<Status>('ok', 'ok', 'ok', 'error', 'timeout', 'rejected', 'lost'),
  error: fc.option(fc.constantFrom('NotFound', 'builtins.ValueError'), { nil: undefined, freq: 4 }),
  skewUs: fc.constantFrom(0, 0, -5_000_000, 123),
  waitUs: fc.integer({ min: 0, max: 30_000 }),
  startUs: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined, freq: 3 }),
  workUs: fc.integer({ min: 0, max: 5_000_000 }),
  inFlight: fc.integer({ min: 0, max: 300 }),
  redelivered: fc.boolean(),
}

/** Any tree of calls; ids are given afterwards so that none repeats. */
export const modelTree: fc.Arbitrary<ModelCall> = fc
  .letrec<{ call: ModelCall }>((tie) => ({
    call: fc.record({
      id: fc.constant(''),
      ...own,
      answered: fc.constantFrom(true, true, true, true, false),
      calls: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constant<ModelCall[]>([]).map(() => []),
        fc.array(tie('call'), { maxLength: 4 }),
      ),
    }),
  }))
  .call.map((root) => numbered(root, { last: 0 }))

/** A copy, since generated values are used again while a failure is made smaller. */
function numbered(call: ModelCall, count: { last: number }): ModelCall {
  const id = (++count.last).toString(16).padStart(16, 'a')
  const calls = call.answered ? call.calls.map((child) => numbered(child, count)) : []
  return { ...call, id, calls }
}

export function allCalls(root: ModelCall): ModelCall[] {
  const found: ModelCall[] = []
  const left = [root]
  for (let call = left.pop(); call !== undefined; call = left.pop()) {
    found.push(call)
    left.push(...call.calls.toReversed())
  }
  return found
}

/** A plain call for examples. */
export function modelCall(id: string, over: Partial<ModelCall> = {}): ModelCall {
  return {
    id,
    service: 'orders',
    method: 'get',
    host: 'vm-1',
    pid: 7,
    edge: 'call',
    attempt: 1,
    status: 'ok',
    error: undefined,
    skewUs: 0,
    waitUs: 500,
    startUs: undefined,
    workUs: 10_000,
    inFlight: 1,
    redelivered: false,
    answered: true,
    calls: [],
    ...over,
  }
}

export const tookUs = (call: ModelCall) => call.workUs + 2 * call.waitUs

export function recordOf(call: ModelCall, requestUs: number, seq: number): CallRecord {
  return {
    id: call.id,
    service: call.service,
    method: call.method,
    edge: call.edge,
    seq,
    attempt: call.attempt,
    requestUs,
    finishUs: requestUs + tookUs(call),
    status: call.status,
    error: call.error,
  }
}

export const ownerOf = (call: ModelCall): LogOwner => ({
  traceId: TRACE,
  callId: call.id,
  service: call.service,
  method: call.method,
  host: call.host,
  pid: call.pid,
})

export const receiveOf = (call: ModelCall, requestUs: number) =>
  requestUs + call.waitUs + call.skewUs

export function ownOf(call: ModelCall, receiveUs: number): OwnRecord {
  return {
    receiveUs,
    startUs: call.startUs === undefined ? undefined : receiveUs + call.startUs,
    respondUs: receiveUs + call.workUs,
    status: call.status,
    error: call.error,
    inFlight: call.inFlight,
    redelivered: call.redelivered,
    calls: call.calls.length,
  }
}

/** The log of a call's worker with all its calls appended, ready to be closed. */
export function logOf(
  call: ModelCall,
  requestUs: number,
  appended: (log: Log, index: number) => void = () => {},
): Log {
  const receiveUs = receiveOf(call, requestUs)
  const log = new Log(ownerOf(call), receiveUs)
  for (const [seq, child] of call.calls.entries()) {
    const childRequest = receiveUs + seq * 100
    const block = child.answered ? blockOf(child, childRequest, appended) : undefined
    log.append(recordOf(child, childRequest, seq), block)
    appended(log, seq)
  }
  return log
}

export function blockOf(
  call: ModelCall,
  requestUs: number,
  appended?: (log: Log, index: number) => void,
): Uint8Array {
  const log = logOf(call, requestUs, appended)
  return log.close(ownOf(call, receiveOf(call, requestUs)))
}

/** The entries that a call should leave, in bracket order, written down independently of any codec. */
export function entriesOf(call: ModelCall, requestUs: number): Entry[] {
  const entries: Entry[] = []
  entriesInto(entries, call, { requestUs, seq: 0, parent: null, ...ROOT_PLACE })
  return entries
}

function entriesInto(
  entries: Entry[],
  call: ModelCall,
  at: { requestUs: number; seq: number; parent: string | null; host: string; pid: number },
): void {
  const { requestUs, seq, parent, host, pid } = at
  const names = { service: call.service, method: call.method, id: call.id, trace: TRACE, parent }
  const ending = {
    ...(call.status === 'ok' ? {} : { status: call.status }),
    ...(call.error === undefined ? {} : { error: call.error }),
  }
  const edge = call.edge === 'call' ? {} : { edge: call.edge }
  entries.push({
    kind: 'rpc-request',
    timeMs: requestUs / 1000,
    host,
    pid,
    ...names,
    seq,
    ...edge,
    ...(call.attempt === 1 ? {} : { attempt: call.attempt }),
  })
  if (call.answered) {
    const receiveUs = receiveOf(call, requestUs)
    const callee = { host: call.host, pid: call.pid, ...names }
    entries.push({
      kind: 'rpc-receive',
      timeMs: receiveUs / 1000,
      ...callee,
      inFlight: call.inFlight,
      ...edge,
      ...(call.redelivered ? { redelivered: true } : {}),
    })
    if (call.startUs !== undefined) {
      entries.push({ kind: 'rpc-start', timeMs: (receiveUs + call.startUs) / 1000, ...callee })
    }
    for (const [index, child] of call.calls.entries()) {
      entriesInto(entries, child, {
        requestUs: receiveUs + index * 100,
        seq: index,
        parent: call.id,
        host: call.host,
        pid: call.pid,
      })
    }
    entries.push({
      kind: 'rpc-respond',
      timeMs: (receiveUs + call.workUs) / 1000,
      ...callee,
      calls: call.calls.length,
      ...ending,
    })
  }
  const finishUs = requestUs + tookUs(call)
  entries.push({ kind: 'rpc-finish', timeMs: finishUs / 1000, host, pid, ...names, ...ending })
}

export const T = 1_795_386_521_000

/** Entries of calls given as `kind id@ms`, with everything else alike. */
export function entries(
  parents: Record<string, string | null> | undefined,
  ...lines: string[]
): Entry[] {
  return lines.map((line) => {
    const [, kind, id, time, host] = /^(\w+) (\w+)@([-\d.]+)(?: on (\S+))?$/.exec(line) ?? []
    const entry = {
      kind: `rpc-${kind}` as EntryKind,
      timeMs: T + Number(time),
      host: host ?? 'one-host',
      service: `service-${id}`,
      method: 'work',
      id: id!,
    }
    return parents === undefined ? entry : { ...entry, parent: parents[id!] ?? null }
  })
}
