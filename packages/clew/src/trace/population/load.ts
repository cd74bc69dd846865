import { partsOf } from '../analysis/breakdown.ts'
import type { Layer } from '../analysis/layer.ts'
import { placesOf } from '../analysis/walk.ts'
import type { CallNode, CallTree } from '../call-node.ts'
import { InFlightTally } from './in-flight-check.ts'
import type { LoadReport } from './load-report.ts'
import type { InstanceCount, MethodCount, Pair } from './load-sums.ts'
import { LoadWindows } from './load-windows.ts'
import { loadReport } from './make-load-report.ts'
import { Sketch } from './sketch.ts'

export interface LoadOptions {
  /** What bands are made by: requests a second, or requests in flight. @default 'rate' */
  readonly by?: 'rate' | 'inFlight' | undefined
}

/** Parts, pairs of processes, and methods told apart; of more, calls are counted as left out. */
const MOST_PARTS = 128
const MOST_PAIRS = 512
const MOST_METHODS = 512
const MOST_INSTANCES = 256
const MOST_ARROWS = 2_048
/** A multiple of every width that windows have within days. */
const ORIGIN_STEP_MS = 250 * 2 ** 20
const OTHERS = { service: 'other services', layer: 'self' } as const

/** Names by number, so that windows need not keep them. */
class Names<Kept> {
  readonly #numbers = new Map<string, number>()
  readonly all: Kept[] = []

  /** @returns undefined when there are too many already */
  numberOf(key: string, most: number, create: () => Kept): number | undefined {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    if (this.all.length >= most) return undefined
    this.#numbers.set(key, this.all.length)
    return this.all.push(create()) - 1
  }
}

/**
 * The paper's second question: where is the bottleneck, and how does it move with the load? Time is cut
 * into windows, windows of the same load become a band, and in each band critical time, waits and
 * utilisation say what holds requests up. Add trees one by one, in any order: none is kept, and memory
 * depends on neither their number nor their size.
 */
export class Load {
  readonly #windows = new LoadWindows()
  readonly #parts = new Names<{ service: string; layer: Layer }>()
  readonly #instances = new Names<InstanceCount>()
  readonly #pairs = new Names<Pair>()
  readonly #methods = new Names<MethodCount>()
  readonly #arrows = new Map<string, Set<string>>()
  #arrowCount = 0
  #originMs: number | undefined
  #requests = 0
  #callsLeftOut = 0
  /** Trees that are no request with a known duration. */
  passedOver = 0

  add(tree: CallTree): void {
    const { root, startedMs, totalMs } = tree
    if (!Number.isFinite(startedMs)) {
      this.passedOver++
      return
    }
    // Sums of small numbers keep their decimals; windows lie at the same times whoever comes first.
    this.#originMs ??= Math.floor(startedMs / ORIGIN_STEP_MS) * ORIGIN_STEP_MS
    const startMs = startedMs - this.#originMs
    for (const call of placesOf(root)) this.#addCall(call, startMs)
    if (root.placeholder || root.totalMs === undefined || !(totalMs >= 0)) this.passedOver++
    else this.#addRequest(tree, startMs)
  }

  /** What was added so far. */
  report({ by = 'rate' }: LoadOptions = {}): LoadReport {
    return loadReport(
      {
        windows: this.#windows,
        parts: this.#parts.all,
        instances: this.#instances.all,
        pairs: this.#pairs.all,
        methods: this.#methods.all,
        arrows: this.#arrows,
        requests: this.#requests,
        passedOver: this.passedOver,
        callsLeftOut: this.#callsLeftOut,
      },
      by,
    )
  }

  #addRequest(tree: CallTree, startMs: number): void {
    const { root, totalMs } = tree
    this.#requests++
    const window = this.#windows.at(startMs)
    window.flow.start(startMs)
    window.total.add(totalMs)
    if (root.status !== 'ok') window.failed++
    window.firstMs = Math.min(window.firstMs, startMs)
    window.lastMs = Math.max(window.lastMs, startMs)
    for (const { service, layer, ms } of partsOf(tree)) {
      window.addPart(this.#partOf(service, layer), ms)
    }
    // Last: a window that is asked for may make those before wider.
    this.#windows.at(startMs + totalMs).flow.end(startMs + totalMs)
  }

  #partOf(service: string, layer: Layer): number {
    const key = `${layer} ${service}`
    const known = this.#parts.numberOf(key, MOST_PARTS - 1, () => ({ service, layer }))
    // The place that is kept free is that of all others.
    return known ?? this.#parts.numberOf('', MOST_PARTS, () => OTHERS)!
  }

  /** A place with a callee's record: its instance handled something. */
  #addCall(call: CallNode, treeMs: number): void {
    this.#addArrows(call)
    const { host, receiveMs, handleMs, handleOffsetMs } = call
    if (call.placeholder || call.edge === 'local' || host === undefined) return
    if (receiveMs === undefined || handleOffsetMs === undefined) return
    const instance = this.#instanceOf(call, host)
    const pair = instance === undefined ? undefined : this.#pairOf(instance, call.callerHost ?? '')
    if (instance === undefined || pair === undefined) {
      this.#callsLeftOut++
      return
    }
    this.#count(this.#instances.all[instance]!, call, receiveMs)
    this.#addMethod(call)
    // Placed on the root's clock, as the requests are.
    const atMs = treeMs + handleOffsetMs
    if (!Number.isFinite(atMs)) return
    const cell = this.#windows.at(atMs).pair(pair)
    cell.flow.start(atMs)
    if (call.requestMs !== undefined) {
      const legMs = receiveMs - call.requestMs
      const known = this.#pairs.all[pair]!
      known.leastLegMs = Math.min(known.leastLegMs, legMs)
      cell.legs++
      cell.legMs += legMs
    }
    if (call.startMs !== undefined) cell.localMs += Math.max(0, call.startMs - receiveMs)
    if (call.busy !== undefined) {
      cell.busy++
      cell.busySum += Math.min(1, Math.max(0, call.busy))
    }
    if (handleMs === undefined || !(handleMs >= 0)) return
    cell.answered++
    cell.handleMs += handleMs
    // Last, as above: the other cell is that of another window, mostly.
    this.#windows
      .at(atMs + handleMs)
      .pair(pair)
      .flow.end(atMs + handleMs)
  }

  #addArrows({ service, calls, placeholder }: CallNode): void {
    if (placeholder || calls.length === 0) return
    let called = this.#arrows.get(service)
    for (const child of calls) {
      if (child.placeholder || child.edge === 'down' || called?.has(child.service)) continue
      if (this.#arrowCount >= MOST_ARROWS) return
      called ??= new Set()
      called.add(child.service)
      this.#arrows.set(service, called)
      this.#arrowCount++
    }
  }

  #instanceOf({ service, pid }: CallNode, host: string): number | undefined {
    const key = JSON.stringify([service, host, pid])
    return this.#instances.numberOf(key, MOST_INSTANCES, () => ({
      ...{ service, host, pid, calls: 0, unanswered: 0, most: 0, atMost: 0 },
      tally: new InFlightTally(),
    }))
  }

  #pairOf(instance: number, caller: string): number | undefined {
    return this.#pairs.numberOf(`${instance} ${caller}`, MOST_PAIRS, () => ({
      instance,
      leastLegMs: Number.POSITIVE_INFINITY,
    }))
  }

  #count(instance: InstanceCount, { respondMs, inFlight }: CallNode, receiveMs: number): void {
    instance.calls++
    if (respondMs === undefined) instance.unanswered++
    if (inFlight === undefined || !(inFlight >= 1)) return
    if (inFlight > instance.most) [instance.most, instance.atMost] = [inFlight, 0]
    if (inFlight === instance.most) instance.atMost++
    if (respondMs !== undefined) instance.tally.add(receiveMs, respondMs, inFlight)
  }

  #addMethod({ service, method, handleMs }: CallNode): void {
    if (handleMs === undefined) return
    const key = JSON.stringify([service, method])
    const number = this.#methods.numberOf(key, MOST_METHODS, () => ({
      ...{ service, method, handle: new Sketch() },
    }))
    if (number !== undefined) this.#methods.all[number]!.handle.add(handleMs)
  }
}
