import type { Edge, Entry, Fold, Missing, Status, Trace } from 'clew/trace'

/** A call to be put into a sample trace. Times are milliseconds, `at` counts from the root's request. */
export interface CallSpec {
  /** `service.method`, split at the first dot that is not that of `.db`, `.cache` or `.events`. */
  readonly name: string
  readonly host?: string
  readonly at: number
  readonly total: number
  /** How long the callee took; in the middle of the total. */
  readonly handle?: number
  readonly edge?: Edge
  readonly status?: Status
  readonly error?: string
  readonly attempt?: number
  readonly redelivered?: boolean
  readonly late?: boolean
  /** Which entries exist, as `CallNode.presence`. */
  readonly presence?: string
  readonly calls?: readonly CallSpec[]
  readonly folds?: readonly Pick<
    Fold,
    'service' | 'method' | 'edge' | 'count' | 'minMs' | 'medianMs' | 'maxMs' | 'sumMs'
  >[]
  readonly missing?: number
}

export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const NAME = /^([^.]*(?:\.(?:db|cache|events)(?=\.))?)\.(.*)$/s
const STARTED = Date.UTC(2026, 10, 22, 21, 42, 21, 408)

/** The trace that a profiler would have brought home of these calls. */
export function traceOf(root: CallSpec): Trace {
  const entries: Entry[] = []
  const folds: Fold[] = []
  const missing: Missing[] = []
  const open = [{ spec: root, parent: null as string | null, callerHost: 'client-0', seq: 0 }]
  for (let made = 0; made < open.length; made++) {
    const at = open[made]!
    const id = (0xa000 + made).toString(16).padStart(16, '0')
    const { spec } = at
    const host = spec.host ?? 'host-0'
    entries.push(
      ...entriesOf(spec, { id, parent: at.parent, callerHost: at.callerHost, seq: at.seq }),
    )
    for (const fold of spec.folds ?? []) {
      const timeMs = STARTED + spec.at
      folds.push({ ...fold, parent: id, trace: TRACE_ID, host, calls: fold.count, timeMs })
    }
    if (spec.missing !== undefined) {
      missing.push({ parent: id, trace: TRACE_ID, calls: spec.missing, reason: 'lost' })
    }
    for (const [seq, call] of (spec.calls ?? []).entries()) {
      open.push({ spec: call, parent: id, callerHost: host, seq })
    }
  }
  const complete = missing.length === 0
  return { id: TRACE_ID, entries, folds, missing, relays: [], complete }
}

function entriesOf(
  spec: CallSpec,
  known: {
    readonly id: string
    readonly parent: string | null
    readonly callerHost: string
    readonly seq: number
  },
): readonly Entry[] {
  const [, service = '', method = ''] = NAME.exec(spec.name) ?? []
  const host = spec.host ?? 'host-0'
  const request = STARTED + spec.at
  const handle = spec.handle ?? spec.total * 0.96
  const receive = request + (spec.total - handle) / 2
  const { presence = '1111', status = 'ok', attempt = 1, edge = 'call' } = spec
  const shared = {
    id: known.id,
    trace: TRACE_ID,
    parent: known.parent,
    service,
    method,
  }
  const outcome = spec.error === undefined ? { status } : { status, error: spec.error }
  const calleeStatus = status === 'error' || status === 'rejected' ? outcome : {}
  const { callerHost, seq } = known
  const all: readonly Entry[] = [
    { ...shared, kind: 'rpc-request', timeMs: request, host: callerHost, seq, attempt, edge },
    {
      ...shared,
      kind: 'rpc-receive',
      timeMs: receive,
      host,
      edge,
      ...(spec.redelivered === true ? { redelivered: true } : {}),
    },
    {
      ...shared,
      kind: 'rpc-respond',
      timeMs: receive + handle,
      host,
      calls: callsOf(spec),
      ...calleeStatus,
      ...(spec.late === true ? { late: true } : {}),
    },
    { ...shared, kind: 'rpc-finish', timeMs: request + spec.total, host: callerHost, ...outcome },
  ]
  return all.filter((_, index) => presence[index] === '1')
}

function callsOf(spec: CallSpec): number {
  const folded = (spec.folds ?? []).reduce((sum, fold) => sum + fold.count, 0)
  return (spec.calls?.length ?? 0) + folded + (spec.missing ?? 0)
}
