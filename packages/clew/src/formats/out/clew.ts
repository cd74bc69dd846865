import { callTree, encodeTrace, type Trace } from '../../trace/index.ts'
import { pieces, type TraceWriter } from './writer.ts'
import { traceId } from './written-ids.ts'

/** Entries encoded at a time. */
const CHUNK = 1_024

/** Clew's own trace file, JSON lines: nothing is lost. */
export function clewWriter(): TraceWriter {
  return {
    *write(trace) {
      const { entries, ...told } = trace
      // Lines without an id would be those of one trace, however many there were.
      const rest = { ...told, id: told.id === '' ? traceId(callTree(trace)) : told.id }
      for (let at = 0; at < entries.length; at += CHUNK) {
        const some = { id: rest.id, entries: entries.slice(at, at + CHUNK) }
        yield encodeTrace({ ...some, folds: [], missing: [], relays: [], complete: true })
      }
      yield encodeTrace({ ...rest, entries: [] })
    },
    *end() {},
  }
}

export const encodeClew = (traces: Iterable<Trace>): Generator<string> =>
  pieces(clewWriter(), traces)
