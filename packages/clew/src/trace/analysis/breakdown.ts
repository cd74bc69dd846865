import type { CallNode, CallTree } from '../call-node.ts'
import { Sketch } from '../population/sketch.ts'
import { type CriticalSegment, criticalPath } from './critical-path.ts'
import { type Layer, layerOfOperation } from './layer.ts'
import { nameOf, placesOf } from './walk.ts'

/** How much of a kind of request's time one layer of one service takes. */
export interface BreakdownPart {
  readonly service: string
  readonly layer: Layer
  /**
   * Over all requests of the kind, those included in which it took no time. Exact up to 32 requests in
   * which it took any, else within 1 % (`SKETCH_ERROR`).
   */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all the time of these requests, from 0 to 1; the shares of a kind of request add up to 1. */
  readonly share: number
}

/** Where the time of one kind of request goes. */
export interface RequestBreakdown {
  /** Service and method of the root call, in one name and each by itself. */
  readonly request: string
  readonly service: string
  readonly method: string
  readonly requests: number
  /** Of the whole requests, as exactly. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** The largest share first. */
  readonly parts: readonly BreakdownPart[]
}

/** One line of a breakdown as programs read it. */
export interface BreakdownRow extends BreakdownPart {
  readonly request: string
}

/** Kinds of requests told apart; requests of more are only counted. */
const MOST_KINDS = 1_000
/** Parts of a kind told apart; those of more services are one. */
const MOST_PARTS = 1_000
const OTHERS = 'other services'

interface Part {
  readonly service: string
  readonly layer: Layer
  /** Milliseconds in each request in which it took any. */
  readonly times: Sketch
}

interface Kind {
  readonly service: string
  readonly method: string
  readonly totals: Sketch
  readonly parts: Map<string, Part>
}

/**
 * The paper's Figure 6: where the time of each kind of request goes, by service and layer. What is
 * counted is the critical path (each moment once, for what the answer waited for then), so the parts
 * of a request add up to its total, and work that nobody waited for is left out. Add trees one by
 * one: none is kept, and memory is bounded whatever their number.
 */
export class Breakdown {
  readonly #kinds = new Map<string, Kind>()
  /** Trees that are no request with a known duration, or of too many kinds. */
  passedOver = 0

  add(tree: CallTree): void {
    const { root, totalMs } = tree
    if (root.placeholder || root.totalMs === undefined || !(totalMs > 0)) {
      this.passedOver++
      return
    }
    const request = nameOf(root)
    let kind = this.#kinds.get(request)
    if (kind === undefined) {
      if (this.#kinds.size >= MOST_KINDS) {
        this.passedOver++
        return
      }
      const { service, method } = root
      kind = { service, method, totals: new Sketch(), parts: new Map() }
      this.#kinds.set(request, kind)
    }
    kind.totals.add(totalMs)
    for (const part of partsOf(tree, kind.parts)) addTo(kind, part)
  }

  /** What was added so far, the kinds of request that took most time in all first. */
  get requests(): readonly RequestBreakdown[] {
    const kinds = [...this.#kinds].sort(([, a], [, b]) => b.totals.sum - a.totals.sum)
    return kinds.map(([request, { service: root, method, totals, parts }]) => {
      const requests = totals.count
      const told = [...parts.values()].map(({ service, layer, times }) => ({
        ...{ service, layer },
        ...{ p50Ms: times.quantile(0.5, requests), p99Ms: times.quantile(0.99, requests) },
        share: times.sum / totals.sum,
      }))
      const [p50Ms, p99Ms] = [totals.quantile(0.5), totals.quantile(0.99)]
      told.sort((a, b) => b.share - a.share)
      return { request, service: root, method, requests, p50Ms, p99Ms, parts: told }
    })
  }
}

/** Where the time of each kind of request goes, by service and layer. */
export function breakdown(trees: Iterable<CallTree>): readonly RequestBreakdown[] {
  const sums = new Breakdown()
  for (const tree of trees) sums.add(tree)
  return sums.requests
}

/** A breakdown line by line. */
export function breakdownRows(requests: readonly RequestBreakdown[]): readonly BreakdownRow[] {
  return requests.flatMap(({ request, parts }) => parts.map((part) => ({ request, ...part })))
}

function addTo({ parts }: Kind, { service, layer, ms }: Spent): void {
  const key = keyOf(service, layer)
  let part = parts.get(key)
  if (part === undefined) {
    part = { service, layer, times: new Sketch() }
    parts.set(key, part)
  }
  part.times.add(ms)
}

const keyOf = (service: string, layer: Layer) => `${layer} ${service}`

interface Spent {
  readonly service: string
  readonly layer: Layer
  ms: number
}

/** One request's time by service and layer, each once. */
export function partsOf(
  tree: CallTree,
  known: ReadonlyMap<string, unknown> = new Map(),
): Iterable<Spent> {
  const parents = new Map<CallNode, CallNode>()
  for (const call of placesOf(tree.root)) for (const child of call.calls) parents.set(child, call)
  const spent = new Map<string, Spent>()
  const add = (name: string, layer: Layer, ms: number) => {
    if (!(ms > 0)) return
    const full = known.size + spent.size >= MOST_PARTS && !known.has(keyOf(name, layer))
    const service = full ? OTHERS : name
    const key = keyOf(service, layer)
    const sum = spent.get(key)
    if (sum === undefined) spent.set(key, { service, layer, ms })
    else sum.ms += ms
  }
  const own = new Map<CallNode, number>()
  for (const segment of criticalPath(tree)) {
    const { call } = segment
    const whole = segment.endMs - segment.startMs
    // What has no code of its own is the time of the service that asked for it.
    const { service } = parents.get(call) ?? call
    if (call.edge === 'down') add(service, layerOfOperation(call.method), whole)
    else if (call.edge === 'event' && call.handleMs === undefined) add(service, 'queue', whole)
    else if (call.handleMs === undefined) add(call.service, 'rpc', whole)
    else {
      const self = within(segment)
      own.set(call, (own.get(call) ?? 0) + self)
      add(call.service, 'queue', whole - self)
    }
  }
  for (const [call, self] of own) add(call.service, 'self', self - addFolds(call, self, add))
  return spent.values()
}

/** How much of a segment lies within the method itself: not on the way, nor before a worker was free. */
function within({ call, startMs, endMs }: CriticalSegment): number {
  const { handleMs = 0, startMs: begun, receiveMs, handleOffsetMs = 0 } = call
  const waited = begun === undefined || receiveMs === undefined ? 0 : Math.max(0, begun - receiveMs)
  const from = Math.max(startMs, handleOffsetMs + Math.min(waited, handleMs))
  return Math.max(0, Math.min(endMs, handleOffsetMs + handleMs) - from)
}

/**
 * Merged calls have no place on the critical path: their sum is taken from the time in which their
 * caller seems to have worked by itself, as if they had been made one after the other.
 */
function addFolds(
  call: CallNode,
  self: number,
  add: (service: string, layer: Layer, ms: number) => void,
): number {
  let taken = 0
  for (const { service, method, edge, sumMs } of call.folds) {
    const ms = Math.min(self - taken, Math.max(0, sumMs))
    if (edge === 'down') add(call.service, layerOfOperation(method), ms)
    else add(service, 'rpc', ms)
    taken += ms
  }
  return taken
}
