import type { Baseline } from '../analysis/stragglers.ts'
import { nameOf, placesOf } from '../analysis/walk.ts'
import type { CallNode, CallTree } from '../call-node.ts'
import { Sketch } from './sketch.ts'

/** Pairs of caller and callee told apart; of others nothing is known. */
const MOST_PAIRS = 10_000

/**
 * How long calls usually take, by who makes them: what `stragglers()` holds calls against that have
 * fewer than four siblings. Add trees one by one.
 */
export class Baselines {
  readonly #sketches = new Map<string, Sketch>()
  /** Calls of pairs beyond the bound. */
  passedOver = 0

  add(tree: CallTree): void {
    for (const parent of placesOf(tree.root)) {
      for (const call of parent.calls) {
        if (call.totalMs === undefined || call.placeholder) continue
        const key = keyOf(call, parent)
        let sketch = this.#sketches.get(key)
        if (sketch === undefined) {
          if (this.#sketches.size >= MOST_PAIRS) {
            this.passedOver++
            continue
          }
          sketch = new Sketch()
          this.#sketches.set(key, sketch)
        }
        sketch.add(call.totalMs)
      }
    }
  }

  /** What is known of such calls; to be given to `stragglers()` as its option `baseline`. */
  readonly of = (call: CallNode, parent: CallNode): Baseline | undefined => {
    const sketch = this.#sketches.get(keyOf(call, parent))
    if (sketch === undefined) return undefined
    const [p25Ms, medianMs, p75Ms] = [0.25, 0.5, 0.75].map((share) => sketch.quantile(share))
    return { count: sketch.count, p25Ms: p25Ms!, medianMs: medianMs!, p75Ms: p75Ms! }
  }
}

const keyOf = (call: CallNode, parent: CallNode) => `${nameOf(parent)}\0${nameOf(call)}`
