import type { CallNode, CallTree } from '../call-node.ts'
import type { Status } from '../entry.ts'
import { type CriticalSegment, criticalPath, isDetached } from './critical-path.ts'
import { endOf, isHandler, nameOf, placesOf } from './walk.ts'

/**
 * What happened where it began. `error`, `rejected`, `cancelled`, `lost`: as the call's status.
 * `timeout`: the callee was at work too long. `crash`: it took the request and never answered.
 * `unanswered`: nothing was heard of a callee, so the request may still lie in its queue.
 */
export type FailureKind =
  | 'error'
  | 'rejected'
  | 'cancelled'
  | 'lost'
  | 'timeout'
  | 'crash'
  | 'unanswered'

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
}

const FAILED: ReadonlySet<Status> = new Set(['error', 'rejected', 'timeout', 'cancelled', 'lost'])

/** Calls that are told of a failure's way up; longer ways are told by their beginning. */
const MOST_PASSED_ON = 256

/**
 * Every failure by the call where it began: those the root failed of first, each group in order of
 * time, and what the answer waited for before what it did not. A failed try that a later one of the
 * same method made good is masked.
 */
export function failures(
  tree: CallTree,
  path: readonly CriticalSegment[] = criticalPath(tree),
): readonly Failure[] {
  const search = new Search(tree)
  const found: Failure[] = []
  for (const call of search.failed) {
    if (search.blames(call) || search.isConsequence(call)) continue
    const kind = kindOf(call)
    const suspect = kind === 'timeout' ? workingAt(call, call.offsetMs + call.totalMs!) : undefined
    const [passedOn, masked] = [search.passedOn(call), !search.escaped.has(call)]
    const handler = masked ? search.failedHandler([call, ...passedOn]) : undefined
    const more = { ...(suspect && { suspect }), ...(handler && { handler }) }
    found.push({ origin: call, kind, passedOn, masked, ...more })
  }
  return inOrder(found, path)
}

function inOrder(found: Failure[], path: readonly CriticalSegment[]): Failure[] {
  const critical = new Set(path.map(({ call }) => call))
  const rank = ({ masked, kind }: Failure) => (masked ? 2 : 0) + (kind === 'cancelled' ? 1 : 0)
  const time = ({ origin }: Failure) => origin.offsetMs + (origin.totalMs ?? 0)
  const off = ({ origin }: Failure) => (critical.has(origin) ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b) || time(a) - time(b) || off(a) - off(b))
}

/** Who failed, and of whom. Everything is found in one walk, whatever the shape of the tree. */
class Search {
  readonly failed = new Set<CallNode>()
  /** Failures that nobody above coped with. */
  readonly escaped = new Set<CallNode>()
  readonly #parents = new Map<CallNode, CallNode>()
  /** Failed calls, and made-up places, with a call below of which they failed. */
  readonly #blaming = new Set<CallNode>()
  /** Last successful try by method, and whether something failed by itself, for each parent. */
  readonly #good = new Map<CallNode, ReadonlyMap<string, number>>()
  readonly #failedBelow = new Set<CallNode>()

  constructor({ root }: CallTree) {
    const order = [...placesOf(root)]
    const givenUp = new Set<CallNode>()
    for (const call of order) {
      // While its caller waited in vain, a call that had not ended is what was waited for.
      const open = givenUp.has(call) && call.status === 'pending'
      if (FAILED.has(call.status) || open) this.failed.add(call)
      for (const child of call.calls) {
        this.#parents.set(child, call)
        if (call.status === 'timeout' || open) givenUp.add(child)
      }
    }
    for (const call of order) if (this.#fails(call) && this.#escapes(call)) this.escaped.add(call)
    for (const call of order.toReversed()) {
      const parent = this.#parents.get(call)
      if (parent === undefined || !this.#fails(call)) continue
      const carries = !call.placeholder || this.#blaming.has(call)
      if (carries && this.#isBlamable(call, parent)) this.#blaming.add(parent)
      if (call.status !== 'cancelled' && !call.placeholder) this.#failedBelow.add(parent)
    }
  }

  /** A made-up place passes on what it holds. */
  #fails(call: CallNode): boolean {
    return call.placeholder || this.failed.has(call)
  }

  #escapes(call: CallNode): boolean {
    const parent = this.#parents.get(call)
    return parent === undefined || (this.escaped.has(parent) && this.#isBlamable(call, parent))
  }

  blames(call: CallNode): boolean {
    return this.#blaming.has(call)
  }

  passedOn(origin: CallNode): CallNode[] {
    const passed: CallNode[] = []
    let call = origin
    for (let up = this.#parents.get(call); up !== undefined; up = this.#parents.get(call)) {
      if (!this.#fails(up) || !this.#isBlamable(call, up) || passed.length >= MOST_PASSED_ON) break
      if (!up.placeholder) passed.push(up)
      call = up
    }
    return passed
  }

  /** The handler that ended a failure's way up, unless it was given its message again since. */
  failedHandler(way: readonly CallNode[]): CallNode | undefined {
    const last = way.at(-1)!
    if (!isHandler(last)) return undefined
    const parent = this.#parents.get(last)
    if (parent === undefined) return last
    // A message that is delivered again runs the same call once more, one that is tried again another.
    const again = isHandler(parent) && nameOf(parent) === nameOf(last)
    return again || this.#madeGood(last, parent) ? undefined : last
  }

  /** A call given up because something beside or above it failed is no failure of its own. */
  isConsequence(call: CallNode): boolean {
    const parent = this.#parents.get(call)
    if (call.status !== 'cancelled' || parent === undefined || !this.failed.has(parent))
      return false
    if (parent.status === 'cancelled' || parent.status === 'timeout') return true
    return this.#failedBelow.has(parent)
  }

  /** True when the parent can have failed of the child: it waited for it, and no later try succeeded. */
  #isBlamable(child: CallNode, parent: CallNode): boolean {
    if (!child.placeholder && isDetached(child, parent) && child.status !== 'pending') return false
    const { requestMs, finishMs } = child
    if (parent.respondMs !== undefined && requestMs !== undefined) {
      if (finishMs === undefined || finishMs > parent.respondMs) return false
    }
    return !this.#madeGood(child, parent)
  }

  /** True when a later try of the same method succeeded. */
  #madeGood(child: CallNode, parent: CallNode): boolean {
    return child.attempt < (this.#goodTries(parent).get(nameOf(child)) ?? 0)
  }

  #goodTries(parent: CallNode): ReadonlyMap<string, number> {
    let good = this.#good.get(parent)
    if (good === undefined) {
      const tries = new Map<string, number>()
      for (const call of parent.calls) {
        if (call.status !== 'ok' || call.attempt < 2) continue
        tries.set(nameOf(call), Math.max(call.attempt, tries.get(nameOf(call)) ?? 0))
      }
      good = tries
      this.#good.set(parent, good)
    }
    return good
  }
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
      if (child.offsetMs > atMs || end < last || child.placeholder) continue
      next = child
      last = end
    }
    inner = next
  }
  return found
}

function kindOf(call: CallNode): FailureKind {
  const { status, presence } = call
  if (status === 'error' || status === 'rejected' || status === 'cancelled') return status
  const received = presence[1] === '1'
  const responded = presence[2] === '1'
  if (received && !responded) return 'crash'
  if (status === 'lost') return 'lost'
  // A database tells nothing by itself: that it was asked is all there is to know.
  if (call.edge === 'down') return 'timeout'
  return responded ? 'timeout' : 'unanswered'
}
