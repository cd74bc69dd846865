import { encodeTrace } from 'clew/trace'
import { traceOf } from '../settle/trace-of.ts'
import type { TraceRow } from '../store/summary.ts'
import { type FindQuestion, type TraceStore, traceKey } from '../store/trace-store.ts'

/** Traces that are read from the store at a time. */
const AT_A_TIME = 100

/**
 * Whole traces as lines of a trace file, as fast as the asker takes them; ends when the asker goes away.
 * Each that stands for several says so in a line of its own.
 */
export async function exported(
  store: TraceStore,
  question: FindQuestion,
  signal: AbortSignal,
): Promise<Response> {
  const { traces: matching } = await store.count(question, { signal })
  const lines = linesOf(store, question, signal)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await lines.next()
      if (next.done === true) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    },
    async cancel() {
      await lines.return()
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'application/x-ndjson',
      'clew-traces': String(Math.min(matching, question.limit)),
      'clew-matching': String(matching),
    },
  })
}

async function* linesOf(
  store: TraceStore,
  question: FindQuestion,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  let left = question.limit
  let cursor: string | undefined
  do {
    // A sample has no pages: its rows are small, and all of them are read at once.
    const limit = question.order === 'sample' ? left : Math.min(left, AT_A_TIME)
    const page = await store.find({ ...question, limit, cursor }, { signal })
    for (let at = 0; at < page.traces.length; at += AT_A_TIME) {
      yield await together(store, question.tenant, page.traces.slice(at, at + AT_A_TIME), signal)
    }
    left -= page.traces.length
    cursor = page.cursor
  } while (cursor !== undefined && left > 0)
}

async function together(
  store: TraceStore,
  tenant: string,
  rows: readonly TraceRow[],
  signal: AbortSignal,
): Promise<string> {
  const keys = rows.map(({ traceId }) => ({ tenant, traceId }))
  const packets = await store.packets(keys, { signal })
  let lines = ''
  for (const key of keys) {
    const found = packets.get(traceKey(key))
    // It may have been deleted since it was found.
    if (found === undefined) continue
    const { trace, weight } = traceOf(key.traceId, found)
    lines += encodeTrace(weight > 1 ? { ...trace, weight } : trace)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return lines
}
