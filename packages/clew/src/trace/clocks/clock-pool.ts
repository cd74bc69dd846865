import { placesOf } from '../analysis/walk.ts'
import type { CallTree } from '../call-node.ts'
import { type Aligned, type Alignment, align, type PairBounds } from './align.ts'
import { type Bounds, both, boundsOf, contradict, DRIFT, UNKNOWN } from './bounds.ts'
import { loosened, MOST_CELLS, PairClocks } from './pair-clocks.ts'

/** Pairs of hosts told apart, and cells kept of all of them; calls of more pairs tell nothing. */
const MOST_PAIRS = 4096
const MOST_CELLS_IN_ALL = 32_768
/** Moments for which clocks are aligned. */
const MOST_MOMENTS = 1024
const NARROWEST_MS = 1

/**
 * What calls tell of the clocks of their hosts, of one trace or of many, in bounded memory. Give it to
 * `callTree` when it has all there is: the more calls two hosts exchange, the nearer the offset of
 * their clocks is known.
 */
export class ClockPool {
  readonly #pairs = new Map<string, Map<string, PairClocks>>()
  #pairCount = 0
  #cells = 0
  #widthMs = NARROWEST_MS
  #aligned = new Map<string, Alignment | undefined>()
  /** Calls that told nothing because their hosts were too many. */
  leftOut = 0

  /** Takes what a tree's calls tell; the tree itself is not kept. */
  add(tree: CallTree): void {
    const foreign = tree.source !== undefined
    for (const call of placesOf(tree.root)) {
      const bounds = isApart(call.callerHost, call.host) ? boundsOf(call, foreign) : undefined
      if (bounds === undefined) continue
      this.addBounds(call.callerHost!, call.host!, bounds, tree.startedMs + call.offsetMs)
    }
  }

  /** Takes what one call tells, at a moment of whatever clock all are told by. */
  addBounds(caller: string, callee: string, bounds: Bounds, at: number): void {
    if (!Number.isFinite(at)) return
    let callees = this.#pairs.get(caller)
    let pair = callees?.get(callee)
    if (pair === undefined) {
      if (this.#pairCount >= MOST_PAIRS) {
        this.leftOut++
        return
      }
      this.#pairCount++
      pair = new PairClocks()
      callees ??= new Map()
      this.#pairs.set(caller, callees.set(callee, pair))
    }
    if (this.#aligned.size > 0) this.#aligned = new Map()
    const before = pair.size
    pair.add(bounds, at, this.#widthMs)
    this.#cells += pair.size - before
    while (pair.size > MOST_CELLS || this.#cells > Math.max(MOST_CELLS_IN_ALL, this.#pairCount)) {
      this.#widen()
    }
  }

  #widen(): void {
    this.#widthMs *= 2
    this.#cells = 0
    for (const { pair } of this.#each()) {
      pair.widen()
      this.#cells += pair.size
    }
  }

  *#each(): Generator<{ caller: string; callee: string; pair: PairClocks }> {
    for (const [caller, callees] of this.#pairs) {
      for (const [callee, pair] of callees) yield { caller, callee, pair }
    }
  }

  /** Pairs of hosts of which one was set, as far as that shows. */
  *stepped(): Generator<readonly [caller: string, callee: string]> {
    for (const { caller, callee, pair } of this.#each()) {
      if (pair.steps > 0) yield [caller, callee]
    }
  }

  /** Every host's offset at a moment, the first host's being 0. Undefined where too many were asked for. */
  at(time: number, first: string | undefined): Alignment | undefined {
    if (this.#pairCount === 0) return undefined
    const moment = Math.floor(time / this.#widthMs)
    const key = `${moment} ${first}`
    if (this.#aligned.has(key)) return this.#aligned.get(key)
    if (this.#aligned.size >= MOST_MOMENTS) return undefined
    const middle = (moment + 0.5) * this.#widthMs
    const pairs: PairBounds[] = []
    for (const { caller, callee, pair } of this.#each()) {
      const bounds = loosened(pair.at(middle, this.#widthMs), (DRIFT * this.#widthMs) / 2)
      if (bounds.leastMs > -Infinity || bounds.mostMs < Infinity) {
        pairs.push({ caller, callee, ...bounds })
      }
    }
    const alignment = align(first, pairs)
    this.#aligned.set(key, alignment)
    return alignment
  }

  /** What is proved of two hosts at a moment: by their own calls and by chains over others. */
  between(alignment: Alignment, caller: Aligned, callee: Aligned, time: number): Bounds {
    if (caller.group !== callee.group) return UNKNOWN
    const overall = {
      leastMs: callee.leastMs - caller.mostMs,
      mostMs: callee.mostMs - caller.leastMs,
    }
    const own = this.#pairs.get(caller.host)?.get(callee.host)?.at(time, this.#widthMs)
    const bounds = own === undefined ? overall : both(overall, own)
    return contradict(bounds) || alignment.contradictory.length > 0 ? (own ?? UNKNOWN) : bounds
  }
}

/** True for two hosts with names: who has none may be any. */
export function isApart(caller: string | undefined, callee: string | undefined): boolean {
  return (
    caller !== undefined &&
    callee !== undefined &&
    caller !== '' &&
    callee !== '' &&
    caller !== callee
  )
}
