import { splitByRecord } from '../analysis/critical-credits.ts'
import { criticalPath } from '../analysis/critical-path.ts'
import type { CallNode, CallTree } from '../call-node.ts'
import { CallSums } from './call-sums.ts'
import { circles } from './circles.ts'
import { endOfFold, type MapEnd, type MappedCall, mappedCalls } from './map-caller.ts'
import type { MapLink, MapLinkKind, MapMethod, MapPlace, SystemMap } from './service-map-shape.ts'

/** What is told apart; calls beyond are counted in `leftOut`. */
const MOST_PLACES = 2_000
const MOST_METHODS = 20_000
const MOST_LINKS = 20_000
/** Names of instances and of versions kept for each place. */
const MOST_NAMES = 200
/** Versions of a place that are told apart. */
const MOST_VERSIONS = 20

interface Method {
  readonly sums: CallSums
  requests: number
  /** Calls that were events. */
  events: number
  example: string
}

interface Place {
  readonly end: MapEnd
  readonly sums: CallSums
  readonly methods: Map<string, Method>
  readonly instances: Set<string>
  /** Undefined for versions that are named, and not told apart. */
  readonly versions: Map<string, CallSums | undefined>
  profiled: boolean
  criticalUs: number
  localWork: number
  selfCalls: number
}

interface Link {
  readonly from: MapEnd
  readonly to: MapEnd
  readonly kind: MapLinkKind
  readonly sums: CallSums
  /** By caller's and callee's method. */
  readonly methods: Map<
    string,
    { readonly from: string; readonly to: string; readonly sums: CallSums }
  >
}

/**
 * The layout of a system nobody documented, from the calls that were observed: services and their
 * methods, stores, events, and who calls whom. Add trees one by one: none is kept, and memory is
 * bounded whatever the names. Maps of parts of the traces can be merged in any order.
 */
export class ServiceMap {
  readonly #places = new Map<string, Place>()
  readonly #links = new Map<string, Link>()
  #methods = 0
  #methodLinks = 0
  #traces = 0
  #calls = 0
  #missing = 0
  #leftOut = 0
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  add(tree: CallTree): void {
    this.#traces++
    this.#calls += tree.calls
    this.#missing += tree.missingCalls
    if (Number.isFinite(tree.startedMs) && tree.calls > 0) {
      this.#first = Math.min(this.#first, tree.startedMs)
      this.#last = Math.max(this.#last, tree.startedMs + tree.totalMs)
    }
    const where = new Map<CallNode, MapEnd>()
    for (const mapped of mappedCalls(tree)) {
      where.set(mapped.call, mapped.end)
      this.#take(mapped, tree.traceId)
      for (const fold of mapped.call.folds) {
        const end = endOfFold(fold, mapped.end)
        const place = this.#place(end)
        place?.sums.addFold(fold)
        this.#method(place, end.method, tree.traceId)?.sums.addFold(fold)
        const kind = fold.edge === 'down' ? 'down' : 'call'
        for (const sums of this.#sumsOf(mapped.end, end, kind)) sums.addFold(fold)
        if (place === undefined) this.#leftOut += fold.count
      }
    }
    for (const piece of criticalPath(tree)) {
      const end = where.get(piece.call)
      const place = end === undefined ? undefined : this.#places.get(idOf(end))
      const { from } = piece.call
      const caller = from && this.#places.get(idOf({ kind: 'service', name: from.service }))
      const { aroundUs, withinUs } = splitByRecord(piece)
      if (place !== undefined) place.criticalUs += withinUs
      // Whom only its callers recorded, such as a database, would otherwise take no time at all.
      const around = piece.call.handleMs === undefined ? place : (caller ?? place)
      if (around !== undefined) around.criticalUs += aroundUs
    }
  }

  /** Adds everything that another map was given. */
  merge(other: ServiceMap): void {
    this.#traces += other.#traces
    this.#calls += other.#calls
    this.#missing += other.#missing
    this.#leftOut += other.#leftOut
    this.#first = Math.min(this.#first, other.#first)
    this.#last = Math.max(this.#last, other.#last)
    for (const theirs of other.#places.values()) this.#mergePlace(theirs)
    for (const { from, to, kind, methods } of other.#links.values()) {
      for (const { from: caller, to: callee, sums } of methods.values()) {
        const ends = [
          { ...from, method: caller },
          { ...to, method: callee },
        ] as const
        for (const mine of this.#sumsOf(...ends, kind)) mine.merge(sums)
      }
    }
  }

  /** What was added so far. */
  get map(): SystemMap {
    let critical = 0
    for (const { criticalUs } of this.#places.values()) critical += criticalUs
    const places = [...this.#places.values()].map((place) => toPlace(place, critical))
    const links = [...this.#links.values()].map(toLink)
    const calls = links.filter(({ kind }) => kind !== 'down')
    const known = this.#first <= this.#last
    return {
      ...{ traces: this.#traces, calls: this.#calls, missingCalls: this.#missing },
      firstMs: known ? this.#first : undefined,
      lastMs: known ? this.#last : undefined,
      places: places.sort(by(({ id }) => id)),
      links: links.sort(by(({ from, to, kind }) => JSON.stringify([from, to, kind]))),
      cycles: circles(calls),
      leftOut: this.#leftOut,
    }
  }

  #take({ call, by: caller, end, link, local }: MappedCall, traceId: string): void {
    const place = this.#place(end)
    if (place === undefined) {
      this.#leftOut++
      return
    }
    if (call.handleMs !== undefined || call.receiveMs !== undefined) place.profiled = true
    if (call.host !== undefined) {
      note(place.instances, call.pid === undefined ? call.host : `${call.host}:${call.pid}`)
    }
    const version = call.version === undefined ? undefined : versionOf(place, call.version)
    if (local) {
      place.localWork++
      return
    }
    version?.add(call)
    place.sums.add(call)
    const method = this.#method(place, end.method, traceId)
    if (method === undefined) this.#leftOut++
    else {
      method.sums.add(call)
      if (caller.kind === 'outside') method.requests++
      if (link === 'event') method.events++
    }
    if (idOf(caller) === idOf(end)) place.selfCalls++
    for (const sums of this.#sumsOf(caller, end, link)) sums.add(call)
  }

  #place(end: MapEnd): Place | undefined {
    const id = idOf(end)
    const known = this.#places.get(id)
    if (known !== undefined || this.#places.size >= MOST_PLACES) return known
    const place: Place = {
      ...{ end, sums: new CallSums(), methods: new Map() },
      ...{
        instances: new Set<string>(),
        versions: new Map<string, CallSums | undefined>(),
        profiled: false,
      },
      ...{ criticalUs: 0, localWork: 0, selfCalls: 0 },
    }
    this.#places.set(id, place)
    return place
  }

  #method(place: Place | undefined, name: string, traceId: string): Method | undefined {
    if (place === undefined) return undefined
    const known = place.methods.get(name)
    if (known !== undefined) {
      if (traceId < known.example) known.example = traceId
      return known
    }
    if (this.#methods >= MOST_METHODS) return undefined
    this.#methods++
    const method = { sums: new CallSums(), requests: 0, events: 0, example: traceId }
    place.methods.set(name, method)
    return method
  }

  /** The sums of a link, and those of its methods. */
  #sumsOf(from: MapEnd, to: MapEnd, kind: MapLinkKind): readonly CallSums[] {
    // Whoever only calls is a place as well.
    if (this.#place(from) === undefined || this.#place(to) === undefined) return []
    const key = JSON.stringify([idOf(from), idOf(to), kind])
    let link = this.#links.get(key)
    if (link === undefined) {
      if (this.#links.size >= MOST_LINKS) {
        this.#leftOut++
        return []
      }
      link = { from, to, kind, sums: new CallSums(), methods: new Map() }
      this.#links.set(key, link)
    }
    const inner = JSON.stringify([from.method, to.method])
    let methods = link.methods.get(inner)
    if (methods === undefined) {
      const full = this.#methodLinks >= MOST_LINKS
      const name = full ? JSON.stringify(['…', '…']) : inner
      methods = link.methods.get(name)
      if (methods === undefined) {
        this.#methodLinks++
        methods = {
          from: full ? '…' : from.method,
          to: full ? '…' : to.method,
          sums: new CallSums(),
        }
        link.methods.set(name, methods)
      }
    }
    return [link.sums, methods.sums]
  }

  #mergePlace(theirs: Place): void {
    const mine = this.#place(theirs.end)
    if (mine === undefined) {
      this.#leftOut += theirs.sums.calls
      return
    }
    mine.sums.merge(theirs.sums)
    mine.profiled ||= theirs.profiled
    mine.criticalUs += theirs.criticalUs
    mine.localWork += theirs.localWork
    mine.selfCalls += theirs.selfCalls
    for (const instance of theirs.instances) note(mine.instances, instance)
    for (const [version, sums] of theirs.versions) {
      const known = versionOf(mine, version)
      if (sums !== undefined) known?.merge(sums)
    }
    for (const [name, { sums, requests, events, example }] of theirs.methods) {
      const method = this.#method(mine, name, example)
      if (method === undefined) {
        this.#leftOut += sums.calls
        continue
      }
      method.sums.merge(sums)
      method.requests += requests
      method.events += events
    }
  }
}

/** The layout of a system as these traces show it. */
export function serviceMap(trees: Iterable<CallTree>): SystemMap {
  const map = new ServiceMap()
  for (const tree of trees) map.add(tree)
  return map.map
}

const idOf = ({ kind, name }: Pick<MapEnd, 'kind' | 'name'>) => `${kind}:${name}`

const by =
  <Item>(keyOf: (item: Item) => string) =>
  (a: Item, b: Item) => {
    const [first, second] = [keyOf(a), keyOf(b)]
    return first < second ? -1 : first > second ? 1 : 0
  }

function note(names: Set<string>, name: string): void {
  if (names.size < MOST_NAMES) names.add(name)
}

/** The sums of a version; undefined beyond the bounds. */
function versionOf({ versions }: Place, version: string): CallSums | undefined {
  if (versions.has(version) || versions.size >= MOST_NAMES) return versions.get(version)
  const sums = versions.size < MOST_VERSIONS ? new CallSums() : undefined
  versions.set(version, sums)
  return sums
}

function toPlace(place: Place, critical: number): MapPlace {
  const { end, sums, profiled, criticalUs, localWork, selfCalls } = place
  const methods = [...place.methods].map(
    ([method, { sums: some, requests, events, example }]): MapMethod => ({
      ...{ method, kind: methodKind(end, method, events > 0), requests, example },
      ...some.figures,
    }),
  )
  const versions = [...place.versions].flatMap(([version, some]) =>
    some === undefined ? [] : [{ version, ...some.figures }],
  )
  return {
    ...{ id: idOf(end), kind: end.kind, name: end.name },
    methods: methods.sort(by(({ method }) => method)),
    instances: [...place.instances].sort(),
    versions: [...place.versions.keys()].sort(),
    byVersion: place.versions.size < 2 ? [] : versions.sort(by(({ version }) => version)),
    ...{ profiled, criticalShare: critical > 0 ? criticalUs / critical : 0, localWork, selfCalls },
    ...sums.figures,
  }
}

function toLink({ from, to, kind, sums, methods }: Link): MapLink {
  const told = [...methods.values()].map((one) => ({
    ...{ from: one.from, to: one.to },
    ...one.sums.figures,
  }))
  return {
    ...{ from: idOf(from), to: idOf(to), kind },
    methods: told.sort(by((one) => JSON.stringify([one.from, one.to]))),
    ...sums.figures,
  }
}

function methodKind({ kind }: MapEnd, method: string, isEvent: boolean): MapMethod['kind'] {
  if (kind === 'db' || kind === 'cache') return 'operation'
  if (isEvent || kind === 'event') return 'event'
  if (/^(?:[A-Z]+|\*) \//u.test(method)) return 'http'
  return /^(?:every \S|once$)/u.test(method) ? 'timer' : 'rpc'
}
