import { nameOf, placesOf } from '../analysis/walk.ts'
import type { CallNode, CallTree } from '../call-node.ts'
import { Sketch } from './sketch.ts'
import { type SlowInstance, slowInstances } from './slow-instances.ts'

/** Which durations of calls are kept. `queue`: between arrival and the method's beginning. */
export type Measure = 'total' | 'handle' | 'self' | 'queue' | 'network'

export const MEASURES: readonly Measure[] = ['total', 'handle', 'self', 'queue', 'network']

/** What is known of the calls of one method, or of those that one instance answered. */
export interface CallStatistics {
  readonly service: string
  readonly method: string
  /** `host:pid`; undefined for all of the method. */
  readonly instance: string | undefined
  readonly count: number
  readonly failed: number
  /** By the error's class, or the status where there is none; at most 20, the others as `others`. */
  readonly errors: ReadonlyMap<string, number>
  /** Milliseconds; exact up to 32 calls, else within 1 %. */
  readonly times: Readonly<Record<Measure, Sketch>>
  /** Calls a second between the first and the last; undefined for less than two moments. */
  readonly perSecond: number | undefined
  /** Mean number of calls that the process was handling when one came; undefined where it does not tell. */
  readonly inFlight: number | undefined
}

class Tally {
  readonly service: string
  readonly method: string
  readonly instance: string | undefined
  readonly errors = new Map<string, number>()
  readonly times = Object.fromEntries(MEASURES.map((measure) => [measure, new Sketch()])) as Record<
    Measure,
    Sketch
  >
  /** Durations side by side, of the first calls: what tests need. */
  readonly calls: Record<Measure, number>[] = []
  count = 0
  failed = 0
  #firstMs = Number.POSITIVE_INFINITY
  #lastMs = Number.NEGATIVE_INFINITY
  #inFlight = 0
  #inFlightCalls = 0

  constructor({ service, method }: CallNode, instance: string | undefined) {
    this.service = service
    this.method = method
    this.instance = instance
  }

  add(call: CallNode): void {
    this.count++
    const { status, error, inFlight, requestMs, receiveMs } = call
    if (status !== 'ok' && status !== 'pending') {
      this.failed++
      const known = error ?? status
      const kind = this.errors.has(known) || this.errors.size < MOST_ERRORS ? known : 'others'
      this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1)
    }
    const measured = measuresOf(call)
    for (const measure of MEASURES) this.times[measure].add(measured[measure])
    if (this.calls.length < MOST_CALLS && this.instance !== undefined) this.calls.push(measured)
    const at = requestMs ?? receiveMs
    if (at !== undefined) {
      this.#firstMs = Math.min(this.#firstMs, at)
      this.#lastMs = Math.max(this.#lastMs, at)
    }
    if (inFlight === undefined) return
    this.#inFlight += inFlight
    this.#inFlightCalls++
  }

  told(): CallStatistics {
    const { service, method, instance, count, failed, errors, times } = this
    const seconds = (this.#lastMs - this.#firstMs) / 1000
    return {
      ...{ service, method, instance, count, failed, errors, times },
      perSecond: seconds > 0 ? count / seconds : undefined,
      inFlight: this.#inFlightCalls > 0 ? this.#inFlight / this.#inFlightCalls : undefined,
    }
  }
}

const MOST_METHODS = 2_000
const MOST_INSTANCES = 5_000
const MOST_ERRORS = 20
const MOST_CALLS = 400

/** Statistics of every method and of every instance that answers it. Add trees one by one: none is kept. */
export class Statistics {
  readonly #methods = new Map<string, Tally>()
  readonly #instances = new Map<string, Tally>()
  /** Calls of methods or instances beyond the bound. */
  passedOver = 0

  add(tree: CallTree): void {
    for (const call of placesOf(tree.root)) {
      if (call.placeholder) continue
      const name = nameOf(call)
      this.#tally(this.#methods, MOST_METHODS, name, call)
      if (call.host === undefined) continue
      const instance = call.pid === undefined ? call.host : `${call.host}:${call.pid}`
      this.#tally(this.#instances, MOST_INSTANCES, `${name}\0${instance}`, call, instance)
    }
  }

  /** The most called first. */
  get methods(): readonly CallStatistics[] {
    return inOrder(this.#methods)
  }

  /** By method, the most called first. */
  get instances(): readonly CallStatistics[] {
    return inOrder(this.#instances)
  }

  /** Instances that are slower at a method than its other instances, for sure: the slowest first. */
  get slowInstances(): readonly SlowInstance[] {
    const methods = Map.groupBy(this.#instances.values(), nameOf)
    return slowInstances([...methods.values()])
  }

  #tally(
    tallies: Map<string, Tally>,
    most: number,
    key: string,
    call: CallNode,
    ...[instance]: readonly string[]
  ): void {
    let tally = tallies.get(key)
    if (tally === undefined) {
      if (tallies.size >= most) {
        this.passedOver++
        return
      }
      tally = new Tally(call, instance)
      tallies.set(key, tally)
    }
    tally.add(call)
  }
}

const inOrder = (tallies: ReadonlyMap<string, Tally>) =>
  [...tallies.values()].sort((a, b) => b.count - a.count).map((tally) => tally.told())

/** What is not known is no number, which sketches pass over. */
function measuresOf(call: CallNode): Record<Measure, number> {
  const { totalMs, handleMs, selfMs, startMs, receiveMs, networkMs } = call
  const queue = startMs === undefined || receiveMs === undefined ? undefined : startMs - receiveMs
  const own = selfMs === undefined ? undefined : selfMs - Math.max(0, queue ?? 0)
  return {
    total: totalMs ?? Number.NaN,
    handle: handleMs ?? Number.NaN,
    self: own ?? Number.NaN,
    queue: queue ?? Number.NaN,
    network: networkMs ?? Number.NaN,
  }
}
