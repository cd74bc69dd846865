import { setImmediate as turn } from 'node:timers/promises'
import { type CallTree, callTree } from 'clew/trace'
import { ApiError } from '../http/api-error.ts'
import { traceOf } from '../settle/trace-of.ts'
import type { TraceRow } from '../store/summary.ts'
import { type Period, type Question, type TraceStore, traceKey } from '../store/trace-store.ts'
import type { SampleAnswer } from './analysis-shapes.ts'
import { grouped } from './grouped.ts'
import { rounded } from './to-shapes.ts'

/** Analyses at a time: each takes what a core can do. Of each tenant so many more wait for their turn. */
const MOST_AT_ONCE = 4
const MOST_WAITING = 16
/** How long traces are read for one answer; what comes out of those read by then is told. */
const USUAL_BUDGET_MS = 10_000
/** Larger traces are passed over and counted: one tree alone would keep everybody waiting. */
const MOST_CALLS_OF_TRACE = 20_000
/** Calls whose trees are made for one answer. */
const MOST_CALLS = 2_000_000
/** Work done before others have their turn, in milliseconds. */
const TURN_MS = 8
/** Stretches of time in which traces are read one after the other, each so many at least. */
const MOST_STRETCHES = 12
const FEWEST_IN_STRETCH = 100
/** Where there are not so many times as many as are read, stretches would be too near to each other to be told apart. */
const SPARSE = 3
/** Buckets in which it is looked for when there were requests at all. */
const BUCKETS = 500

export interface ToSample {
  readonly question: Question
  /** Traces at most. */
  readonly limit: number
  /**
   * `even`: any, so that each request of the period is as likely; one that stands for many is taken as
   * often as that asks for. `once`: any, each once. `stretches`: all that came one after the other, in
   * at most twelve stretches of the period, so that rates are true in each.
   */
  readonly by: 'even' | 'once' | 'stretches'
  /** Milliseconds. @default 10,000 */
  readonly budgetMs?: number | undefined
  readonly signal: AbortSignal
}

interface Sums {
  traces: number
  draws: number
  calls: number
  cutShort: SampleAnswer['cutShort']
}

/** Reads traces for analyses that need whole ones: a bounded sample, giving way to whoever else asks. */
export class Samples {
  readonly #store: TraceStore
  #running = 0
  readonly #waiting: { readonly tenant: string; readonly begin: () => void }[] = []

  constructor(store: TraceStore) {
    this.#store = store
  }

  /**
   * What `work` makes of samples, when it is its turn.
   * @throws ApiError 429 where too many wait already
   */
  async inTurn(tenant: string, work: () => Promise<Response>): Promise<Response> {
    if (this.#running < MOST_AT_ONCE) this.#running++
    else {
      const own = this.#waiting.filter((other) => other.tenant === tenant).length
      if (own >= MOST_WAITING) throw busy()
      await new Promise<void>((begin) => this.#waiting.push({ tenant, begin }))
    }
    try {
      return await work()
    } finally {
      // Whoever is next takes the place over.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next.begin()
    }
  }

  /**
   * Hands over the trees of a sample, one by one.
   * @returns how many of how many there were
   * @throws ApiError 499 when the asker goes away
   * @throws StoreError
   */
  async read(asked: ToSample, take: (tree: CallTree) => void): Promise<SampleAnswer> {
    const { question, limit, by, signal } = asked
    const { traces: matching, weight } = await this.#store.count(question, { signal })
    const rows =
      by === 'stretches' && matching > limit
        ? await this.#stretches(asked, matching)
        : (await this.#store.find({ ...question, order: 'sample', limit }, { signal })).traces
    const small = rows.filter(({ calls }) => calls <= MOST_CALLS_OF_TRACE)
    const draws = by === 'even' ? drawsOf(small) : small.map(() => 1)
    const sums = await this.#trees(small, draws, asked, take)
    return {
      ...{ traces: sums.traces, matching, requests: rounded(weight) },
      each: sums.draws > 0 ? rounded(Math.max(1, weight / sums.draws)) : 1,
      ...{ tooLarge: rows.length - small.length, cutShort: sums.cutShort },
    }
  }

  async #trees(
    rows: readonly TraceRow[],
    draws: readonly number[],
    { question: { tenant }, budgetMs = USUAL_BUDGET_MS, signal }: ToSample,
    take: (tree: CallTree) => void,
  ): Promise<Sums> {
    const sums: Sums = { traces: 0, draws: 0, calls: 0, cutShort: null }
    const begunMs = performance.now()
    let turnMs = begunMs
    const drawn = rows.map((row, at) => ({ ...row, times: draws[at]! }))
    for (const group of grouped(drawn.filter(({ times }) => times > 0))) {
      const keys = group.map(({ traceId }) => ({ tenant, traceId }))
      const packets = await this.#store.packets(keys, { signal })
      for (const [at, { traceId, calls, times }] of group.entries()) {
        const now = performance.now()
        if (now - turnMs > TURN_MS) {
          await turn()
          turnMs = performance.now()
        }
        if (signal.aborted) throw new ApiError(499, 'cancelled', 'nobody waits for the answer')
        if (now - begunMs > budgetMs) return { ...sums, cutShort: 'time' }
        if (sums.calls > MOST_CALLS) return { ...sums, cutShort: 'calls' }
        const found = packets.get(traceKey(keys[at]!))
        // It may have been deleted since it was found.
        if (found === undefined) continue
        const tree = callTree(traceOf(traceId, found).trace)
        for (let time = 0; time < times; time++) take(tree)
        sums.traces++
        sums.draws += times
        sums.calls += calls
      }
    }
    return sums
  }

  /** The last traces of each stretch of the time in which there were any. */
  async #stretches({ question, limit, signal }: ToSample, matching: number) {
    const rows: TraceRow[] = []
    const sparse = matching > SPARSE * limit
    const wanted = sparse ? Math.floor(limit / FEWEST_IN_STRETCH) : 1
    const count = Math.min(MOST_STRETCHES, Math.max(1, wanted))
    const { fromMs, toMs } = await this.#busy(question, signal)
    for (let stretch = 0; stretch < count; stretch++) {
      const edge = (at: number) => Math.round(fromMs + ((toMs - fromMs) * at) / count)
      const period = { fromMs: edge(stretch), toMs: edge(stretch + 1) }
      if (period.fromMs >= period.toMs) continue
      // What one stretch has not, those behind it may have.
      const share = Math.ceil((limit - rows.length) / (count - stretch))
      const page = await this.#store.find({ ...question, period, limit: share }, { signal })
      rows.push(...page.traces)
    }
    return rows
  }

  /** From about the first to about the last request of a period. */
  async #busy(question: Question, signal: AbortSignal): Promise<Period> {
    const { fromMs, toMs } = question.period
    const bucketMs = Math.max(1, Math.ceil((toMs - fromMs) / BUCKETS))
    const buckets = await this.#store.timeline(question, bucketMs, { signal })
    const busy = buckets.filter(({ requests }) => requests > 0).map((bucket) => bucket.fromMs)
    const begin = Math.max(fromMs, busy[0] ?? fromMs)
    return { fromMs: begin, toMs: Math.min(toMs, (busy.at(-1) ?? toMs) + bucketMs) }
  }
}

const busy = () =>
  new ApiError(429, 'busy', `${MOST_WAITING} analyses wait for their turn`, { retryAfterS: 2 })

/**
 * How often each trace is taken, as many in all as there are: by what it stands for, at even steps
 * (systematic sampling). Where all stand for as many, each once.
 */
export function drawsOf(rows: readonly Pick<TraceRow, 'weight'>[]): readonly number[] {
  const step = rows.reduce((sum, { weight }) => sum + weight, 0) / rows.length
  let [passed, next] = [0, step / 2]
  return rows.map(({ weight }) => {
    passed += weight
    let times = 0
    for (; next < passed; next += step) times++
    return times
  })
}
