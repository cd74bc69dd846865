import { type CallTree, callTree, type Trace } from '../../trace/index.ts'
import { microsBetween, microsOf } from './micros.ts'
import { type Maker, type RecordKind, records, type SideRecord } from './record.ts'
import { ListMark, pieces, type TraceWriter } from './writer.ts'
import { traceId } from './written-ids.ts'

/** Name of the scope under which records are written. */
export const SCOPE = 'clew'

/** By SpanKind's numbers in OTLP. */
export const KIND_NUMBERS: Readonly<Record<RecordKind, number>> = {
  ...{ internal: 1, server: 2, client: 3, producer: 4, consumer: 5 },
}
export const STATUS_ERROR = 2

/** Records of one process of one trace, which OTLP writes together. */
export interface ResourceRecords {
  readonly maker: Maker
  readonly records: SideRecord[]
}

/** Records of one process that are kept until they are written: a message is made whole. */
const MOST_TOGETHER = 512

/** The records of a tree by process; of one with many there are several groups, so that few are held. */
export function* byMaker(tree: CallTree): Generator<ResourceRecords> {
  const groups = new Map<string, ResourceRecords>()
  for (const record of records(tree)) {
    const { service, host, pid, version } = record.maker
    const key = JSON.stringify([service, host, pid, version])
    const group = groups.get(key)
    if (group === undefined) {
      groups.set(key, { maker: record.maker, records: [record] })
    } else if (group.records.push(record) === MOST_TOGETHER) {
      groups.delete(key)
      yield group
    }
  }
  yield* groups.values()
}

export type Pair = readonly [key: string, value: string | number | boolean]

export function resourcePairs({ service, host, pid, version }: Maker): readonly Pair[] {
  const pairs: Pair[] = [['service.name', service]]
  if (host !== '') pairs.push(['host.name', host])
  if (pid !== undefined) pairs.push(['process.pid', pid])
  if (version !== undefined) pairs.push(['service.version', version])
  return pairs
}

/** Nanoseconds, exact to the microsecond: a double has no room for more. */
export const startNanos = ({ startMs }: SideRecord): bigint => BigInt(microsOf(startMs)) * 1_000n

/** A record that ends before it begins is refused by others: it ends where it begins. */
export const endNanos = ({ startMs, endMs }: SideRecord): bigint =>
  BigInt(microsOf(startMs) + microsBetween(startMs, endMs)) * 1_000n

export const isError = ({ status }: SideRecord): boolean => status !== 'ok' && status !== 'pending'

/**
 * OTLP in its JSON encoding: one `TracesData`, which is what a request to export has as well (ids in hex,
 * 64-bit numbers as text, as the protocol's specification says).
 */
export function otlpWriter(): TraceWriter {
  const mark = new ListMark('{"resourceSpans":[')
  return {
    *write(trace, tree = callTree(trace)) {
      const id = traceId(tree)
      for (const group of byMaker(tree)) {
        const attributes = resourcePairs(group.maker).map(attributeOf)
        const resource = JSON.stringify({ attributes })
        yield `${mark.next()}{"resource":${resource},"scopeSpans":[{"scope":{"name":"${SCOPE}"},"spans":[`
        let comma = '\n'
        for (const record of group.records) {
          yield comma + JSON.stringify(spanOf(record, id))
          comma = ',\n'
        }
        yield ']}]}'
      }
    },
    *end() {
      yield `${mark.rest()}]}\n`
    },
  }
}

export const encodeOtlp = (traces: Iterable<Trace>): Generator<string> =>
  pieces(otlpWriter(), traces)

function spanOf(record: SideRecord, trace: string) {
  const { parentId, kind, tags, status } = record
  return {
    traceId: trace,
    spanId: record.id,
    ...(parentId !== null && { parentSpanId: parentId }),
    name: record.name,
    kind: kind === undefined ? 0 : KIND_NUMBERS[kind],
    startTimeUnixNano: String(startNanos(record)),
    endTimeUnixNano: String(endNanos(record)),
    attributes: [...tags].map(attributeOf),
    status: isError(record) ? { code: STATUS_ERROR, message: status } : {},
  }
}

function attributeOf([key, value]: Pair) {
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  return Number.isSafeInteger(value)
    ? { key, value: { intValue: String(value) } }
    : { key, value: { doubleValue: value } }
}
