import { legMs } from '../analysis/legs.ts'
import type { CallNode, FoldedCalls } from '../call-node.ts'
import type { MapFigures } from './service-map-shape.ts'
import { Sketch } from './sketch.ts'

/** Error classes told apart; those of more are one. */
const MOST_ERRORS = 20
const OTHER_ERRORS = 'other errors'

/** What was counted of calls of one kind, in bounded memory. */
export class CallSums {
  calls = 0
  failed = 0
  pending = 0
  readonly errors = new Map<string, number>()
  readonly times = new Sketch()
  readonly waits = new Sketch()
  readonly queues = new Sketch()

  add(call: CallNode): void {
    this.calls++
    const { status, error, totalMs, networkMs } = call
    if (status === 'pending') {
      // The work itself may have ended, where nobody waits for it.
      if (call.handleMs === undefined) this.pending++
    } else if (status !== 'ok') {
      this.failed++
      this.#fail(error ?? status, 1)
    }
    const took = totalMs ?? call.handleMs
    if (took !== undefined) this.times.add(took)
    if (networkMs !== undefined) this.waits.add(networkMs)
    // Where no beginning is told, nothing is known of what was before it.
    const queued = call.startMs === undefined ? undefined : legMs(call, 'start')
    if (queued !== undefined) this.queues.add(queued)
  }

  /** Merged calls: their least, median and greatest time are known, and how many there were. */
  addFold({ count, minMs, medianMs, maxMs }: FoldedCalls): void {
    if (!(count > 0) || !Number.isFinite(count)) return
    this.calls += count
    if (count > 1) this.times.add(minMs)
    if (count > 2) this.times.add(medianMs, count - 2)
    this.times.add(maxMs)
  }

  merge(other: CallSums): void {
    this.calls += other.calls
    this.failed += other.failed
    this.pending += other.pending
    for (const [error, calls] of other.errors) this.#fail(error, calls)
    this.times.merge(other.times)
    this.waits.merge(other.waits)
    this.queues.merge(other.queues)
  }

  get figures(): MapFigures {
    const { calls, failed, pending, times, waits, queues } = this
    const errors = [...this.errors].map(([error, count]) => ({ error, calls: count }))
    errors.sort((a, b) => b.calls - a.calls || (a.error < b.error ? -1 : 1))
    const timed = times.count > 0
    return {
      ...{ calls, failed, errors, pending },
      p50Ms: timed ? times.quantile(0.5) : undefined,
      p99Ms: timed ? times.quantile(0.99) : undefined,
      waitMs: waits.count > 0 ? waits.quantile(0.5) : undefined,
      queueMs: queues.count > 0 ? queues.quantile(0.5) : undefined,
    }
  }

  #fail(error: string, calls: number): void {
    const full = this.errors.size >= MOST_ERRORS && !this.errors.has(error)
    const name = full ? OTHER_ERRORS : error
    this.errors.set(name, (this.errors.get(name) ?? 0) + calls)
  }
}
