import type { TraceSummary } from '../store/summary.ts'
import type { TraceKey } from '../store/trace-store.ts'

/** A deletion, while a summary may still be on its way that was made of what it deletes. */
export interface Removal {
  readonly concerns: (key: TraceKey) => boolean
  /** The last group of summaries that may have been made of it; infinite while it goes on. */
  lastGroup: number
  /** Traces whose summaries were held back since it began. */
  readonly held: TraceKey[]
}

/** Keeps summaries from bringing back what was deleted between their making and their writing. */
export class Removals {
  #known: Removal[] = []

  begin(concerns: Removal['concerns']): Removal {
    const removal = { concerns, lastGroup: Number.POSITIVE_INFINITY, held: [] }
    this.#known.push(removal)
    return removal
  }

  /**
   * Summaries of a group that may be written, group after group.
   * @param again is given the others where the deletion is over: of them there is what came since
   */
  sift(
    summaries: readonly TraceSummary[],
    group: number,
    again: (key: TraceKey) => void,
  ): readonly TraceSummary[] {
    // No group before this one is written any more.
    this.#known = this.#known.filter(({ lastGroup }) => lastGroup >= group)
    if (this.#known.length === 0) return summaries
    return summaries.filter(({ tenant, row: { traceId } }) => {
      const key = { tenant, traceId }
      const removal = this.#known.find(({ concerns }) => concerns(key))
      if (removal === undefined) return true
      if (Number.isFinite(removal.lastGroup)) again(key)
      else removal.held.push(key)
      return false
    })
  }
}
