import { bottlenecks } from '../analysis/bottlenecks.ts'
import { criticalPath } from '../analysis/critical-path.ts'
import { type FailureKind, failures } from '../analysis/failures.ts'
import type { Leg } from '../analysis/legs.ts'
import { type GapKind, missing } from '../analysis/missing.ts'
import { type StragglerOptions, stragglers } from '../analysis/stragglers.ts'
import { nameOf } from '../analysis/walk.ts'
import type { CallTree } from '../call-node.ts'
import type { Edge } from '../entry.ts'
import { Counted } from './counted.ts'
import { Sketch } from './sketch.ts'

/** One kind of request, by its root call. */
export interface RequestFinding {
  readonly service: string
  readonly method: string
  readonly requests: number
  /** Of which the root failed. */
  readonly failed: number
  /** Of those that ended, within the sketch's error. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** One way in which requests failed: where it began. */
export interface OriginFinding {
  readonly service: string
  readonly method: string
  readonly kind: FailureKind
  /** The error's class name, where there was one. */
  readonly error: string | undefined
  /** Requests that failed of it. */
  readonly requests: number
  /** Requests in which it happened and somebody above coped with it. */
  readonly masked: number
  /** Of all, how many were in work that nobody waited for. */
  readonly aside: number
  /** Of the requests that failed of it: those of which the trace leaves a doubt. */
  readonly doubtful: number
  /** Where it happened most lately seen, up to three hosts. */
  readonly hosts: readonly string[]
  /** Who only passed it on, of the first that was seen, from the nearest up. */
  readonly passedOn: readonly string[]
  /** Trace ids, up to three; of failed requests first. */
  readonly examples: readonly string[]
}

/** Where time of requests goes. */
export interface BottleneckFinding {
  readonly service: string
  readonly method: string
  readonly edge: Edge
  readonly where: 'work' | 'wait' | 'start'
  /** Of the critical time of all requests, from 0 to 1. */
  readonly share: number
  readonly ms: number
  /** Requests whose answer waited for it. */
  readonly requests: number
  /** Requests of which it took more than anything else. */
  readonly most: number
  readonly examples: readonly string[]
}

export interface StragglerFinding {
  readonly service: string
  readonly method: string
  readonly host: string | undefined
  readonly pid: number | undefined
  readonly leg: Leg | undefined
  readonly stragglers: number
  /** How much earlier answers could have gone on, in all. */
  readonly impactMs: number
  readonly excessMs: number
  readonly examples: readonly string[]
}

export interface GapFinding {
  readonly kind: GapKind
  readonly service: string
  readonly method: string
  readonly calls: number
  readonly traces: number
}

type Named = Pick<RequestFinding, 'service' | 'method'>
interface RequestSum {
  requests: number
  failed: number
  readonly times: Sketch
}

type OriginAbout = Pick<OriginFinding, 'service' | 'method' | 'kind' | 'error'>
interface OriginSum {
  requests: number
  masked: number
  aside: number
  doubtful: number
  readonly hosts: Set<string>
  passedOn: readonly string[]
  readonly examples: string[]
  readonly maskedExamples: string[]
}

type BottleneckAbout = Pick<BottleneckFinding, 'service' | 'method' | 'edge' | 'where'>
interface BottleneckSum {
  ms: number
  requests: number
  most: number
  readonly examples: string[]
}

type StragglerAbout = Pick<StragglerFinding, 'service' | 'method' | 'host' | 'pid' | 'leg'>
interface StragglerSum {
  stragglers: number
  impactMs: number
  excessMs: number
  readonly examples: string[]
}

type GapAbout = Pick<GapFinding, 'service' | 'method' | 'kind'>
interface GapSum {
  calls: number
  traces: number
}

/** Ways up are told so far. */
const MOST_PASSED_ON = 8
const MOST_EXAMPLES = 3

/**
 * What many traces tell together: which requests there were, which service failed first, where the
 * time goes, who straggled, what is missing. Trees are added one by one and none is kept; of more kinds
 * of anything than can be held, the further ones are counted and told.
 */
export class Findings {
  traces = 0
  calls = 0
  /** Traces whose root failed. */
  failed = 0
  /** Traces of which something is missing. */
  incomplete = 0
  /** When the first and the last of them began, milliseconds since 1970. */
  firstMs = Number.POSITIVE_INFINITY
  lastMs = Number.NEGATIVE_INFINITY
  readonly #options: StragglerOptions
  #criticalMs = 0
  readonly #requests = new Counted<Named, RequestSum>(() => {
    return { requests: 0, failed: 0, times: new Sketch() }
  })
  readonly #origins = new Counted<OriginAbout, OriginSum>(() => {
    const counts = { requests: 0, masked: 0, aside: 0, doubtful: 0 }
    return { ...counts, hosts: new Set(), passedOn: [], examples: [], maskedExamples: [] }
  })
  readonly #bottlenecks = new Counted<BottleneckAbout, BottleneckSum>(() => {
    return { ms: 0, requests: 0, most: 0, examples: [] }
  })
  readonly #stragglers = new Counted<StragglerAbout, StragglerSum>(() => {
    return { stragglers: 0, impactMs: 0, excessMs: 0, examples: [] }
  })
  readonly #gaps = new Counted<GapAbout, GapSum>(() => ({ calls: 0, traces: 0 }))

  constructor(options: StragglerOptions = {}) {
    this.#options = options
  }

  add(tree: CallTree): void {
    const { root, traceId } = tree
    if (tree.calls === 0) return
    this.traces++
    this.calls += tree.calls
    if (!tree.complete) this.incomplete++
    if (Number.isFinite(tree.startedMs)) {
      this.firstMs = Math.min(this.firstMs, tree.startedMs)
      this.lastMs = Math.max(this.lastMs, tree.startedMs)
    }
    const path = criticalPath(tree)
    const rootFailed = this.#addFailures(tree, failures(tree, path))
    if (rootFailed) this.failed++
    const { service, method, edge } = root
    const request = this.#requests.at(nameOf(root), { service, method })
    request.requests++
    if (rootFailed) request.failed++
    if (root.totalMs !== undefined) request.times.add(tree.totalMs)
    for (const [rank, place] of bottlenecks(tree, path).entries()) {
      const about = { service: place.service, method: place.method, edge: place.edge }
      const sum = this.#bottlenecks.at(`${place.where} ${nameOf(place)}`, {
        ...about,
        where: place.where,
      })
      sum.ms += place.ms
      sum.requests++
      if (rank === 0) sum.most++
      if (rank === 0) example(sum.examples, traceId)
      this.#criticalMs += place.ms
    }
    for (const { call, leg, impactMs, excessMs } of stragglers(tree, path, this.#options)) {
      const { host, pid } = call
      const about = { service: call.service, method: call.method, host, pid, leg }
      const key = `${leg} ${host} ${pid} ${nameOf(call)}`
      const sum = this.#stragglers.at(key, about)
      sum.stragglers++
      sum.impactMs += impactMs
      sum.excessMs += excessMs
      example(sum.examples, traceId)
    }
    for (const gap of tree.complete ? [] : missing(tree)) {
      const { kind } = gap
      const about = { kind, service: gap.service, method: gap.method }
      const sum = this.#gaps.at(`${kind} ${nameOf({ ...about, edge })}`, about)
      sum.calls += gap.calls
      sum.traces++
    }
  }

  /** @returns whether the root failed */
  #addFailures(tree: CallTree, found: ReturnType<typeof failures>): boolean {
    const seen = new Set<string>()
    let rootFailed = false
    for (const { origin, kind, masked, handler, doubt, passedOn } of found) {
      const { service, method, error } = origin
      rootFailed ||= !masked
      const key = `${masked} ${kind} ${error ?? ''} ${nameOf(origin)}`
      // Of one request each is counted once, however often it failed of it.
      if (seen.has(key)) continue
      seen.add(key)
      const about = { service, method, kind, error }
      const sum = this.#origins.at(`${kind} ${error ?? ''} ${nameOf(origin)}`, about)
      if (masked) sum.masked++
      else sum.requests++
      if (handler !== undefined) sum.aside++
      if (!masked && doubt !== undefined) sum.doubtful++
      if (origin.host !== undefined && sum.hosts.size < MOST_EXAMPLES) sum.hosts.add(origin.host)
      if (sum.passedOn.length === 0) sum.passedOn = passedOn.slice(0, MOST_PASSED_ON).map(nameOf)
      example(masked ? sum.maskedExamples : sum.examples, tree.traceId)
    }
    return rootFailed
  }

  /** Kinds of request, the most frequent first. */
  get requests(): readonly RequestFinding[] {
    const told = this.#requests
      .all()
      .map(([about, { requests, failed, times }]): RequestFinding => {
        return {
          ...about,
          requests,
          failed,
          p50Ms: times.quantile(0.5),
          p99Ms: times.quantile(0.99),
        }
      })
    return told.sort((a, b) => b.requests - a.requests)
  }

  /** Where failures began: those of which most requests failed first, masked ones last. */
  get origins(): readonly OriginFinding[] {
    const told = this.#origins.all().map(([about, sum]): OriginFinding => {
      const { requests, masked, aside, doubtful, passedOn } = sum
      const examples = [...sum.examples, ...sum.maskedExamples].slice(0, MOST_EXAMPLES)
      return {
        ...about,
        requests,
        masked,
        aside,
        doubtful,
        passedOn,
        examples,
        hosts: [...sum.hosts],
      }
    })
    return told.sort((a, b) => b.requests - a.requests || b.aside - a.aside || b.masked - a.masked)
  }

  /** The largest share of all requests' time first. */
  get bottlenecks(): readonly BottleneckFinding[] {
    const all = this.#criticalMs
    const told = this.#bottlenecks.all().map(([about, sum]): BottleneckFinding => {
      return { ...about, ...sum, share: all > 0 ? sum.ms / all : 0 }
    })
    return told.sort((a, b) => b.ms - a.ms)
  }

  /** By instance and leg, what would help most first. */
  get stragglers(): readonly StragglerFinding[] {
    const told = this.#stragglers
      .all()
      .map(([about, sum]): StragglerFinding => ({ ...about, ...sum }))
    return told.sort((a, b) => b.impactMs - a.impactMs)
  }

  get gaps(): readonly GapFinding[] {
    const told = this.#gaps.all().map(([about, sum]): GapFinding => ({ ...about, ...sum }))
    return told.sort((a, b) => b.calls - a.calls)
  }

  /** How often something was of a kind too many to be told apart: it is in `(others)`. */
  get left(): number {
    const all = [this.#requests, this.#origins, this.#bottlenecks, this.#stragglers, this.#gaps]
    return all.reduce((sum, { left }) => sum + left, 0)
  }
}

function example(examples: string[], traceId: string): void {
  if (traceId !== '' && examples.length < MOST_EXAMPLES && !examples.includes(traceId)) {
    examples.push(traceId)
  }
}
