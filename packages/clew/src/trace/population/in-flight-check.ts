/** A call that a process handled: from when to when, and how many it counted when this one came. */
interface Handled {
  readonly fromMs: number
  readonly toMs: number
  readonly counted: number
}

/** Slices of time whose calls are kept are so long; which ones are kept depends on their number alone. */
const SLICE_MS = 250
const MOST_KEPT = 2_048
/** Fewer arrivals, or fewer others in flight at all of them together, prove nothing. */
const FEWEST = 50

/** How far what a process counted is from what the traces show. */
export interface InFlightCheck {
  /** Mean number of calls in flight when one came, itself included, as the process counted them. */
  readonly counted: number
  /** The same from the entries of the traces. */
  readonly seen: number
  /** Share of the counted calls that no entry shows, from 0 to 1. */
  readonly missingShare: number
  /** Arrivals that were compared. */
  readonly arrivals: number
}

/**
 * Little's law turned into a check for lost entries: a process counts the calls that it has in flight,
 * and the traces show some; where it counted more, entries are lost, or calls were not kept. Both are
 * taken at the same arrivals, so nothing is assumed about how calls arrive. Of slices of time that are
 * far enough apart everything is kept, of the rest nothing: at most 2,048 calls.
 */
export class InFlightTally {
  #every = 1
  #kept: Handled[] = []

  add(fromMs: number, toMs: number, counted: number): void {
    if (!(toMs >= fromMs) || !(counted >= 1)) return
    const handled = { fromMs, toMs, counted }
    if (!this.#touches(handled)) return
    this.#kept.push(handled)
    while (this.#kept.length > MOST_KEPT && this.#every < 2 ** 40) {
      this.#every *= 2
      this.#kept = this.#kept.filter((each) => this.#touches(each))
    }
  }

  /** @returns undefined where too few calls came with a count */
  check(): InFlightCheck | undefined {
    const starts = this.#kept.map(({ fromMs }) => fromMs).sort((a, b) => a - b)
    const ends = this.#kept.map(({ toMs }) => toMs).sort((a, b) => a - b)
    let [arrivals, counted, seen] = [0, 0, 0]
    for (const each of this.#kept) {
      if (sliceOf(each.fromMs) % this.#every !== 0) continue
      arrivals++
      counted += each.counted
      // Who left at the same microsecond made room for this one; only itself it is still there.
      const itself = each.toMs === each.fromMs ? 1 : 0
      seen += atMost(starts, each.fromMs) - atMost(ends, each.fromMs) + itself
    }
    if (arrivals < FEWEST) return undefined
    // Every call shows itself: what may be missing are the others.
    const others = counted - arrivals
    if (others < FEWEST) return undefined
    const missingShare = Math.min(1, Math.max(0, (counted - seen) / others))
    return { counted: counted / arrivals, seen: seen / arrivals, missingShare, arrivals }
  }

  /** Whether it was there in a slice that is kept. */
  #touches({ fromMs, toMs }: Handled): boolean {
    const last = Math.floor(sliceOf(toMs) / this.#every) * this.#every
    return last >= sliceOf(fromMs)
  }
}

const sliceOf = (ms: number) => Math.floor(ms / SLICE_MS)

/** How many of the sorted numbers are at most `limit`. */
function atMost(sorted: readonly number[], limit: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (sorted[middle]! <= limit) from = middle + 1
    else to = middle
  }
  return from
}
