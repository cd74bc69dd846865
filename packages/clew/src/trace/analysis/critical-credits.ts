import type { CallNode, CallTree } from '../call-node.ts'
import type { CallName } from '../entry.ts'
import { type CriticalSegment, waitedFor } from './critical-path.ts'

/** How much of the root's time one method spent itself on the critical path. */
export interface CriticalCredit {
  readonly service: string
  /** The method; in traces of other systems the name of the record. */
  readonly operation: string
  /** Milliseconds, in whole microseconds. */
  readonly ms: number
}

/** Methods told apart in all; time of more is that of "others". */
const MOST_CREDITED = 10_000
const OTHERS = { service: 'others', method: '' }

/**
 * Critical time by service and operation, of any number of traces. Time within the callee's own record
 * is the callee's; time outside it is that of the caller's record where it has a name of its own, as
 * tools count that keep both. Microseconds are counted, so credits add up to the roots' time exactly.
 */
export class CriticalCredits {
  readonly #spent = new Map<string, { service: string; operation: string; us: number }>()
  #rootUs = 0
  /** Trees added. */
  traces = 0

  add(tree: CallTree): void {
    this.traces++
    const { pieces, overlaps } = waitedFor(tree)
    for (const piece of pieces) {
      const { call } = piece
      const { aroundUs, withinUs } = splitByRecord(piece)
      this.#credit(call.from ?? call, aroundUs)
      this.#credit(call, withinUs)
    }
    // As in CRISP, both siblings keep their time, and their parent's own is less.
    for (const { call, startMs, endMs } of overlaps) {
      this.#credit(call, microseconds(startMs) - microseconds(endMs))
    }
  }

  /** The time of all roots, milliseconds. */
  get rootMs(): number {
    return this.#rootUs / 1000
  }

  /** The most first. */
  get credits(): readonly CriticalCredit[] {
    const order = [...this.#spent.values()].sort((a, b) => b.us - a.us)
    // A parent without time of its own has none to give for what its children overlap.
    const lacking = order.reduce((sum, { us }) => sum + Math.min(0, us), 0)
    const told = order.filter(({ us }) => us > 0)
    return told.map(({ service, operation, us }, index) => {
      return { service, operation, ms: (index === 0 ? us + lacking : us) / 1000 }
    })
  }

  #credit({ service, method }: CallName, us: number): void {
    this.#rootUs += us
    if (us === 0) return
    const key = JSON.stringify([service, method])
    const known = this.#spent.get(key)
    if (known !== undefined) known.us += us
    else if (this.#spent.size < MOST_CREDITED) {
      this.#spent.set(key, { service, operation: method, us })
    } else this.#credit(OTHERS, us)
  }
}

/** Critical time of one trace by service and operation, the most first. */
export function criticalCredits(tree: CallTree): readonly CriticalCredit[] {
  const sums = new CriticalCredits()
  sums.add(tree)
  return sums.credits
}

/**
 * How much of a piece of the critical path lies outside the callee's own record, on the way there or
 * back, and how much within it, in whole microseconds.
 */
export function splitByRecord({ call, startMs, endMs }: CriticalSegment): {
  readonly aroundUs: number
  readonly withinUs: number
} {
  const [start, end] = [microseconds(startMs), microseconds(endMs)]
  const [from, to] = recordOf(call)
  const begin = Math.min(end, Math.max(start, from))
  const stop = Math.max(begin, Math.min(end, to))
  return { aroundUs: begin - start + (end - stop), withinUs: stop - begin }
}

const microseconds = (ms: number) => Math.round(ms * 1000)

/** Where the callee's own record lies; nowhere, where it kept none. */
function recordOf({ handleOffsetMs, handleMs }: CallNode): readonly [from: number, to: number] {
  if (handleOffsetMs === undefined || handleMs === undefined) return [0, Number.NEGATIVE_INFINITY]
  return [microseconds(handleOffsetMs), microseconds(handleOffsetMs + handleMs)]
}
