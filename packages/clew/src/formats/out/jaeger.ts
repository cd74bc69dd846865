import { callTree, type Trace } from '../../trace/index.ts'
import { microsBetween, microsOf } from './micros.ts'
import { type Maker, records, type SideRecord } from './record.ts'
import { ListMark, pieces, type TraceWriter } from './writer.ts'
import { traceId } from './written-ids.ts'

/**
 * Jaeger's JSON, as its API answers and its page opens: `{ data: [trace, …] }` (the types of
 * jaegertracing/jaeger-ui, `src/types/trace.ts`). Times are whole microseconds.
 */
export function jaegerWriter(): TraceWriter {
  const mark = new ListMark('{"data":[')
  return {
    *write(trace, tree = callTree(trace)) {
      const id = traceId(tree)
      const makers = new Makers()
      yield `${mark.next()}{"traceID":"${id}","spans":[`
      let comma = '\n'
      for (const record of records(tree)) {
        yield comma + JSON.stringify(spanOf(record, id, makers.keyOf(record.maker)))
        comma = ',\n'
      }
      yield '],"processes":{'
      comma = '\n'
      for (const [key, maker] of makers.all()) {
        yield `${comma}"${key}":${JSON.stringify(processOf(maker))}`
        comma = ',\n'
      }
      yield '}}'
    },
    *end() {
      yield `${mark.rest()}]}\n`
    },
  }
}

export const encodeJaeger = (traces: Iterable<Trace>): Generator<string> =>
  pieces(jaegerWriter(), traces)

/** Processes by short keys, in order of their first record. */
class Makers {
  readonly #keys = new Map<string, readonly [string, Maker]>()

  keyOf(maker: Maker): string {
    const { service, host, pid, version } = maker
    const name = JSON.stringify([service, host, pid, version])
    let known = this.#keys.get(name)
    if (known === undefined) {
      known = [`p${this.#keys.size + 1}`, maker]
      this.#keys.set(name, known)
    }
    return known[0]
  }

  all(): Iterable<readonly [string, Maker]> {
    return this.#keys.values()
  }
}

function spanOf(record: SideRecord, trace: string, processID: string) {
  const { parentId, kind, status, follows, tags, ended } = record
  const refType = follows && kind !== 'server' ? 'FOLLOWS_FROM' : 'CHILD_OF'
  const references = parentId === null ? [] : [{ refType, traceID: trace, spanID: parentId }]
  const all: (readonly [string, string | number | boolean])[] = [...tags]
  if (kind !== undefined && !tags.has('span.kind')) all.push(['span.kind', kind])
  if (status !== 'ok' && status !== 'pending' && !tags.has('error')) all.push(['error', true])
  return {
    traceID: trace,
    spanID: record.id,
    operationName: record.name,
    references,
    startTime: microsOf(record.startMs),
    duration: microsBetween(record.startMs, record.endMs),
    tags: all.map(([key, value]) => tagOf(key, value)),
    logs: [],
    processID,
    warnings: ended ? null : ['is not known to have ended'],
  }
}

function tagOf(key: string, value: string | number | boolean) {
  if (typeof value === 'boolean') return { key, type: 'bool', value }
  if (typeof value === 'string') return { key, type: 'string', value }
  return { key, type: Number.isSafeInteger(value) ? 'int64' : 'float64', value }
}

function processOf({ service, host, pid, version }: Maker) {
  const tags = []
  if (host !== '') tags.push(tagOf('hostname', host))
  if (pid !== undefined) tags.push(tagOf('pid', pid))
  if (version !== undefined) tags.push(tagOf('service.version', version))
  return { serviceName: service, tags }
}
