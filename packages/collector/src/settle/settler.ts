import { CallColumns, packetHead } from 'clew/trace/blocks'
import type { TraceSummary } from '../store/summary.ts'
import {
  type Period,
  type StoredPacket,
  type TraceKey,
  type TraceStore,
  traceKey,
} from '../store/trace-store.ts'
import { PlainSummaries } from './plain-summary.ts'
import { Removals } from './removals.ts'
import { summarise, type ToSummarise } from './summarise.ts'

export interface SettlerOptions {
  readonly store: Pick<TraceStore, 'settle' | 'settled' | 'packets' | 'unsettled'>
  /** How long nothing more must have come of a trace that has not ended. Milliseconds. @default 2,000 */
  readonly quietMs?: number | undefined
  /** How long a trace is waited for at most. Milliseconds. @default 30,000 */
  readonly longestMs?: number | undefined
  /** Calls that may wait to be settled before `ready` makes whoever brings more wait. @default 500,000 */
  readonly maxPending?: number | undefined
  /** Told of what has been settled, in order; must not throw. */
  readonly onSettled?: ((summaries: readonly TraceSummary[]) => void) | undefined
  /** Told why the store did not take summaries; they are tried again. */
  readonly onProblem?: ((error: unknown) => void) | undefined
}

interface Waiting extends TraceKey {
  /** None of a trace that a crash or a deletion left: its packets are read when its turn comes. */
  readonly packets: Uint8Array[]
  calls: number
  readonly firstMs: number
  lastMs: number
}

/** Traces that wait for more packets; of more, the oldest are settled as they are. */
const MOST_OPEN = 100_000
/** Traces known to have been settled by this process, the oldest forgotten first. */
const MOST_RECENT = 200_000
/** Calls that are settled together, and for how long summaries are made before others get a turn. */
const GROUP_CALLS = 50_000
/** What a trace without its packets counts for there: how many calls it has is known when it is read. */
const RECOVERED_CALLS = 20
const TURN_MS = 15
/** A trace that took this long to summarise waits until its share of the time is small again. */
const HEAVY_MS = 50
const HEAVY_WAITS = 20
/** Such traces that are known, the oldest forgotten first. */
const MOST_HEAVY = 1_000
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5_000
/** Clocks of hosts differ, and a late packet may know nothing of its trace's beginning. */
const AROUND_MS = 3_600_000

/**
 * Makes summaries of packets that are durable: of a trace that has ended at once, of others when nothing
 * more comes. What comes still later makes the summary anew, of all packets: of a large trace the later,
 * the longer that takes, so that it has a twentieth of the time at most. Loses nothing: what the
 * store does not take is tried again, and what a crash leaves is found by `recover`.
 */
export class Settler {
  readonly #options: SettlerOptions
  readonly #quietMs: number
  readonly #longestMs: number
  readonly #maxPending: number
  /** In order of their first packet. */
  readonly #open = new Map<string, Waiting>()
  #due: Waiting[] = []
  readonly #recent = new Set<string>()
  /** When large traces may be summarised again: else a few late calls of one would keep everybody waiting. */
  readonly #heavy = new Map<string, number>()
  readonly #plain = new PlainSummaries(new CallColumns())
  readonly #removals = new Removals()
  readonly #waiters: (() => void)[] = []
  /** Groups of summaries that were begun. */
  #groups = 0
  #running: Promise<void> | undefined
  /** What the store was given last: a deletion has to come after it. */
  #settling = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Calls in packets that have been taken and not settled. */
  pending = 0

  constructor(options: SettlerOptions) {
    this.#options = options
    const { quietMs = 2_000, longestMs = 30_000, maxPending = 500_000 } = options
    this.#quietMs = quietMs
    this.#longestMs = longestMs
    this.#maxPending = maxPending
  }

  /** Takes packets that are durable. */
  take(packets: readonly StoredPacket[]): void {
    const now = performance.now()
    for (const packet of packets) this.#take(packet, now)
    this.#work()
  }

  /** Resolves when little enough waits that more may be brought. */
  async ready(): Promise<void> {
    while (this.pending > this.#maxPending && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Settles what was kept and not settled before this process began. @returns traces */
  async recover(): Promise<number> {
    const left = await this.#options.store.unsettled()
    for (const key of left) this.#again(key)
    this.#work()
    return left.length
  }

  /**
   * Has traces deleted from the store for good: of what was taken of them before, nothing comes back;
   * what comes while it goes on is settled if the store still has it afterwards.
   * @param concerns whether a trace is among them
   */
  async without<T>(concerns: (key: TraceKey) => boolean, remove: () => Promise<T>): Promise<T> {
    const removal = this.#removals.begin(concerns)
    try {
      await this.#settling.catch(() => {})
      return await remove()
    } finally {
      removal.lastGroup = this.#groups
      for (const [key, one] of this.#open) if (concerns(one)) this.#end(key)
      for (const one of this.#due) if (concerns(one)) one.packets.length = 0
      for (const key of removal.held) this.#again(key)
      this.#work()
    }
  }

  /** Settles everything that was taken, without waiting for more of it. */
  async drain(): Promise<void> {
    for (const key of [...this.#open.keys()]) this.#end(key)
    this.#work()
    while (this.#running !== undefined) await this.#running
  }

  /** Drains, but gives up what the store does not take: it is found again by `recover`. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.drain()
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #take({ tenant, traceId, bytes }: StoredPacket, now: number): void {
    const head = packetHead(bytes)
    const key = traceKey({ tenant, traceId })
    const calls = head?.calls ?? 0
    this.pending += calls
    const open = this.#open.get(key)
    if (open !== undefined) {
      open.packets.push(bytes)
      open.calls += calls
      open.lastMs = now
      return
    }
    const waiting = { tenant, traceId, packets: [bytes], calls, firstMs: now, lastMs: now }
    if (head?.ended === true && !this.#heavy.has(key)) {
      this.#due.push(waiting)
      return
    }
    this.#open.set(key, waiting)
    if (this.#open.size > MOST_OPEN) this.#end(this.#open.keys().next().value!)
  }

  /** Has a trace settled of what the store has of it, if that is anything. */
  #again(key: TraceKey): void {
    const now = performance.now()
    this.#due.push({ ...key, packets: [], calls: 0, firstMs: now, lastMs: now })
  }

  #end(key: string): void {
    this.#due.push(this.#open.get(key)!)
    this.#open.delete(key)
  }

  #work(): void {
    if (this.#running === undefined && this.#due.length > 0) {
      this.#running = this.#run().finally(() => {
        this.#running = undefined
        this.#work()
      })
    }
    if (this.#timer !== undefined || this.#open.size === 0 || this.#closed) return
    this.#timer = setTimeout(() => this.#look(), Math.max(5, this.#quietMs / 4))
    this.#timer.unref()
  }

  /** Ends the wait for traces that were quiet, or took too long. */
  #look(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [key, { firstMs, lastMs }] of this.#open) {
      const quiet = now - lastMs >= this.#quietMs || now - firstMs >= this.#longestMs
      const mayBe = now >= (this.#heavy.get(key) ?? 0) || this.pending > this.#maxPending
      if (quiet && mayBe) this.#end(key)
    }
    this.#work()
  }

  /** Summaries of a group are made while those of the one before are being written. */
  async #run(): Promise<void> {
    let writing = Promise.resolve()
    while (this.#due.length > 0) {
      let [size, calls, weight] = [0, 0, 0]
      while (size < this.#due.length && weight < GROUP_CALLS) {
        const one = this.#due[size++]!
        calls += one.calls
        weight += one.packets.length === 0 ? RECOVERED_CALLS : one.calls
      }
      const group = this.#due.splice(0, size)
      const number = ++this.#groups
      const summaries = await this.#retried(() => this.#summaries(group))
      await writing
      // From now on, what comes of these traces has to find them in the store.
      for (const one of group) this.#remember(traceKey(one))
      writing = this.#write(summaries ?? [], calls, number)
    }
    await writing
  }

  async #write(made: readonly TraceSummary[], calls: number, group: number): Promise<void> {
    let summaries = made
    const written = await this.#retried(async () => {
      summaries = this.#removals.sift(summaries, group, (key) => this.#again(key))
      this.#settling = this.#options.store.settle(summaries)
      await this.#settling
      return true
    })
    if (written === true) this.#options.onSettled?.(summaries)
    this.pending -= calls
    if (this.pending <= this.#maxPending) {
      for (const resolve of this.#waiters.splice(0)) resolve()
    }
  }

  /** Undefined where it failed when the settler was closed: `recover` finds what is left. */
  async #retried<T>(work: () => Promise<T>): Promise<T | undefined> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(LONGEST_RETRY_MS, waitMs * 2)) {
      try {
        return await work()
      } catch (error) {
        this.#options.onProblem?.(error)
        if (this.#closed) return undefined
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  async #summaries(group: readonly Waiting[]): Promise<readonly TraceSummary[]> {
    // Packets of one trace may stand in a group more than once.
    const byKey = new Map<string, TraceKey & { packets: readonly Uint8Array[] }>()
    const again = new Map<string, TraceKey>()
    for (const { tenant, traceId, packets } of group) {
      const key = traceKey({ tenant, traceId })
      const one = { tenant, traceId, packets }
      if (packets.length === 0 || this.#recent.has(key) || byKey.has(key)) again.set(key, one)
      byKey.set(key, one)
    }
    const fresh = [...byKey].filter(([key]) => !again.has(key))
    const summaries = await this.#made(fresh.map(([, one]) => ({ ...one, replaces: false })))
    const keys = summaries.map(({ tenant, row }) => ({ tenant, traceId: row.traceId }))
    const settled =
      keys.length === 0
        ? new Set<string>()
        : await this.#options.store.settled(keys, periodOf(summaries))
    for (const key of settled) again.set(key, byKey.get(key)!)
    if (again.size === 0) return summaries
    const packets = await this.#options.store.packets([...again.values()])
    const whole = [...again].flatMap(([key, { tenant, traceId }]) => {
      const all = packets.get(key) ?? byKey.get(key)?.packets ?? []
      // Of a trace that was deleted before its turn, nothing comes back.
      return all.length === 0 ? [] : [{ tenant, traceId, packets: all, replaces: true }]
    })
    const others = summaries.filter(
      ({ tenant, row }) => !again.has(traceKey({ tenant, traceId: row.traceId })),
    )
    return [...others, ...(await this.#made(whole))]
  }

  /** Summaries, with a turn for everything else now and then. */
  async #made(traces: readonly ToSummarise[]): Promise<TraceSummary[]> {
    const summaries: TraceSummary[] = []
    let until = performance.now() + TURN_MS
    for (const trace of traces) {
      const { tenant, packets, replaces } = trace
      const [only] = packets
      const plain = packets.length === 1 && !replaces ? this.#plain.of(tenant, only!) : undefined
      const began = performance.now()
      summaries.push(plain ?? summarise(trace))
      this.#weigh(traceKey(trace), performance.now(), began)
      if (performance.now() < until) continue
      await new Promise((resolve) => setImmediate(resolve))
      until = performance.now() + TURN_MS
    }
    return summaries
  }

  #weigh(key: string, now: number, began: number): void {
    this.#heavy.delete(key)
    if (now - began < HEAVY_MS) return
    this.#heavy.set(key, now + HEAVY_WAITS * (now - began))
    if (this.#heavy.size > MOST_HEAVY) this.#heavy.delete(this.#heavy.keys().next().value!)
  }

  #remember(key: string): void {
    this.#recent.delete(key)
    this.#recent.add(key)
    if (this.#recent.size > MOST_RECENT) this.#recent.delete(this.#recent.values().next().value!)
  }
}

function periodOf(summaries: readonly TraceSummary[]): Period {
  let [from, to] = [Number.POSITIVE_INFINITY, 0]
  for (const { row } of summaries) {
    from = Math.min(from, row.startUs)
    to = Math.max(to, row.startUs)
  }
  return { fromMs: from / 1000 - AROUND_MS, toMs: to / 1000 + AROUND_MS }
}
