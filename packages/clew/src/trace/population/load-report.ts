import type { Layer } from '../analysis/layer.ts'
import type { InFlightCheck } from './in-flight-check.ts'
import type { NoScalability, Scalability } from './scalability.ts'

/** What one layer of a service takes of the critical time of a band's requests. */
export interface LoadPart {
  readonly service: string
  readonly layer: Layer
  /** Mean over all requests of the band. */
  readonly ms: number
  /** From 0 to 1; the shares of a band add up to 1. */
  readonly share: number
}

/** A service at one load. */
export interface LoadStation {
  readonly service: string
  /** Calls that came in a second (Little's λ). */
  readonly rate: number
  /** Calls in flight within it, averaged over time (L). */
  readonly inFlight: number
  /** Mean milliseconds from receive to respond (W). */
  readonly handleMs: number
  /**
   * Mean milliseconds that calls waited for it: the request leg beyond the shortest of the same two
   * hosts, whose clocks that cancels, and from receive to start.
   */
  readonly waitMs: number
  /** Share of time that its event loops were busy; undefined where processes did not say. */
  readonly busy: number | undefined
  /** Calls in flight against the most that its instances took at a time: an estimate. */
  readonly workers: number
  /**
   * True where instances took that most again and again, as a pool of workers does; otherwise nothing
   * says that there was a limit.
   */
  readonly limited: boolean
}

/**
 * What holds requests up. `work`: its own work takes most, and nothing waits for it. `workers`: its
 * workers are all taken. `event-loop`: its processes compute all the time. `waiting`: requests wait for
 * it, and nothing says for what. `unclear`: requests take longer, and no service explains it.
 */
export type BottleneckKind = 'work' | 'workers' | 'event-loop' | 'waiting' | 'unclear'

export interface LoadBottleneck {
  /** Empty where it is unclear. */
  readonly service: string
  readonly kind: BottleneckKind
  /** The layer that takes most of the service's share. */
  readonly layer: Layer | undefined
  /**
   * Of the critical time, from 0 to 1: that layer for `work`, else all layers of the service and the
   * queues of those behind it.
   */
  readonly share: number
  /** From 0 to 1, where known. */
  readonly utilisation: number | undefined
  /** Services whose workers are taken only because they wait for this one. */
  readonly behind: readonly string[]
}

/** Times at which as much was asked. */
export interface LoadBand {
  /** Requests that began a second: the mean, the least and the most of the band's windows. */
  readonly rate: number
  readonly fromRate: number
  readonly toRate: number
  /** Requests answered a second. */
  readonly answered: number
  readonly inFlight: number
  readonly requests: number
  /** Share of the requests that failed, from 0 to 1. */
  readonly failed: number
  readonly seconds: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The largest share first. */
  readonly parts: readonly LoadPart[]
  /** Those that were waited for longest first. */
  readonly stations: readonly LoadStation[]
  readonly bottleneck: LoadBottleneck
}

/** A process that serves, over all the time. */
export interface LoadInstance {
  readonly service: string
  readonly host: string
  readonly pid: number | undefined
  readonly calls: number
  /** λ, L and W of Little's law: calls a second, calls in flight, mean milliseconds. */
  readonly rate: number
  readonly inFlight: number
  readonly handleMs: number
  /** Calls of which no respond is known. */
  readonly unanswered: number
  /** Most calls at a time, as it counted; undefined where it did not. */
  readonly most: number | undefined
  /** What it counted against what the traces show; undefined where too little is known. */
  readonly check: InFlightCheck | undefined
}

/** How calls of a method wait more as more come. */
export interface LoadMethod {
  readonly service: string
  readonly method: string
  readonly calls: number
  readonly handleMs: number
  readonly p99Ms: number
}

/** How much a service can do, as what it did tells. */
export interface LoadLimit {
  readonly service: string
  /** Seconds of all its workers that one request takes of it (the operational laws' D = ρ/X). */
  readonly demandMs: number
  /** Requests a second at which its workers would have no time left (1/D). */
  readonly mostRate: number
  /** Milliseconds of wait that another request a second adds, over all bands. */
  readonly waitPerRate: number
}

/** Where the bottleneck is, and how it moves with the load. */
export interface LoadReport {
  readonly by: 'rate' | 'inFlight'
  readonly requests: number
  /** Traces without a root call that ended: no requests. */
  readonly passedOver: number
  /** Calls of more services or instances than are told apart. */
  readonly callsLeftOut: number
  readonly seconds: number
  /** The least load first. */
  readonly bands: readonly LoadBand[]
  /** The law's peak, or why none is told. */
  readonly limit: Scalability | NoScalability
  /** Services with a known number of workers, the first to be full first. */
  readonly limits: readonly LoadLimit[]
  /** Requests in flight at which the first of them would be full. */
  readonly fullInFlight: number | undefined
  readonly instances: readonly LoadInstance[]
  /** The methods that took most time, at most 50. */
  readonly methods: readonly LoadMethod[]
  /** The answer in words. */
  readonly sentences: readonly string[]
}
