import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Sketch, type Trace } from 'clew/trace'
import { type LoadPlan, planMs, rateAt } from './plan.ts'
import { type Arrivals, schedule } from './schedule.ts'

/** How one request ended. */
export interface Answer {
  /** What came home; a request without one is known by its duration alone. */
  readonly trace: Trace | undefined
  readonly failed: boolean
  /** By which it is counted: `ok`, an error's name, `HTTP 503`. */
  readonly outcome: string
}

/** What is asked. Answers, never throws. */
export type Ask = (signal: AbortSignal) => Promise<Answer>

export interface DriveOptions {
  readonly plan: LoadPlan
  readonly arrivals: Arrivals
  readonly maxInFlight: number
  /** Failures in a row after which no more is asked. */
  readonly maxFailures: number
  readonly ask: Ask
  /** Told of each answer. */
  readonly take: (answer: Answer) => void
  /** Ends the load; what is in flight is still awaited. */
  readonly stop: AbortSignal
  /** Ends the waiting too. */
  readonly cancel: AbortSignal
}

/** Why it ended. */
export type End = 'done' | 'failures' | 'stopped'

const KINDS = 20
/** Begun so much after its time, a request is late. */
const LATE_MS = 10

/** How it goes, and went. */
export class Drive {
  readonly #options: DriveOptions
  readonly #delay = monitorEventLoopDelay({ resolution: 10 })
  readonly #begun = performance.now()
  readonly #usage = performance.eventLoopUtilization()
  /** Latencies of all, and of the answers since it was last asked for. */
  readonly total = new Sketch()
  #lately = new Sketch()
  readonly outcomes = new Map<string, Sketch>()
  asked = 0
  answered = 0
  failed = 0
  late = 0
  /** Not begun, since as many were in flight as may be. */
  notStarted = 0
  inFlight = 0
  mostInFlight = 0
  #inARow = 0
  #failures = false

  constructor(options: DriveOptions) {
    this.#options = options
  }

  /** Milliseconds since it began. */
  get elapsedMs(): number {
    return performance.now() - this.#begun
  }

  get plannedMs(): number {
    return planMs(this.#options.plan)
  }

  /** Requests a second that are asked now. */
  get rate(): number {
    return rateAt(this.#options.plan, this.elapsedMs)
  }

  /** How busy this process was, and the delay of its timers: then it is what is measured. */
  get own(): { readonly busy: number; readonly lagP99Ms: number } {
    const { utilization } = performance.eventLoopUtilization(this.#usage)
    const lag = this.#delay.percentile(99) / 1e6 - 10
    return { busy: utilization, lagP99Ms: Number.isFinite(lag) ? Math.max(0, lag) : 0 }
  }

  /** Latencies since the last time that this was asked for. */
  takeLately(): Sketch {
    const lately = this.#lately
    this.#lately = new Sketch()
    return lately
  }

  /** Asks on schedule until the plan is done, then waits for what is in flight. */
  async run(): Promise<End> {
    const { plan, arrivals, stop } = this.#options
    this.#delay.enable()
    const open = new Set<Promise<void>>()
    for (const atMs of schedule(plan, arrivals)) {
      const early = atMs - this.elapsedMs
      if (early > 0.5) await waited(early, stop)
      if (stop.aborted || this.#failures) break
      if (this.elapsedMs - atMs > LATE_MS) this.late++
      if (this.inFlight >= this.#options.maxInFlight) {
        this.notStarted++
        continue
      }
      const one = this.#one()
      open.add(one)
      void one.then(() => open.delete(one))
    }
    // The last request is not yet the end of the plan: the rate of its last second counts as well.
    if (!stop.aborted && !this.#failures) await waited(this.plannedMs - this.elapsedMs, stop)
    await Promise.all(open)
    this.#delay.disable()
    return this.#failures ? 'failures' : stop.aborted ? 'stopped' : 'done'
  }

  async #one(): Promise<void> {
    const { ask, cancel, take, maxFailures } = this.#options
    const begun = performance.now()
    this.asked++
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    const answer = await ask(cancel)
    this.inFlight--
    this.answered++
    const ms = performance.now() - begun
    this.total.add(ms)
    this.#lately.add(ms)
    this.#count(answer.outcome, ms)
    this.#inARow = answer.failed ? this.#inARow + 1 : 0
    if (answer.failed) this.failed++
    if (this.#inARow >= maxFailures) this.#failures = true
    take(answer)
  }

  #count(outcome: string, ms: number): void {
    const name = this.outcomes.has(outcome) || this.outcomes.size < KINDS ? outcome : 'others'
    let sketch = this.outcomes.get(name)
    if (sketch === undefined) {
      sketch = new Sketch()
      this.outcomes.set(name, sketch)
    }
    sketch.add(ms)
  }
}

/** Resolves after a time, or when the signal aborts. */
function waited(ms: number, signal: AbortSignal): Promise<void> {
  if (!(ms > 0) || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
