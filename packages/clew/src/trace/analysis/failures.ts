import type { CallNode, CallTree } from '../call-node.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { FailureSearch } from './failure-search.ts'
import { endOf, isHandler } from './walk.ts'

/**
 * What happened where it began. `error`, `rejected`, `cancelled`, `lost`: as the call's status; `lost`
 * also where the callee answered in time and its caller went on waiting. `timeout`: the callee was at
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
   * to another service only the caller's record is there.
   */
  readonly doubt?: 'hidden' | 'between' | 'one-sided'
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
    const suspect = kind === 'timeout' ? workingAt(call, call.offsetMs + call.totalMs!) : undefined
    const { escaped, sure } = search.escaped(at)
    const passedOn = search.passedOn(at, Math.max(1, Math.min(MOST_PASSED_ON, left)))
    left -= passedOn.length
    const handler = escaped ? undefined : search.failedHandler(at)
    const doubt = escaped && !sure ? 'between' : doubtOf(call, tree)
    const more = {
      ...(suspect && { suspect }),
      ...(handler && { handler }),
      ...(doubt && { doubt }),
    }
    found.push({ origin: call, kind, passedOn, masked: !escaped, ...more })
  }
  return inOrder(found, path)
}

/** What can hide a failure below the one that seems to be the first. */
function doubtOf(call: CallNode, { source }: CallTree): Failure['doubt'] {
  const below = call.missingCalls + call.folds.length > 0
  if (below || call.calls.some(({ placeholder }) => placeholder)) return 'hidden'
  const asked = call.edge === 'call' && call.presence === '1001'
  return source !== undefined && asked && call.status === 'error' ? 'one-sided' : undefined
}

function inOrder(found: Failure[], path: readonly CriticalSegment[]): Failure[] {
  if (found.length < 2) return found
  const critical = new Set(path.map(({ call }) => call))
  const rank = ({ masked, kind, doubt }: Failure) =>
    (masked ? 4 : 0) + (kind === 'cancelled' ? 2 : 0) + (doubt === 'between' ? 1 : 0)
  const time = ({ origin }: Failure) => origin.offsetMs + (origin.totalMs ?? 0)
  const off = ({ origin }: Failure) => (critical.has(origin) ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b) || time(a) - time(b) || off(a) - off(b))
}

/** Which call was at work below this one at a moment: the deepest, on the way of those that ended last. */
function workingAt(call: CallNode, atMs: number): CallNode {
  let found = call
  for (let inner: CallNode | undefined = call; inner !== undefined; ) {
    found = inner
    let next: CallNode | undefined
    let last = atMs
    for (const child of found.calls) {
      const end = endOf(child) ?? Number.POSITIVE_INFINITY
      if (child.offsetMs > atMs || end < last || child.placeholder || isHandler(child)) continue
      next = child
      last = end
    }
    inner = next
  }
  return found
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

/** A reply that is this late after its answer is not coming. */
const ON_ITS_WAY_MS = 20

/** True when the callee's answer must have been on its way before its caller stopped waiting. */
function answeredInTime(call: CallNode): boolean {
  const { late, respondMs, finishMs, host, callerHost } = call
  if (late || respondMs === undefined || finishMs === undefined) return false
  // Only one clock for both can tell, and even so the answer may have been on its way just then.
  return host === callerHost && respondMs < finishMs - ON_ITS_WAY_MS
}
