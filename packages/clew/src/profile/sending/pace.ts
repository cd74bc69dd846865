import { Sketch } from '../../trace/index.ts'

/** Kinds of request that are told apart; the others share one measure. */
const MOST_KINDS = 1_000
/** A window ends after so many requests, or so long, where there were at least a few. */
const WINDOW_REQUESTS = 2_000
const WINDOW_MS = 60_000
const LEAST_REQUESTS = 200
/** How often the quantile of the window that is open is asked. */
const ASKED_EVERY = 64

/** How long requests of one kind take of late: the last window, and the one that is open. */
interface Kind {
  open: Sketch
  openedMs: number
  /** Of the window before; 0 where there was none. */
  beforeMs: number
  /** Above this a request is slow; infinite while too few are known. */
  limitMs: number
}

/** Which requests are among the slowest of their kind, against a percentile that follows the load. */
export class Pace {
  readonly #share: number
  readonly #now: () => number
  readonly #kinds = new Map<string, Kind>()

  /**
   * @param share of requests that are the slowest: 0.01 is above the 99th percentile
   * @param now milliseconds of a monotonic clock
   */
  constructor(share: number, now: () => number) {
    this.#share = share
    this.#now = now
  }

  /** True when it is slow by what was known before; then it is known too. */
  isSlow(kind: string, tookMs: number): boolean {
    const known = this.#kindOf(kind)
    const slow = tookMs > known.limitMs
    known.open.add(tookMs)
    const { count } = known.open
    if (count % ASKED_EVERY === 0) this.#measure(known)
    return slow
  }

  #kindOf(name: string): Kind {
    const key = this.#kinds.has(name) || this.#kinds.size < MOST_KINDS ? name : ''
    let kind = this.#kinds.get(key)
    if (kind === undefined) {
      const openedMs = this.#now()
      kind = { open: new Sketch(), openedMs, beforeMs: 0, limitMs: Number.POSITIVE_INFINITY }
      this.#kinds.set(key, kind)
    }
    return kind
  }

  #measure(kind: Kind): void {
    const { count } = kind.open
    if (count < Math.max(LEAST_REQUESTS, 2 / this.#share)) return
    const openMs = kind.open.quantile(1 - this.#share)
    // The greater: when everything becomes slower, the window before says little of what is usual.
    kind.limitMs = Math.max(openMs, kind.beforeMs)
    const now = this.#now()
    if (count < WINDOW_REQUESTS && now - kind.openedMs < WINDOW_MS) return
    kind.beforeMs = openMs
    kind.open = new Sketch()
    kind.openedMs = now
  }
}
