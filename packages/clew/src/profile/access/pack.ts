import {
  type CallNode,
  type CallTree,
  callTree,
  type FoldedCalls,
  type Trace,
} from '../../trace/index.ts'
import { type FoldRecord, Log } from '../../trace/log.ts'
import type { CallRecord, OwnRecord } from '../../trace/records.ts'
import { askedCall } from './view.ts'

/** Bytes kept free for the call's own record. */
const OWN_BYTES = 600
/** Levels that a reader of blocks follows. */
const DEEPEST = 250

export interface PackOptions {
  /** What it may take at the most. */
  readonly maxBytes: number
  /** `block`: for behind a reply; `piece`: readable by itself. */
  readonly form: 'block' | 'piece'
  /** The call's parent, for a piece. @default null, a root */
  readonly parent?: string | null | undefined
}

/**
 * A trace as bytes again, the same that a worker would have written of the call and what it made.
 * What does not fit is merged as it is where no inbox can be reached (`docs/format.md`); undefined
 * when not even that is enough.
 */
export function packTrace(
  trace: Trace,
  options: PackOptions,
  tree: CallTree = callTree(trace),
): Uint8Array | undefined {
  const root = askedCall(tree.root)
  if (root?.receiveMs === undefined) return undefined
  const { maxBytes, form, parent = null } = options
  const log = logOf(root, trace.id, 0)
  log.fold(Math.max(0, maxBytes - OWN_BYTES))
  const own = ownRecord(root)
  const bytes = form === 'block' ? log.close(own) : log.closePiece(own, { parent })
  return bytes.length <= maxBytes ? bytes : undefined
}

function logOf(call: CallNode, traceId: string, depth: number): Log {
  const { id: callId, service, method, host = '', pid = 0 } = call
  const owner = { traceId, callId, service, method, host, pid }
  const log = new Log(owner, microseconds(call.receiveMs!))
  let cut = 0
  call.calls.forEach((made, seq) => {
    if (!isWritable(made)) return
    const deeper = made.receiveMs !== undefined && depth < DEEPEST
    if (!deeper) for (const below of made.calls) cut += callsIn(below)
    const block = deeper ? logOf(made, traceId, depth + 1).close(ownRecord(made)) : undefined
    log.append(callRecord(made, seq), block)
  })
  for (const fold of call.folds) log.appendFold(foldRecord(fold, call))
  const lost = lostBelow(call) + cut
  if (lost > 0) log.appendPointer({ piece: 0, calls: lost, bytes: 0, worst: 'ok' })
  return log
}

/** False for what no caller's record would be of: a made-up place, or a call whose caller is unknown. */
function isWritable(call: CallNode): boolean {
  return call.requestMs !== undefined && !call.placeholder
}

/** Calls known to be missing here, with those that cannot be written. */
function lostBelow(call: CallNode): number {
  let lost = call.missingCalls
  for (const made of call.calls) if (!isWritable(made)) lost += callsIn(made)
  return lost
}

/** Calls from here down, present or known to be missing. */
function callsIn(call: CallNode): number {
  let calls = 0
  const open = [call]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    calls += (next.placeholder ? 0 : 1) + next.missingCalls
    for (const fold of next.folds) calls += fold.calls
    open.push(...next.calls)
  }
  return calls
}

function foldRecord(fold: FoldedCalls, below: CallNode): FoldRecord {
  const { offsetMs, minMs, medianMs, maxMs, sumMs, ...same } = fold
  const requestMs = below.receiveMs! + offsetMs - (below.handleOffsetMs ?? below.offsetMs)
  return {
    ...same,
    minUs: microseconds(minMs),
    medianUs: microseconds(medianMs),
    maxUs: microseconds(maxMs),
    sumUs: microseconds(sumMs),
    requestUs: microseconds(requestMs),
  }
}

function callRecord(call: CallNode, seq: number): CallRecord {
  const { id, service, method, edge, attempt, status, error } = call
  const requestUs = microseconds(call.requestMs!)
  const finishUs = call.finishMs === undefined ? undefined : microseconds(call.finishMs)
  return { id, service, method, edge, seq, attempt, requestUs, finishUs, status, error }
}

function ownRecord(call: CallNode): OwnRecord {
  const { receiveMs, startMs, respondMs, status, error, redelivered, edge, attempt } = call
  const receiveUs = microseconds(receiveMs!)
  return {
    receiveUs,
    startUs: startMs === undefined ? undefined : microseconds(startMs),
    respondUs: respondMs === undefined ? receiveUs : microseconds(respondMs),
    status: respondMs === undefined ? 'pending' : status,
    error,
    inFlight: call.inFlight ?? 0,
    redelivered,
    calls: madeBy(call),
    edge,
    attempt,
  }
}

/** More than there are when some are missing: a reader who counts all takes the missing ones as found. */
function madeBy(call: CallNode): number {
  const present = call.calls.filter(isWritable).length
  return present + call.folds.reduce((sum, { count }) => sum + count, lostBelow(call))
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000)
}
