import type { CallNode, CallTree } from '../call-node.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { FailureSearch } from './failure-search.ts'
import { FAILED } from './retries.ts'
import { isHandler, nameOf } from './walk.ts'

/**
 * What happened where it began. `error`, `rejected`, `cancelled`, `lost`: as the call's status; `lost`
 * also where the callee did its work in time and its caller waited in vain. `timeout`: the callee was at
 * work too long. `crash`: it took the request and never answered. `unanswered`: nothing was heard of a
 * callee, so the request may still lie in its queue. `caller`: the callee did well, and its caller
 * recorded an error all the same: on the way back, or in the client itself.
 */
export type FailureKind =
  | 'error'
  | 'rejected'
  | 'cancelled'
  | 'lost'
  | 'timeout'
  | 'crash'
  | 'unanswered'
  | 'caller'

export interface Failure {
  /** The call that failed first. */
  readonly origin: CallNode
  readonly kind: FailureKind
  /** Calls above it that failed because of it, from the nearest up. */
  readonly passedOn: readonly CallNode[]
  /** With `timeout`: the deepest call that was at work when its caller stopped waiting. */
  readonly suspect?: CallNode
  /** True when somebody above coped with it, so that the root did not fail of it. */
  readonly masked: boolean
  /** The handler of an event that failed of it for good. Nobody waited for that: the root may be fine. */
  readonly handler?: CallNode
  /**
   * Why it may be another that failed first. `hidden`: calls of the origin's own are missing, and may
   * have failed. `between`: calls between it and who failed above it did well. `one-sided`: of a call
   * to another service only the caller's record is there. `adrift`: a call above it left no record, so
   * that the root may not have failed of it.
   */
  readonly doubt?: 'hidden' | 'between' | 'one-sided' | 'adrift'
}

/** Calls that are told of a failure's way up; longer ways are told by their beginning. */
const MOST_PASSED_ON = 256
/** And of all failures together, so that many deep ones stay linear; later ones tell the nearest. */
const MOST_PASSED_ON_IN_ALL = 100_000

/**
 * Every failure by the call where it began: those the root failed of first, each group in order of
 * time, and what the answer waited for before what it did not. A failed try that a later one of the
 * same method made good is masked.
 */
export function failures(
  tree: CallTree,
  path: readonly CriticalSegment[] = criticalPath(tree),
): readonly Failure[] {
  const search = new FailureSearch(tree)
  const found: Failure[] = []
  let left = MOST_PASSED_ON_IN_ALL
  for (const [at, call] of search.order.entries()) {
    if (!search.isOrigin(at)) continue
    const kind = kindOf(call, tree)
    const suspect = kind === 'timeout' ? workingAt(call) : undefined
    const { escaped, sure } = search.escaped(at)
    const passedOn = search.passedOn(at, Math.max(1, Math.min(MOST_PASSED_ON, left)))
    left -= passedOn.length
    const handler = escaped ? undefined : search.failedHandler(at)
    const adrift = escaped && search.isAdrift(at) ? 'adrift' : undefined
    const doubt = escaped && !sure ? 'between' : (doubtOf(call, kind, search) ?? adrift)
    const more = {
      ...(suspect && { suspect }),
      ...(handler && { handler }),
      ...(doubt && { doubt }),
    }
    found.push({ origin: call, kind, passedOn, masked: !escaped, ...more })
  }
  return inOrder(found, path)
}

/** What can hide a failure below the one that seems to be the first, or keep it from the root. */
function doubtOf(call: CallNode, kind: FailureKind, { orphans }: FailureSearch): Failure['doubt'] {
  // Of these it is known that they failed by themselves, whatever they called.
  if (kind === 'lost' || kind === 'crash' || kind === 'unanswered') return undefined
  const below = call.missingCalls + call.folds.length > 0
  if (below || call.calls.some(({ placeholder }) => placeholder)) return 'hidden'
  if (call.edge === 'call' && call.presence === '1001' && call.status === 'error')
    return 'one-sided'
  if (call.edge === 'down' || orphans.includes(call)) return undefined
  // Of those whose caller left no record nobody knows that they were not called from here.
  const own = call.selfMs ?? call.totalMs ?? 0
  const longest = orphans[0]?.totalMs ?? 0
  if (kind === 'timeout') return longest > 0 && longest >= own * HIDES ? 'hidden' : undefined
  // It may be that the same was tried again, and that the last try is one of them.
  if (orphans.some((orphan) => nameOf(orphan) === nameOf(call))) return 'hidden'
  const waited = orphans.length > 0 && own > LEAST_WAIT_MS
  return waited || orphans.some(({ status }) => FAILED.has(status)) ? 'hidden' : undefined
}

/** Share of a call's own time that another must have taken to be what it waited for. */
const HIDES = 0.5
/** Who gave up waiting has waited at least so long. */
const LEAST_WAIT_MS = 100

function inOrder(found: Failure[], path: readonly CriticalSegment[]): Failure[] {
  if (found.length < 2) return found
  const critical = new Set(path.map(({ call }) => call))
  const rank = ({ masked, kind, doubt }: Failure) =>
    (masked ? 4 : 0) + (kind === 'cancelled' ? 2 : 0) + (doubt === 'between' ? 1 : 0)
  const time = ({ origin }: Failure) => origin.offsetMs + (origin.totalMs ?? 0)
  const off = ({ origin }: Failure) => (critical.has(origin) ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b) || time(a) - time(b) || off(a) - off(b))
}

/**
 * Which call was at work below this one when its caller stopped waiting: the deepest, on the way of
 * those that ended last. Each step is counted on the one clock of the process that made the calls.
 */
function workingAt(call: CallNode): CallNode {
  let found = call
  let deadline = call.totalMs ?? 0
  for (let inner: CallNode | undefined = call; inner !== undefined; ) {
    found = inner
    // From its request on; how long that was on its way is not known between two clocks.
    const zero: number = (found.receiveMs ?? found.requestMs ?? 0) - wayTo(found)
    let next: CallNode | undefined
    let last = deadline
    let begun = 0
    for (const child of found.calls) {
      const from = (child.requestMs ?? child.receiveMs ?? Number.POSITIVE_INFINITY) - zero
      const to = from + (child.totalMs ?? Number.POSITIVE_INFINITY)
      if (from > deadline || to < last || child.placeholder || isHandler(child)) continue
      next = child
      last = to
      begun = from
    }
    deadline -= begun
    inner = next
  }
  return found
}

/** From request to receive, where one clock measured both. */
function wayTo({ host, callerHost, requestMs, receiveMs }: CallNode): number {
  if (host !== callerHost || requestMs === undefined || receiveMs === undefined) return 0
  return Math.max(0, receiveMs - requestMs)
}

function kindOf(call: CallNode, tree: CallTree): FailureKind {
  const { status, presence, calleeStatus, callerStatus } = call
  if (status === 'error' && callerStatus === 'error' && calleeStatus === 'ok') return 'caller'
  if (status === 'error' || status === 'rejected' || status === 'cancelled') return status
  const received = presence[1] === '1'
  const responded = presence[2] === '1'
  if (received && !responded) return 'crash'
  if (status === 'lost') return 'lost'
  // A database tells nothing by itself: that it was asked is all there is to know.
  if (call.edge === 'down') return 'timeout'
  if (!responded) return tree.source === undefined ? 'unanswered' : 'timeout'
  return answeredInTime(call) ? 'lost' : 'timeout'
}

/** Share of its caller's waiting below which a callee's work cannot have been what was waited for. */
const WORKED = 0.5
/** A reply that is this late after its answer is not coming. */
const ON_ITS_WAY_MS = 20

/**
 * True when the callee did its work in time, and the answer did not come: one clock says so, or it worked
 * so shortly that the request or the reply was held up for longer.
 */
function answeredInTime(call: CallNode): boolean {
  const { late, respondMs, finishMs, host, callerHost, handleMs, totalMs } = call
  if (late || respondMs === undefined || finishMs === undefined) return false
  if (host === callerHost) return respondMs < finishMs - ON_ITS_WAY_MS
  return handleMs !== undefined && handleMs < WORKED * totalMs!
}
