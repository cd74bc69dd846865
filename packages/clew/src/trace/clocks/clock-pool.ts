import { placesOf } from '../analysis/walk.ts'
import type { CallTree } from '../call-node.ts'
import { type Alignment, align, type PairBounds } from './align.ts'
import { type Bounds, both, boundsOf, contradict, DRIFT } from './bounds.ts'
import { loosened, MOST_CELLS, PairClocks } from './pair-clocks.ts'

/** Pairs of hosts told apart, and cells kept of all of them; calls of more pairs tell nothing. */
const MOST_PAIRS = 4096
const MOST_CELLS_IN_ALL = 32_768
/** Moments for which clocks are aligned between first and last call, and pairs in all together. */
const FEWEST_MOMENTS = 1
const MOST_ALIGNED = 32_768
const NARROWEST_MS = 1
/** By so much what is known at a moment may be loosened for the time around it: less than networks take. */
const LOOSENED_MS = 0.01

interface Pair {
  readonly caller: string
  readonly callee: string
  readonly pair: PairClocks
}

/**
 * What calls tell of the clocks of their hosts, of one trace or of many, in bounded memory. Give it to
 * `callTree` when it has all there is: the more calls two hosts exchange, the nearer the offset of
 * their clocks is known.
 */
export class ClockPool {
  readonly #pairs = new Map<string, Map<string, PairClocks>>()
  readonly #list: Pair[] = []
  #cells = 0
  #widthMs = NARROWEST_MS
  #moments = new Map<number, Moment>()
  /** The one that was asked for last, which most questions are about. */
  #last: Moment | undefined
  #first: string | undefined
  #periodMs = NARROWEST_MS
  #most = 0
  #from = Infinity
  #to = -Infinity
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
    let pair = this.#pairs.get(caller)?.get(callee)
    if (pair === undefined) {
      if (this.#list.length >= MOST_PAIRS) {
        this.leftOut++
        return
      }
      pair = new PairClocks()
      this.#list.push({ caller, callee, pair })
      inMap(this.#pairs, caller).set(callee, pair)
    }
    if (this.#moments.size > 0) this.#forget()
    this.#from = Math.min(this.#from, at)
    this.#to = Math.max(this.#to, at)
    const before = pair.size
    pair.add(bounds, at, this.#widthMs)
    this.#cells += pair.size - before
    while (pair.size > MOST_CELLS || this.#cells > Math.max(MOST_CELLS_IN_ALL, this.#list.length)) {
      this.#widen()
    }
  }

  #widen(): void {
    this.#widthMs *= 2
    this.#cells = 0
    for (const { pair } of this.#list) {
      pair.widen()
      this.#cells += pair.size
    }
  }

  /** Pairs of hosts of which one was set, as far as that shows. */
  *stepped(): Generator<readonly [caller: string, callee: string]> {
    for (const { caller, callee, pair } of this.#list) {
      if (pair.steps > 0) yield [caller, callee]
    }
  }

  /** What is known at a time, the first host's offset being 0. Undefined where that is nothing. */
  at(time: number, first: string | undefined): Moment | undefined {
    if (this.#list.length === 0) return undefined
    if (this.#first !== first || this.#moments.size === 0) this.#begin(first)
    const index = Math.floor(time / this.#periodMs)
    const last = this.#last
    if (last !== undefined && last.index === index) return last
    let moment = this.#moments.get(index)
    if (moment === undefined && this.#moments.size < this.#most) {
      moment = this.#momentAt(index)
      this.#moments.set(index, moment)
    }
    this.#last = moment
    return moment
  }

  /**
   * Moments are told apart where a clock was set, or clocks may have drifted between them so far that it
   * shows: in a trace of a second those are few. The more pairs there are, the fewer they are as well.
   */
  #begin(first: string | undefined): void {
    this.#first = first
    this.#forget()
    const drifted = (DRIFT * (this.#to - this.#from)) / 2
    const most = Math.min(MOST_CELLS, MOST_ALIGNED / this.#list.length)
    const told = this.stepped().next().done === true ? drifted / LOOSENED_MS : most
    const count = Math.max(FEWEST_MOMENTS, Math.min(most, told))
    // Before the first call and after the last one there may be times to be asked for, too.
    this.#most = 2 * Math.ceil(count) + 2
    this.#periodMs = Math.max(this.#widthMs, (this.#to - this.#from) / count)
  }

  #forget(): void {
    this.#moments = new Map()
    this.#last = undefined
  }

  #momentAt(index: number): Moment {
    const time = (index + 0.5) * this.#periodMs
    const pairs: PairBounds[] = []
    for (const { caller, callee, pair } of this.#list) {
      const bounds = loosened(pair.at(time, this.#widthMs), (DRIFT * this.#periodMs) / 2)
      if (bounds.leastMs > -Infinity || bounds.mostMs < Infinity) {
        pairs.push({ caller, callee, ...bounds })
      }
    }
    return new Moment(index, this.#first, pairs)
  }
}

/** How far one clock is ahead of another, as it is taken to be and as it can be. */
export interface Apart extends Bounds {
  readonly offsetMs: number
}

/** The clocks of all hosts at a moment. */
export class Moment {
  readonly index: number
  readonly alignment: Alignment
  readonly #pairs = new Map<string, Map<string, Bounds>>()
  /** What was asked for before. */
  readonly #found = new Map<string, Map<string, Apart | undefined>>()

  constructor(index: number, first: string | undefined, pairs: readonly PairBounds[]) {
    this.index = index
    this.alignment = align(first, pairs)
    for (const pair of pairs) inMap(this.#pairs, pair.caller).set(pair.callee, pair)
  }

  /**
   * The callee's clock against its caller's, by their own calls and by chains over others. Undefined
   * where it is not bounded on both sides.
   */
  apart(caller: string, callee: string): Apart | undefined {
    const found = inMap(this.#found, caller)
    const known = found.get(callee)
    if (known !== undefined || found.has(callee)) return known
    const apart = this.#apart(caller, callee)
    found.set(callee, apart)
    return apart
  }

  #apart(caller: string, callee: string): Apart | undefined {
    const { hosts } = this.alignment
    const [above, below] = [hosts.get(caller), hosts.get(callee)]
    if (above === undefined || below === undefined || above.group !== below.group) return undefined
    const overall = {
      leastMs: below.leastMs - above.mostMs,
      mostMs: below.mostMs - above.leastMs,
    }
    if (!Number.isFinite(overall.mostMs - overall.leastMs)) return undefined
    const own = this.#pairs.get(caller)?.get(callee)
    const bounds = own === undefined ? overall : both(overall, own)
    return {
      offsetMs: below.offsetMs - above.offsetMs,
      ...(contradict(bounds) ? overall : bounds),
    }
  }
}

function inMap<Value>(maps: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const known = maps.get(name)
  if (known !== undefined) return known
  const made = new Map<string, Value>()
  maps.set(name, made)
  return made
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
