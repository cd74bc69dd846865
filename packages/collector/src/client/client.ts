import type {
  AnalysisAnswer,
  CompareAnswer,
  CriticalPathAnswer,
  FailuresAnswer,
  LoadAnswer,
  StragglersAnswer,
} from '../api/analysis-shapes.ts'
import type {
  BreakdownAnswer,
  FoundPage,
  FoundTrace,
  MapAnswer,
  NamedField,
  NamesAnswer,
  RemovedAnswer,
  StatisticsAnswer,
  TimelineAnswer,
} from '../api/shapes.ts'
import type { UsageAnswer } from '../api/usage-route.ts'
import type { AccountsAnswer } from '../ingest/account-route.ts'
import type { RecallAnswer } from '../recall/recall-route.ts'
import { CollectorError } from './collector-error.ts'
import { eventsIn } from './events.ts'

export interface ClientOptions {
  /** Where the collector answers: `http://127.0.0.1:7117`. */
  readonly url: string
  /** What lets in. @default none */
  readonly token?: string | undefined
  /** Milliseconds until the first bytes of an answer. @default 30,000 */
  readonly timeoutMs?: number | undefined
  /** @default the platform's */
  readonly fetch?: typeof fetch | undefined
}

/** What is asked about. */
export interface Asked {
  /** docs/filters.md. @default all */
  readonly filter?: string | undefined
  /** ISO time, milliseconds since 1970, or how long ago: `15m`, `2h`, `7d`. @default '1h' */
  readonly from?: string | number | undefined
  /** @default 'now' */
  readonly to?: string | number | undefined
  /** Ends the work, here and at the collector. */
  readonly signal?: AbortSignal | undefined
}

/** What is asked of whole traces, of which at most so many are read. */
export interface AskedOfSample extends Asked {
  /** From 1 to 10,000. @default 1,000 */
  readonly limit?: number | undefined
}

/** What a set of requests is held against; what is not told is as of the set itself. */
export interface Against {
  readonly filter?: string | undefined
  readonly from?: string | number | undefined
  readonly to?: string | number | undefined
}

export interface Exported {
  /** How many traces come, of how many that match. */
  readonly traces: number
  readonly matching: number
  /** Lines of a trace file. */
  readonly body: ReadableStream<Uint8Array>
}

/** How a collector is. */
export interface HealthAnswer {
  /** It takes what is sent. */
  readonly ok: boolean
  readonly version: string
  /** Calls that are kept and wait to be found and counted. */
  readonly pending: number
  /** Why it takes nothing. */
  readonly reason?: string
  /** What was found damaged when it started. */
  readonly damage: readonly string[]
  readonly problems: readonly string[]
  /** Its clock, whole seconds, milliseconds since 1970; NaN where it does not tell. */
  readonly clockMs: number
}

/** What a tail tells: a trace that matches, or how many were not told because the reader was slow. */
export type TailEvent = { readonly trace: FoundTrace } | { readonly missed: number }

type Query = Readonly<Record<string, string | number | undefined>>

/**
 * Asks a collector. Everything rejects with {@link CollectorError}, and with the signal's reason where
 * that ended it.
 */
export class CollectorClient {
  readonly #url: string
  readonly #token: string | undefined
  readonly #timeoutMs: number
  readonly #fetch: typeof fetch

  constructor({ url, token, timeoutMs = 30_000, fetch: ask = fetch }: ClientOptions) {
    this.#url = url.replace(/\/+$/u, '')
    this.#token = token
    this.#timeoutMs = timeoutMs
    this.#fetch = ask
  }

  /** A page of traces that match. */
  find(
    asked: Asked & {
      readonly order?: 'newest' | 'slowest' | undefined
      readonly limit?: number | undefined
      readonly cursor?: string | undefined
    } = {},
  ): Promise<FoundPage> {
    const { order, limit, cursor } = asked
    return this.#json('/api/traces', { ...queryOf(asked), order, limit, cursor }, asked.signal)
  }

  /** All traces that match, page by page as they are taken. */
  async *findAll(
    asked: Asked & { readonly order?: 'newest' | 'slowest' | undefined } = {},
  ): AsyncGenerator<FoundTrace> {
    let cursor: string | undefined
    do {
      const page = await this.find({ ...asked, limit: 200, cursor })
      yield* page.traces
      cursor = page.cursor ?? undefined
    } while (cursor !== undefined)
  }

  /** A whole trace as lines of a trace file; the beginning of its id is enough where it tells which. */
  async trace(id: string, { signal }: Pick<Asked, 'signal'> = {}): Promise<string> {
    const response = await this.#ask('GET', `/api/traces/${encodeURIComponent(id)}`, {}, signal)
    return await whole(response.text(), signal)
  }

  /** Whole traces that match. */
  async export(
    asked: Asked & {
      readonly order?: 'newest' | 'slowest' | 'sample' | undefined
      readonly limit?: number | undefined
    } = {},
  ): Promise<Exported> {
    const { order, limit } = asked
    const query = { ...queryOf(asked), order, limit }
    const response = await this.#ask('GET', '/api/traces/export', query, asked.signal)
    const told = (name: string) => Number(response.headers.get(name) ?? 0)
    return {
      traces: told('clew-traces'),
      matching: told('clew-matching'),
      body: response.body ?? new ReadableStream(),
    }
  }

  /** Rate, failures and durations of each method. */
  statistics(asked: Asked = {}): Promise<StatisticsAnswer> {
    return this.#json('/api/statistics', queryOf(asked), asked.signal)
  }

  /** Where the time of each kind of request goes. */
  breakdown(asked: Asked = {}): Promise<BreakdownAnswer> {
    return this.#json('/api/breakdown', queryOf(asked), asked.signal)
  }

  /** The layout of the system. */
  map(asked: Asked = {}): Promise<MapAnswer> {
    return this.#json('/api/map', queryOf(asked), asked.signal)
  }

  /** Requests over time. */
  timeline(asked: Asked & { readonly buckets?: number | undefined } = {}): Promise<TimelineAnswer> {
    const query = { ...queryOf(asked), buckets: asked.buckets }
    return this.#json('/api/timeline', query, asked.signal)
  }

  /** Names that occur, the most frequent first. */
  names(
    field: NamedField,
    asked: Omit<Asked, 'filter'> & { readonly limit?: number | undefined } = {},
  ): Promise<NamesAnswer> {
    const query = { ...queryOf(asked), field, limit: asked.limit }
    return this.#json('/api/names', query, asked.signal)
  }

  /** Who failed first, where the time goes, who straggles and what is missing. */
  analyze(asked: AskedOfSample = {}): Promise<AnalysisAnswer> {
    return this.#sampled('/api/analyze', asked)
  }

  /** Which service failed first, and how often. */
  failures(asked: AskedOfSample = {}): Promise<FailuresAnswer> {
    return this.#sampled('/api/failures', asked)
  }

  /** Which instances take longer than their siblings and replicas. */
  stragglers(asked: AskedOfSample = {}): Promise<StragglersAnswer> {
    return this.#sampled('/api/stragglers', asked)
  }

  /** What answers waited for, by method and by call path. */
  criticalPath(asked: AskedOfSample = {}): Promise<CriticalPathAnswer> {
    return this.#sampled('/api/critical-path', asked)
  }

  /** Where the bottleneck is, and how it moves with the load: requests a second, or at a time. */
  load(
    asked: AskedOfSample & { readonly by?: 'rate' | 'in-flight' | undefined } = {},
  ): Promise<LoadAnswer> {
    return this.#sampled('/api/load', asked, { by: asked.by })
  }

  /** What explains the difference between two sets of requests; at most 2,000 traces of each. */
  compare(asked: AskedOfSample & { readonly against: Against }): Promise<CompareAnswer> {
    const { filter, from, to } = asked.against
    const against = { against: filter, 'against-from': from, 'against-to': to }
    return this.#sampled('/api/compare', asked, against)
  }

  /**
   * Asks the services for what they still know of a trace, which takes up to two seconds; then it is
   * part of the trace. For admins.
   */
  async recall(id: string, { signal }: Pick<Asked, 'signal'> = {}): Promise<RecallAnswer> {
    const path = `/api/traces/${encodeURIComponent(id)}/recall`
    return await readJson(await this.#ask('POST', path, {}, signal), signal)
  }

  /** What became of the calls of each sender and of all. */
  accounts({ signal }: Pick<Asked, 'signal'> = {}): Promise<AccountsAnswer> {
    return this.#json('/api/accounts', {}, signal)
  }

  /** How much there is. */
  usage({ signal }: Pick<Asked, 'signal'> = {}): Promise<UsageAnswer> {
    return this.#json('/api/usage', {}, signal)
  }

  /** How the collector is; it is told also where it takes nothing. */
  async health({ signal }: Pick<Asked, 'signal'> = {}): Promise<HealthAnswer> {
    const response = await this.#ask('GET', '/healthz', {}, signal, {}, [503])
    const clockMs = Date.parse(response.headers.get('date') ?? '')
    return { ...(await readJson<Omit<HealthAnswer, 'clockMs'>>(response, signal)), clockMs }
  }

  /** Deletes everything of the tenant of the token. */
  async removeTenant({ signal }: Pick<Asked, 'signal'> = {}): Promise<RemovedAnswer> {
    return await readJson(await this.#ask('DELETE', '/api/tenant', {}, signal), signal)
  }

  /** Deletes a trace, by its whole id. */
  async remove(id: string, { signal }: Pick<Asked, 'signal'> = {}): Promise<RemovedAnswer> {
    const path = `/api/traces/${encodeURIComponent(id)}`
    return await readJson(await this.#ask('DELETE', path, {}, signal), signal)
  }

  /**
   * Traces that match, as they come; ends when the collector closes the connection or the signal ends it.
   * @param asked.after what {@link TailEvent}s of a connection before ended with, to go on from there
   */
  async *tail(
    asked: Pick<Asked, 'filter' | 'signal'> & {
      readonly onId?: ((id: string) => void) | undefined
      readonly after?: string | undefined
    } = {},
  ): AsyncGenerator<TailEvent> {
    const { filter, signal, after, onId } = asked
    const headers = after === undefined ? {} : { 'last-event-id': after }
    const response = await this.#ask('GET', '/api/tail', { filter }, signal, headers)
    const events = eventsIn(response.body)
    try {
      for (;;) {
        const next = await whole(events.next(), signal)
        if (next.done === true) return
        const { event, data: text, id } = next.value
        if (id !== undefined) onId?.(id)
        if (event === 'trace') yield { trace: JSON.parse(text) as FoundTrace }
        else if (event === 'missed') yield { missed: Number(text) }
      }
    } finally {
      await events.return(undefined)
    }
  }

  #sampled<T>(path: string, asked: AskedOfSample, more: Query = {}): Promise<T> {
    return this.#json(path, { ...queryOf(asked), limit: asked.limit, ...more }, asked.signal)
  }

  async #json<T>(path: string, query: Query, signal: AbortSignal | undefined): Promise<T> {
    return await readJson<T>(await this.#ask('GET', path, query, signal), signal)
  }

  async #ask(
    method: string,
    path: string,
    query: Query,
    signal: AbortSignal | undefined,
    headers: Readonly<Record<string, string>> = {},
    taken: readonly number[] = [],
  ): Promise<Response> {
    const url = new URL(this.#url + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.#timeoutMs)
    const authorization =
      this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
    const signals = signal === undefined ? [late.signal] : [late.signal, signal]
    try {
      const response = await this.#fetch(url, {
        method,
        headers: { ...authorization, ...headers },
        signal: AbortSignal.any(signals),
        redirect: 'error',
      })
      if (!response.ok && !taken.includes(response.status)) throw await errorOf(response)
      return response
    } catch (cause) {
      if (cause instanceof CollectorError || signal?.aborted === true) throw cause
      if (late.signal.aborted) {
        throw new CollectorError(
          0,
          'timeout',
          `the collector did not answer within ${this.#timeoutMs} ms`,
        )
      }
      throw new CollectorError(0, 'unreachable', `there is no collector at ${this.#url}`, { cause })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A client of a collector. */
export const collectorClient = (options: ClientOptions): CollectorClient =>
  new CollectorClient(options)

const queryOf = ({ filter, from, to }: Asked): Query => ({ filter, from, to })

async function readJson<T>(response: Response, signal: AbortSignal | undefined): Promise<T> {
  const text = await whole(response.text(), signal)
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    const message = 'the answer is no JSON: is this a collector?'
    throw new CollectorError(response.status, 'unreadable', message, { cause })
  }
}

/** What a body brings; where it breaks off, as everything else that does not come. */
async function whole<T>(body: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await body
  } catch (cause) {
    signal?.throwIfAborted()
    throw new CollectorError(0, 'unreachable', 'the answer broke off', { cause })
  }
}

async function errorOf(response: Response): Promise<CollectorError> {
  const { status } = response
  const body: unknown = await response.json().catch(() => undefined)
  const error = (body as { error?: Readonly<Record<string, unknown>> } | undefined)?.error
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const place = error?.['position']
  return new CollectorError(
    status,
    text(error?.['code']) ?? 'unreadable',
    text(error?.['message']) ?? `it answered ${status}: is this a collector?`,
    { advice: text(error?.['advice']), position: typeof place === 'number' ? place : undefined },
  )
}
