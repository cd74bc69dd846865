import { type Filter, matches } from '../filter/index.ts'
import { ApiError } from '../http/api-error.ts'
import type { Asked, Route } from '../http/route.ts'
import type { TraceSummary } from '../store/summary.ts'
import { FILTER, filterIn } from './parameters.ts'
import { foundTrace } from './to-shapes.ts'

/** Traces of a tenant that came last, for whoever was away for a moment. */
const MOST_RECENT = 1_000
/** Calls in all of them, of all tenants; whoever has the most loses the oldest. */
const MOST_RECENT_CALLS = 200_000
/** Tenants of whom any are kept; the one that was silent for longest is forgotten. */
const MOST_TENANTS = 1_000
/** Readers at a time, and how many of them one tenant may have. */
const MOST_READERS = 64
const MOST_READERS_OF_ONE = 32
/** Traces that wait for a reader; of more it is told how many there were. */
const MOST_WAITING = 256
/** Signs of life, so that whatever stands between does not close a quiet connection. */
const ALIVE_EVERY_MS = 15_000
/** Of larger traces the calls are not kept for readers who come back: a filter then sees the trace alone. */
const MOST_CALLS = 5_000

interface Settled {
  readonly id: number
  readonly summary: TraceSummary
}

interface Reader {
  readonly tenant: string
  take(settled: Settled): void
}

/** What a tenant has of late. Its numbers are its own: those of all would tell how much the others do. */
interface Recent {
  readonly traces: Settled[]
  last: number
  calls: number
}

/** Hands traces on as they are settled. Nobody who reads slowly holds up anything. */
export class Tail {
  /** By tenant, the one that was silent for longest first. */
  readonly #recent = new Map<string, Recent>()
  readonly #readers = new Set<Reader>()
  #calls = 0

  /** Readers at the moment. */
  get readers(): number {
    return this.#readers.size
  }

  /** Takes what has been settled; never throws. */
  take(summaries: readonly TraceSummary[]): void {
    for (const summary of summaries) {
      const recent = this.#recentOf(summary.tenant)
      const settled = { id: ++recent.last, summary }
      for (const reader of this.#readers) {
        if (reader.tenant === summary.tenant) reader.take(settled)
      }
      const small = summary.calls.length <= MOST_CALLS
      recent.traces.push(small ? settled : { ...settled, summary: { ...summary, calls: [] } })
      this.#count(recent, small ? summary.calls.length : 0)
      if (recent.traces.length > MOST_RECENT) this.#forgetOldest(recent)
    }
    while (this.#calls > MOST_RECENT_CALLS) {
      const rooms = [...this.#recent.values()]
      this.#forgetOldest(rooms.reduce((most, next) => (next.calls > most.calls ? next : most)))
    }
  }

  #recentOf(tenant: string): Recent {
    const recent = this.#recent.get(tenant) ?? { traces: [], last: 0, calls: 0 }
    this.#recent.delete(tenant)
    this.#recent.set(tenant, recent)
    if (this.#recent.size > MOST_TENANTS) {
      const [silent, { calls }] = this.#recent.entries().next().value!
      this.#recent.delete(silent)
      this.#calls -= calls
    }
    return recent
  }

  #count(recent: Recent, calls: number): void {
    recent.calls += calls
    this.#calls += calls
  }

  #forgetOldest(recent: Recent): void {
    this.#count(recent, -(recent.traces.shift()?.summary.calls.length ?? 0))
  }

  /** `GET /api/tail`. */
  route(): Route {
    return {
      ...{ method: 'GET', path: '/api/tail', role: 'read', name: 'tailTraces' },
      summary:
        'Server-sent events of traces that match, as they are settled: `trace` (as in a list), and `missed` (how many a slow reader was not told). Goes on behind the header last-event-id, as long as that is among the last 1,000.',
      parameters: [FILTER],
      produces: 'text/event-stream',
      handle: async (asked) => this.#answer(asked),
    }
  }

  #answer({ query, subject, request, signal }: Asked): Response {
    const own = [...this.#readers].filter(({ tenant }) => tenant === subject.tenant).length
    if (own >= MOST_READERS_OF_ONE || this.#readers.size >= MOST_READERS) {
      throw new ApiError(429, 'busy', 'too many are reading the tail', { retryAfterS: 10 })
    }
    const filter = filterIn(query, 'filter')
    const after = Number(request.headers.get('last-event-id') ?? Number.NaN)
    const stream = new Events(subject.tenant, filter)
    for (const settled of this.#recent.get(subject.tenant)?.traces ?? []) {
      if (settled.id > after) stream.take(settled)
    }
    this.#readers.add(stream)
    const alive = setInterval(() => stream.alive(), ALIVE_EVERY_MS)
    alive.unref()
    stream.onEnd = () => {
      clearInterval(alive)
      this.#readers.delete(stream)
    }
    signal.addEventListener('abort', () => stream.end(), { once: true })
    return new Response(stream.body, { headers: { 'content-type': 'text/event-stream' } })
  }

  /** Ends all connections. */
  close(): void {
    for (const reader of this.#readers) (reader as Events).end()
  }
}

/** One reader's stream. */
class Events implements Reader {
  readonly tenant: string
  readonly body: ReadableStream<Uint8Array>
  readonly #filter: Filter
  readonly #encoder = new TextEncoder()
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #missed = 0
  #ended = false
  onEnd: () => void = () => {}

  constructor(tenant: string, filter: Filter) {
    this.tenant = tenant
    this.#filter = filter
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
          // Whoever waits for the first bytes knows that it works.
          controller.enqueue(this.#encoder.encode(': ready\n\n'))
        },
        pull: () => this.#tellMissed(),
        cancel: () => this.end(),
      },
      { highWaterMark: MOST_WAITING },
    )
  }

  take({ id, summary }: Settled): void {
    if (this.#ended || !matches(this.#filter, summary.row, summary.calls)) return
    if ((this.#controller.desiredSize ?? 0) <= 1) {
      this.#missed++
      return
    }
    this.#tellMissed()
    const trace = JSON.stringify(foundTrace(summary.row))
    this.#send(`id: ${id}\nevent: trace\ndata: ${trace}\n\n`)
  }

  #tellMissed(): void {
    if (this.#missed === 0 || this.#ended) return
    this.#send(`event: missed\ndata: ${this.#missed}\n\n`)
    this.#missed = 0
  }

  alive(): void {
    if (!this.#ended && (this.#controller.desiredSize ?? 0) > 1) this.#send(': alive\n\n')
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.onEnd()
    try {
      this.#controller.close()
    } catch {
      // The reader went away and took the stream with it.
    }
  }

  #send(text: string): void {
    this.#controller.enqueue(this.#encoder.encode(text))
  }
}
