import { placesOf } from '../analysis/walk.ts'
import type { CallTree } from '../call-node.ts'
import { type Interval, intervalOf, quantileOf, seeded } from './chance.ts'
import { type Change, concerns, retimed } from './retime.ts'
import { Sketch } from './sketch.ts'

/** One figure of a population as it is and as it would be. */
export interface Imagined {
  readonly beforeMs: number
  readonly afterMs: number
  /** Of what would be saved, below 0 where it would be lost. */
  readonly savedMs: Interval
}

export interface WhatIfAnswer {
  readonly traces: number
  /** Traces that have a call that is meant; 0 where the change names what is not there. */
  readonly concerned: number
  readonly p50: Imagined
  readonly p95: Imagined
  readonly p99: Imagined
  readonly mean: Imagined
}

/** Pairs of totals kept for the intervals. */
const MOST_PAIRS = 4_000
const DRAWS = 200

/** What would become of many requests, had a part of their work taken another time. Add trees one by one. */
export class WhatIf {
  readonly #change: Change
  readonly #before = new Sketch()
  readonly #after = new Sketch()
  readonly #lot = seeded(1)
  #pairs: (readonly [before: number, after: number])[] = []
  #rate = 1
  #concerned = 0

  constructor(change: Change) {
    this.#change = change
  }

  add(tree: CallTree): void {
    if (tree.calls === 0) return
    for (const call of placesOf(tree.root)) {
      if (!concerns(this.#change, call)) continue
      this.#concerned++
      break
    }
    const after = retimed(tree, this.#change)
    this.#before.add(tree.totalMs)
    this.#after.add(after)
    if (this.#lot() >= this.#rate) return
    this.#pairs.push([tree.totalMs, after])
    if (this.#pairs.length <= MOST_PAIRS) return
    this.#rate /= 2
    this.#pairs = this.#pairs.filter(() => this.#lot() < 0.5)
  }

  get answer(): WhatIfAnswer {
    const draws = this.#draws()
    // Their difference may be as small as the sketches' error: all pairs tell it exactly, while they are kept.
    const whole = this.#rate === 1
    const now = whole ? sorted(this.#pairs.map(([before]) => before)) : undefined
    const then = whole ? sorted(this.#pairs.map(([, after]) => after)) : undefined
    const at = (share: number): Imagined => ({
      beforeMs: now === undefined ? this.#before.quantile(share) : quantileOf(now, share),
      afterMs: then === undefined ? this.#after.quantile(share) : quantileOf(then, share),
      savedMs: intervalOf(draws.map(([a, b]) => quantileOf(a, share) - quantileOf(b, share))),
    })
    const mean = (list: Float64Array) => list.reduce((sum, ms) => sum + ms, 0) / (list.length || 1)
    return {
      traces: this.#before.count,
      concerned: this.#concerned,
      ...{ p50: at(0.5), p95: at(0.95), p99: at(0.99) },
      mean: {
        beforeMs: this.#before.mean,
        afterMs: this.#after.mean,
        savedMs: intervalOf(draws.map(([a, b]) => mean(a) - mean(b))),
      },
    }
  }

  /** Bootstrap: samples of the same size drawn again from what was seen, each in order. */
  #draws(): readonly (readonly [Float64Array, Float64Array])[] {
    const pairs = this.#pairs
    const lot = seeded(2)
    return Array.from({ length: DRAWS }, () => {
      const [before, after] = [new Float64Array(pairs.length), new Float64Array(pairs.length)]
      for (let index = 0; index < pairs.length; index++) {
        const pair = pairs[Math.floor(lot() * pairs.length)]!
        before[index] = pair[0]
        after[index] = pair[1]
      }
      return [before.sort(), after.sort()] as const
    })
  }
}

const sorted = (list: readonly number[]) => Float64Array.from(list).sort()

/** What would become of requests, had a part of their work taken another time. */
export function whatIf(trees: Iterable<CallTree>, change: Change): WhatIfAnswer {
  const imagined = new WhatIf(change)
  for (const tree of trees) imagined.add(tree)
  return imagined.answer
}
