import {
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
} from 'node:perf_hooks'
import type { PauseRecord } from '../trace/records.ts'

/** How often the process looks at itself, in milliseconds. */
const EVERY_MS = 50
/** How finely Node measures the loop's delay, in milliseconds. */
const RESOLUTION_MS = 10
/** What is shorter keeps nobody waiting, in milliseconds. */
const LEAST_STALL_MS = 20
const LEAST_GC_MS = 2
/** Pauses kept. Only those that fall into calls under way are ever asked for. */
const MOST_KEPT = 256
/** Pauses told of one call. */
const MOST_TOLD = 8

interface Noticed {
  readonly kind: PauseRecord['kind']
  /** Milliseconds on the process's monotonic clock. */
  readonly from: number
  readonly to: number
}

/**
 * What no call's stamps can say: when the process did nothing for anybody, and how busy its event
 * loop is. Garbage collections are told by Node's observer with their times. A stall of the loop is
 * noticed by a timer that comes late, or, where it was shorter than the timer's interval, by Node's
 * histogram of the loop's delay; then it lies somewhere in that interval, and is put at its end.
 * One a process, shared by its profilers, running while anybody uses it.
 */
export class ProcessWatch {
  #users = 0
  #timer: NodeJS.Timeout | undefined
  #delays: ReturnType<typeof monitorEventLoopDelay> | undefined
  #collections: PerformanceObserver | undefined
  #before: EventLoopUtilization | undefined
  #looked = 0
  #busy: number | undefined
  /** Length of the stall that the last look told: Node's histogram may count it once more. */
  #told = 0
  /** When the last pause ended. */
  #latest = Number.NEGATIVE_INFINITY
  readonly #noticed: Noticed[] = []

  /** Share of the last 50 milliseconds and more that the event loop was busy; undefined before it is known. */
  get busy(): number | undefined {
    return this.#busy
  }

  enter(): void {
    if (this.#users++ > 0) return
    this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delays.enable()
    this.#collections = new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        if (duration >= LEAST_GC_MS) this.#notice('gc', startTime, startTime + duration)
      }
    })
    this.#collections.observe({ entryTypes: ['gc'] })
    this.#before = performance.eventLoopUtilization()
    this.#looked = performance.now()
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
    this.#timer.unref()
  }

  leave(): void {
    if (this.#users === 0 || --this.#users > 0) return
    clearInterval(this.#timer)
    this.#delays?.disable()
    this.#collections?.disconnect()
    this.#busy = undefined
    this.#told = 0
    this.#latest = Number.NEGATIVE_INFINITY
    this.#noticed.length = 0
  }

  #look(): void {
    const now = performance.now()
    const used = performance.eventLoopUtilization()
    // The collector's share of the time is the loop's: utilization is what is not waiting.
    this.#busy = performance.eventLoopUtilization(used, this.#before).utilization
    this.#before = used
    this.#findStall(now)
    this.#delays!.reset()
    this.#looked = now
  }

  #findStall(now: number): void {
    const late = now - this.#looked - EVERY_MS
    const delay = this.#delays!.count > 0 ? this.#delays!.max / 1e6 - RESOLUTION_MS : 0
    const again = delay <= this.#told + EVERY_MS
    const stall = Math.max(late, again ? 0 : delay)
    this.#told = stall >= LEAST_STALL_MS ? stall : 0
    if (this.#told > 0) this.#notice('event-loop', Math.max(this.#looked, now - stall), now)
  }

  #notice(kind: Noticed['kind'], from: number, to: number): void {
    if (this.#noticed.length >= MOST_KEPT) this.#noticed.shift()
    this.#noticed.push({ kind, from, to })
    this.#latest = Math.max(this.#latest, to)
  }

  /**
   * Pauses that fell into a call, the longest first, at most eight.
   * @param stamps whole microseconds since 1970, and what they were reckoned with
   */
  pauses(stamps: {
    readonly receiveUs: number
    readonly respondUs: number
    readonly anchorMs: number
  }): readonly PauseRecord[] | undefined {
    if (this.#users === 0) return undefined
    const { receiveUs, respondUs, anchorMs } = stamps
    const from = receiveUs / 1000 - anchorMs
    const to = respondUs / 1000 - anchorMs
    // A call that kept the loop to itself answers before the timer can notice.
    if (to - this.#looked >= EVERY_MS + LEAST_STALL_MS) this.#look()
    if (this.#latest <= from) return undefined
    return this.#noticed
      .filter((pause) => pause.to > from && pause.from < to)
      .sort((a, b) => b.to - b.from - (a.to - a.from))
      .slice(0, MOST_TOLD)
      .map(({ kind, from: begun, to: ended }) => ({
        kind,
        fromUs: Math.round((anchorMs + begun) * 1000),
        us: Math.round((ended - begun) * 1000),
      }))
  }
}

export const processWatch = new ProcessWatch()
