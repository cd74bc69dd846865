import type { CallNode, CallTree } from '../call-node.ts'
import { isDetached } from './critical-path.ts'
import { isLost, orphansOf } from './orphans.ts'
import { FAILED, triesOf } from './retries.ts'
import { isHandler, nameOf, placesWithParents } from './walk.ts'

/** What is known of a place, as bits. */
const MARK = {
  failed: 1,
  /** Its caller had stopped waiting. */
  givenUp: 2,
  /** Nobody above coped with its failure. */
  escaped: 4,
  /** Something failed below it that explains its own failure. */
  blames: 8,
  /** It failed, or something below it that its caller waited for. */
  reports: 16,
  /** A call of its own failed, and was not merely given up. */
  failedBelow: 32,
  /** Its caller may have failed of it, though calls between them did well. */
  perhaps: 64,
  /** It, or a call above it, has a caller that left no record. */
  adrift: 128,
} as const

type Mark = (typeof MARK)[keyof typeof MARK]

/**
 * Who failed, and of whom. Everything is found in a few walks over all places, whatever their shape.
 *
 * Where both sides of every call are kept, a call failed of another only if it waited for it, and what
 * did well in between has coped. Other systems record less: there whatever failed deeper explains it
 * (the rule of CRISP's error breakdown), and is told as uncertain where calls in between did well.
 */
export class FailureSearch {
  readonly order: readonly CallNode[]
  readonly #parents: readonly number[]
  readonly #marks: Uint8Array
  readonly #foreign: boolean
  /** Calls whose caller left no record, at most so many. */
  readonly orphans: readonly CallNode[]
  /** Where each failure's way up ends. */
  readonly #tops: Int32Array
  /** Tries that others followed, of each parent that was asked for. */
  readonly #superseding = new Map<CallNode, ReadonlySet<CallNode>>()

  constructor({ root, source }: CallTree) {
    const { order, parents } = placesWithParents(root)
    this.order = order
    this.#parents = parents
    this.#foreign = source !== undefined
    this.#marks = new Uint8Array(order.length)
    this.orphans = orphansOf(order)
    this.#tops = new Int32Array(order.length)
    if (!this.#markFailed()) return
    this.#markBlame()
    this.#markEscaped()
    for (const at of order.keys()) {
      const up = parents[at]!
      const goesOn = up >= 0 && this.#passes(up) && this.#explains(at, up)
      this.#tops[at] = goesOn ? this.#tops[up]! : at
    }
  }

  has(at: number, mark: Mark): boolean {
    return (this.#marks[at]! & mark) !== 0
  }

  /** True where a failure began: nothing below explains it, and it is not the consequence of another. */
  isOrigin(at: number): boolean {
    return this.has(at, MARK.failed) && !this.has(at, MARK.blames) && !this.#isConsequence(at)
  }

  /** True when nobody above coped with it. `sure` is false where calls in between did well. */
  escaped(at: number): { readonly escaped: boolean; readonly sure: boolean } {
    const sure = this.has(at, MARK.escaped)
    return { escaped: sure || this.has(at, MARK.perhaps), sure }
  }

  /** True when a call above it left no record: whose failure it was part of is a guess. */
  isAdrift(at: number): boolean {
    return this.has(at, MARK.adrift)
  }

  /** Who failed because of it, from the nearest up, and at most so many of them. */
  passedOn(at: number, most: number): CallNode[] {
    const passed: CallNode[] = []
    let below = at
    for (let up = this.#parents[at]!; up >= 0 && passed.length < most; up = this.#parents[up]!) {
      // Between a failure and whom it may have reached, foreign calls did well.
      const maybe = this.has(at, MARK.perhaps) && this.has(up, MARK.reports)
      if (!maybe && !(this.#passes(up) && this.#explains(below, up))) break
      if (this.has(up, MARK.failed)) passed.push(this.order[up]!)
      below = up
    }
    return passed
  }

  /** The handler that ended a failure's way up, unless it was given its message again since. */
  failedHandler(origin: number): CallNode | undefined {
    const at = this.#tops[origin]!
    const last = this.order[at]!
    const up = this.#parents[at]!
    if (!isHandler(last)) return undefined
    if (up < 0) return last
    const parent = this.order[up]!
    // A message that is delivered again runs the same call once more, one that is tried again another.
    const again = isHandler(parent) && nameOf(parent) === nameOf(last)
    return again || this.#superseded(last, parent) ? undefined : last
  }

  #markFailed(): boolean {
    let any = false
    for (const [at, call] of this.order.entries()) {
      const up = this.#parents[at]!
      if (up >= 0 && (isLost(this.order[up]!) || this.has(up, MARK.adrift)))
        this.#add(at, MARK.adrift)
      if (up >= 0 && (this.order[up]!.status === 'timeout' || this.#isOpen(up))) {
        this.#add(at, MARK.givenUp)
      }
      if (!FAILED.has(call.status) && !this.#isOpen(at)) continue
      this.#add(at, MARK.failed | MARK.reports)
      any = true
    }
    return any
  }

  /** While its caller waited in vain, a call that had not ended is what was waited for. */
  #isOpen(at: number): boolean {
    return this.order[at]!.status === 'pending' && this.has(at, MARK.givenUp)
  }

  #markBlame(): void {
    for (let at = this.order.length - 1; at > 0; at--) {
      const call = this.order[at]!
      const up = this.#parents[at]!
      if (this.has(at, MARK.failed) && call.status !== 'cancelled') this.#add(up, MARK.failedBelow)
      if (!this.has(at, MARK.reports) || !this.#explains(at, up)) continue
      // A made-up place passes on what it holds, and so does what foreign records say did well.
      if (this.#passes(at) || this.#foreign) {
        this.#add(up, MARK.blames)
        if (this.order[up]!.placeholder || this.#foreign) this.#add(up, MARK.reports)
      }
    }
  }

  #markEscaped(): void {
    /** Escaped, with a call below it that failed and that it waited for. */
    const explained = new Uint8Array(this.order.length)
    for (let at = 1; at < this.order.length; at++) {
      const up = this.#parents[at]!
      const fails = this.order[at]!.placeholder ? MARK.reports : MARK.failed
      if (this.has(at, fails) && this.#explains(at, up)) explained[up] = 1
    }
    for (const at of this.order.keys()) {
      const up = this.#parents[at]!
      if (up < 0) {
        if (this.#passes(at)) this.#add(at, MARK.escaped)
        continue
      }
      const explains = this.has(at, MARK.reports) && this.#explains(at, up)
      if (!explains && !this.order[at]!.placeholder) continue
      if (this.has(up, MARK.escaped) && this.#passes(at)) this.#add(at, MARK.escaped)
      else if (!this.#foreign) continue
      else if (this.has(up, MARK.perhaps)) this.#add(at, MARK.perhaps)
      else if (this.has(up, MARK.escaped) && explained[up] === 0) this.#add(at, MARK.perhaps)
    }
  }

  #passes(at: number): boolean {
    return this.order[at]!.placeholder || this.has(at, MARK.failed)
  }

  #add(at: number, marks: number): void {
    this.#marks[at]! |= marks
  }

  /** A call given up because something beside or above it failed is no failure of its own. */
  #isConsequence(at: number): boolean {
    const up = this.#parents[at]!
    if (this.order[at]!.status !== 'cancelled' || up < 0 || !this.has(up, MARK.failed)) return false
    const { status } = this.order[up]!
    return status === 'cancelled' || status === 'timeout' || this.has(up, MARK.failedBelow)
  }

  /** True when the parent can have failed of the child: it waited for it, and did not try it again. */
  #explains(at: number, up: number): boolean {
    const child = this.order[at]!
    const parent = this.order[up]!
    if (this.#foreign) return !isHandler(child) && !this.#superseded(child, parent)
    if (!child.placeholder && isDetached(child, parent) && child.status !== 'pending') return false
    const { requestMs, finishMs } = child
    if (parent.respondMs !== undefined && requestMs !== undefined) {
      if (finishMs === undefined || finishMs > parent.respondMs) return false
    }
    return !this.#superseded(child, parent)
  }

  /** True when the same was tried again later: the last try decides. */
  #superseded(child: CallNode, parent: CallNode): boolean {
    if (parent.calls.length < 2) return false
    let superseded = this.#superseding.get(parent)
    if (superseded === undefined) {
      const earlier = new Set<CallNode>()
      for (const tries of triesOf(parent, false)) {
        // Giving up the last one says nothing: what failed before it is the reason.
        const decides = tries.findLastIndex(({ status }) => status !== 'cancelled')
        for (const one of tries.slice(0, Math.max(0, decides))) earlier.add(one)
      }
      superseded = earlier
      this.#superseding.set(parent, superseded)
    }
    return superseded.has(child)
  }
}
