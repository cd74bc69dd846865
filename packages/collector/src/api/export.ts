import { encodeClew } from 'clew/formats'
import { traceOf } from '../settle/trace-of.ts'
import { type FindQuestion, type TraceStore, traceKey } from '../store/trace-store.ts'
import { grouped } from './grouped.ts'

/** Rows of traces that are asked for at a time. */
const AT_A_TIME = 1_000

/**
 * Whole traces as lines of a trace file, the next when it is asked for. Each that stands for several
 * says so in a line of its own.
 */
export async function* exportedLines(
  store: TraceStore,
  question: FindQuestion,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const { tenant } = question
  let left = question.limit
  let cursor: string | undefined
  do {
    // A sample has no pages: its rows are small, and all of them are read at once.
    const limit = question.order === 'sample' ? left : Math.min(left, AT_A_TIME)
    const page = await store.find({ ...question, limit, cursor }, { signal })
    for (const rows of grouped(page.traces)) {
      const keys = rows.map(({ traceId }) => ({ tenant, traceId }))
      const packets = await store.packets(keys, { signal })
      for (const key of keys) {
        const found = packets.get(traceKey(key))
        // It may have been deleted since it was found.
        if (found === undefined) continue
        const { trace, weight } = traceOf(key.traceId, found)
        yield* encodeClew([weight > 1 ? { ...trace, weight } : trace])
      }
    }
    left -= page.traces.length
    cursor = page.cursor
  } while (cursor !== undefined && left > 0)
}
